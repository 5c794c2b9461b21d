// What the merchant's key signs: bytes, requests, and the object that the paying client needs.
import { hash } from 'node:crypto';
import { bufferOf } from '../../bytes.ts';
import type { PrivateKey, Turn } from '../../crypto/private-key.ts';
import { seconds } from '../shared/freshness.ts';
import { defaultHeaders, header, withHeaders } from '../shared/http.ts';
import type { AuthorizedRequest, Moment, Operations, RequestToAuthorize } from '../provider.ts';
import { take } from '../takes.ts';
import { authorization, paymentMessage, requestMessage } from './messages.ts';
import { appParameters, assertAppId, assertNonce } from '../shared/wechatpay-payment.ts';
import type { ResponseKey } from './options.ts';
import { isSameKeyId, keyUnknown, type PlatformKeys } from './platform-keys.ts';
import { schemeOf } from './schemes.ts';
import { takes } from './takes.ts';

export interface Sender {
  readonly merchantId: string;
  /** What names the merchant's key on the wire. */
  readonly keyId: string;
  readonly responseKey: ResponseKey;
  /** What names keys of the merchant’s own. */
  readonly ownSerials: readonly string[];
}

export function signing(
  privateKey: PrivateKey,
  platform: PlatformKeys,
  { merchantId, keyId, responseKey, ownSerials }: Sender,
): Pick<Operations, 'sign' | 'authorize' | 'paymentParameters'> {
  const scheme = schemeOf(privateKey.publicKey);

  const signText = async (message: Uint8Array, turn: Turn | undefined): Promise<string> =>
    bufferOf(await privateKey.sign(scheme.suite, message, turn)).toString('base64');

  /**
   * The platform key that a request names: what encrypted its fields, else as `responseKey` says. Named as given even
   * when it is not loaded: a rotation between encrypting and sending takes nothing from the platform's own key. What names a key
   * of the merchant's has never been one of the platform's.
   */
  const keyToName = ({ encryptionKeyId, headers = {} }: RequestToAuthorize, { now, nonce }: Moment) => {
    const given = encryptionKeyId ?? header(headers, 'wechatpay-serial');
    if (given !== undefined) {
      if (ownSerials.some((serial) => isSameKeyId(serial, given)))
        throw keyUnknown(encryptionKeyId === undefined ? 'headers.Wechatpay-Serial' : 'encryptionKeyId');
      return platform.find(given, now)?.keyId ?? given;
    }
    return platform.preferred(prefersPublicKey(responseKey, nonce), now)?.keyId;
  };

  return {
    sign: async (message, turn) => ({ signature: await privateKey.sign(scheme.suite, message, turn), keyId }),

    async authorize(request, moment, turn): Promise<AuthorizedRequest> {
      const { method, url, headers = {}, body = Buffer.alloc(0) } = take(request, takes.authorize.request);
      const { nonce } = moment;
      assertNonce(nonce);
      const timestamp = seconds(moment.now);
      const named = keyToName(request, moment);
      const signature = await signText(requestMessage({ method, url }, timestamp, nonce, body), turn);
      const own = {
        ...(named !== undefined && { 'Wechatpay-Serial': named }),
        Authorization: authorization({ merchantId, nonce, signature, timestamp, serial: keyId }, scheme.name),
      };
      return {
        method: method.toUpperCase(),
        url,
        headers: { ...defaultHeaders(headers, body), ...withHeaders(headers, own) },
        keyId,
      };
    },

    async paymentParameters(input, { now, nonce }, turn) {
      const { type, appId, prepayId } = take(input, takes.paymentParameters.payment);
      assertAppId(appId);
      const timestamp = seconds(now);
      const sign = (last: string) => signText(paymentMessage(appId, timestamp, nonce, last), turn);
      if (type === 'app') {
        const parameters = appParameters({ appId, merchantId, prepayId, nonce, timestamp });
        return { ...parameters, sign: await sign(prepayId) };
      }
      const packageText = `prepay_id=${prepayId}`;
      const paySign = await sign(packageText);
      return { appId, timeStamp: timestamp, nonceStr: nonce, package: packageText, signType: 'RSA', paySign };
    },
  };
}

/** Chance comes from the nonce, so that one request always names the same key. */
function prefersPublicKey(responseKey: ResponseKey, nonce: string): boolean {
  if (typeof responseKey !== 'object') return responseKey === 'publicKey';
  const roll = Number.parseInt(hash('sha256', nonce, 'hex').slice(0, 8), 16) / 2 ** 32;
  return roll * 100 < responseKey.publicKeyPercent;
}
