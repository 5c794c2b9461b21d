// What the merchant sends: signed requests, fields that only the platform can read, the object the paying client needs.
import { hash } from 'node:crypto';
import { oaepCapacity, sealOaep } from '../../crypto/cipher.ts';
import { PaycertError } from '../../errors.ts';
import { defaultHeaders, header, withHeaders } from '../shared/http.ts';
import { need, takeOnly } from '../shared/inputs.ts';
import type {
  AuthorizedRequest,
  KeyFacts,
  Moment,
  PaymentParametersInput,
  RequestToAuthorize,
  SigningContext,
} from '../provider.ts';
import { authorization, paymentMessage, requestMessage } from './messages.ts';
import type { PlatformKeys, ResponseKey } from './platform-keys.ts';

export interface Sender {
  readonly merchantId: string;
  readonly merchant: KeyFacts;
  readonly platform: PlatformKeys;
  readonly responseKey: ResponseKey | undefined;
  readonly userAgent: string;
  /** Signs with the merchant's key; base64. */
  readonly signText: (message: Uint8Array) => Promise<string>;
}

const seconds = (now: Date): string => String(Math.floor(now.getTime() / 1000));

export function createRequests({
  merchantId,
  merchant,
  platform,
  responseKey,
  userAgent,
  signText,
}: Sender): Required<Pick<SigningContext, 'authorize' | 'encrypt' | 'paymentParameters'>> {
  /**
   * The platform key that a request names: what encrypted its fields, else as `responseKey` says. Named as given even
   * when it is not loaded: a rotation between encrypting and sending takes nothing from the platform's own key.
   */
  const keyToName = ({ encryptionKeyId, headers = {} }: RequestToAuthorize, { now, nonce }: Moment) => {
    const given = encryptionKeyId ?? header(headers, 'wechatpay-serial');
    if (given !== undefined) return platform.find(given, now)?.keyId ?? given;
    return platform.preferred(prefersPublicKey(responseKey, nonce), now)?.keyId;
  };

  const findPlatformKey = (keyId: string, now: Date) => {
    const key = platform.find(keyId, now);
    if (key === undefined) throw new PaycertError('key-unknown', 'no platform key has this id', { field: 'keyId' });
    return key;
  };

  return {
    async authorize(request, moment): Promise<AuthorizedRequest> {
      takeOnly(request, ['method', 'url', 'headers', 'body', 'encryptionKeyId']);
      const { headers = {}, body = Buffer.alloc(0) } = request;
      const [method, url] = [need(request, 'method'), need(request, 'url')];
      const timestamp = seconds(moment.now);
      const named = keyToName(request, moment);
      const signature = await signText(requestMessage(method, url, timestamp, moment.nonce, body));
      const own = {
        ...(named !== undefined && { 'Wechatpay-Serial': named }),
        Authorization: authorization(merchantId, moment.nonce, signature, timestamp, merchant.keyId),
      };
      return {
        method: method.toUpperCase(),
        url,
        headers: { ...defaultHeaders(headers, body, userAgent), ...withHeaders(headers, own) },
        keyId: merchant.keyId,
      };
    },

    async encrypt(plaintext, now, keyId) {
      const key =
        keyId === undefined ? platform.preferred(responseKey === 'publicKey', now) : findPlatformKey(keyId, now);
      if (key === undefined) throw new PaycertError('no-platform-key', 'there is no platform key to encrypt for');
      if (plaintext.byteLength > oaepCapacity(key.publicKey)) {
        throw new PaycertError('plaintext-too-long', 'the text does not fit into one encrypted field', {
          field: 'plaintext',
        });
      }
      return { ciphertext: sealOaep(key.publicKey, plaintext), keyId: key.keyId };
    },

    async paymentParameters(input: PaymentParametersInput, { now, nonce }) {
      takeOnly(input, ['type', 'appId', 'prepayId']);
      const [type, appId, prepayId] = [need(input, 'type'), need(input, 'appId'), need(input, 'prepayId')];
      const timestamp = seconds(now);
      if (type === 'app') {
        const sign = await signText(paymentMessage(appId, timestamp, nonce, prepayId));
        return {
          appid: appId,
          partnerid: merchantId,
          prepayid: prepayId,
          package: 'Sign=WXPay',
          noncestr: nonce,
          timestamp,
          sign,
        };
      }
      const packageText = `prepay_id=${prepayId}`;
      const paySign = await signText(paymentMessage(appId, timestamp, nonce, packageText));
      return { appId, timeStamp: timestamp, nonceStr: nonce, package: packageText, signType: 'RSA', paySign };
    },
  };
}

/** Chance comes from the nonce, so that one request always names the same key. */
function prefersPublicKey(responseKey: ResponseKey | undefined, nonce: string): boolean {
  if (typeof responseKey !== 'object') return responseKey === 'publicKey';
  const roll = Number.parseInt(hash('sha256', nonce, 'hex').slice(0, 8), 16) / 2 ** 32;
  return roll * 100 < responseKey.publicKeyPercent;
}
