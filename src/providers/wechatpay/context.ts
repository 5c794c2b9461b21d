// The operations that one set of WeChat Pay keys allows. Made from fit parts only.
import { createHash, createPublicKey, hash, type KeyObject } from 'node:crypto';
import { checkValue, oaepCapacity, oaepOpener, pkcs1Opener, sealOaep } from '../../crypto/cipher.ts';
import { signRsaSha256, verifyRsaSha256 } from '../../crypto/signature.ts';
import { describeAlgorithm, publicKeyFingerprint } from '../../crypto/x509.ts';
import { PaycertError } from '../../errors.ts';
import type {
  AuthorizedRequest,
  Capability,
  Ciphertext,
  Decrypted,
  KeyFacts,
  Moment,
  PaymentParametersInput,
  Received,
  RequestToAuthorize,
  Role,
  SigningContext,
} from '../provider.ts';
import { certificateFacts, isAlive, publicFacts } from '../facts.ts';
import { defaultHeaders, header, withHeaders } from '../http.ts';
import { need, takeOnly } from '../inputs.ts';
import { aeadAlgorithm, openResource, readEnvelope, readPlaintext } from './envelope.ts';
import {
  answerMessage,
  assertNoProbe,
  authorization,
  isUnsignedByDesign,
  paymentMessage,
  readAnswerSignature,
  requestMessage,
} from './messages.ts';
import type { Parts } from './parts.ts';
import { collectPlatformKeys, expiryWarnings, platformWarnings, type ResponseKey } from './platform-keys.ts';

export interface ContextOptions {
  readonly merchantId: string;
  readonly responseKey: ResponseKey | undefined;
  readonly userAgent: string;
  /** Whether fields that OAEP does not open are tried with PKCS#1 v1.5; see the danger at `pkcs1Opener`. */
  readonly legacyFieldPadding: boolean;
  /** Check values of APIv3 keys that have opened something the platform wrote; outlives every swap. */
  readonly proven: Set<string>;
}

/** Parts that passed every rule. */
export interface FitParts extends Parts {
  readonly privateKey: KeyObject;
}

const seconds = (now: Date): string => String(Math.floor(now.getTime() / 1000));

export function createContext(parts: FitParts, options: ContextOptions): SigningContext {
  const { privateKey, apiV3Key } = parts;
  const { merchantId, responseKey, proven } = options;
  const merchant = merchantFacts(parts);
  const platform = collectPlatformKeys(parts);
  const symmetric = symmetricKeys(parts);
  const fieldKeys = collectFieldKeys(parts, merchant);
  // Every key with OAEP before any key with PKCS#1 v1.5, which cannot tell that a key is the wrong one.
  const paddings = options.legacyFieldPadding ? [oaepOpener, pkcs1Opener] : [oaepOpener];
  const openers = paddings.flatMap((opener) => fieldKeys.map(({ key, facts }) => ({ open: opener(key), facts })));
  const isProven = (): boolean => apiV3Key !== undefined && proven.has(checkValue(apiV3Key));
  const loadWarnings = platformWarnings(parts);

  const signText = async (message: Uint8Array): Promise<string> =>
    (await signRsaSha256(privateKey, message)).toString('base64');

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

  const verifyMessage = (message: Uint8Array, signature: string, keyId: string, now: Date) => {
    if (platform.alive(now).length === 0)
      throw new PaycertError('no-platform-key', 'there is no platform key that is valid');
    const key = platform.find(keyId, now);
    if (key === undefined)
      throw new PaycertError('key-id-unknown', 'no platform key has the id that the signature names');
    if (!verifyRsaSha256(key.publicKey, message, Buffer.from(signature, 'base64'))) {
      throw new PaycertError('signature-invalid', 'the signature does not match');
    }
    return { keyId: key.keyId };
  };

  const openSealed = (resource: { ciphertext: string; nonce: string; associatedData: string }): Decrypted => {
    if (symmetric.length === 0) throw new PaycertError('no-apiv3-key', 'there is no APIv3 key to decrypt with');
    for (const { key, keyId, role } of symmetric) {
      const plaintext = openResource(key, resource);
      if (plaintext === undefined) continue;
      if (role === 'apiv3') proven.add(keyId);
      return { plaintext, keyId, role };
    }
    throw undecryptable();
  };

  return {
    keys: [
      merchant,
      ...fieldKeys.flatMap(({ facts }) => (facts === merchant ? [] : [facts])),
      ...platform.all.map(publicFacts),
      ...symmetric.map(publicFacts),
    ],
    problems: [],
    capabilities(now) {
      const able = new Set<Capability>();
      if (isAlive(merchant, now)) able.add('sign');
      if (platform.alive(now).length > 0) able.add('verify');
      if (symmetric.length > 0) able.add('decrypt');
      return able;
    },
    warnings(now) {
      const contradicted = parts.certificatesAnswer !== undefined && apiV3Key !== undefined && !isProven();
      return [...loadWarnings, ...expiryWarnings(platform, now), ...(contradicted ? [unprovenWarning()] : [])];
    },
    ...(apiV3Key && { isProven }),
    signer: { facts: merchant, publicKey: parts.certificate?.publicKey ?? createPublicKey(privateKey) },

    async sign(message) {
      return { signature: await signRsaSha256(privateKey, message), keyId: merchant.keyId };
    },

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
        headers: { ...defaultHeaders(headers, body, options.userAgent), ...withHeaders(headers, own) },
        keyId: merchant.keyId,
      };
    },

    async verify(received: Received, now) {
      if (received.kind === 'message') {
        assertNoProbe(received.signature);
        return verifyMessage(received.message, received.signature, received.keyId, now);
      }
      const answer = readAnswer(received);
      assertSigned(answer);
      const { timestamp, nonce, signature, keyId } = readAnswerSignature(answer.headers, now);
      return verifyMessage(answerMessage(timestamp, nonce, signedBody(answer)), signature, keyId, now);
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

    async decrypt(input: Ciphertext) {
      if ('algorithm' in input) {
        if (input.algorithm !== aeadAlgorithm) {
          throw new PaycertError('request-invalid', `algorithm must be ${aeadAlgorithm}`, { field: 'algorithm' });
        }
        const { ciphertext, associatedData = '' } = input;
        return openSealed({ ciphertext, nonce: need(input, 'nonce'), associatedData });
      }
      const ciphertext = Buffer.from(input.ciphertext, 'base64');
      for (const { open, facts } of openers) {
        const plaintext = await open(ciphertext);
        if (plaintext !== undefined) return { plaintext, keyId: facts.keyId, role: facts.role };
      }
      throw undecryptable();
    },

    async openNotification(body, { keyId }) {
      const { id, eventType, resource } = readEnvelope(body);
      if (resource.algorithm !== aeadAlgorithm) {
        throw new PaycertError('notification-malformed', `the resource is not encrypted with ${aeadAlgorithm}`, {
          field: 'resource',
        });
      }
      const { plaintext, role } = openSealed(resource);
      return { id, eventType, resource: readPlaintext(plaintext), keyId, role };
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

// One code and one message for every cause: which byte was wrong is nobody's business.
const undecryptable = () =>
  new PaycertError('decryption-failed', 'the ciphertext cannot be opened with any key that is loaded');

// The platform may still change over to the key: a warning, until it opens something.
const unprovenWarning = () =>
  new PaycertError('apiv3-key-unproven', 'certificates.json cannot be opened with apiv3_key', { field: 'apiv3_key' });

function merchantFacts({ privateKey, certificate, merchantSerial }: FitParts): KeyFacts {
  if (certificate) return certificateFacts(certificate, 'merchant');
  return {
    role: 'merchant',
    keyId: merchantSerial ?? '',
    algorithm: describeAlgorithm(privateKey),
    fingerprint: publicKeyFingerprint(privateKey),
  };
}

/** Current first, then previous: the order in which they are tried. */
function symmetricKeys({ apiV3Key, previousApiV3Key }: Parts) {
  const one = (key: KeyObject | undefined, role: Role) =>
    key === undefined
      ? []
      : [{ key, role, keyId: checkValue(key), algorithm: 'AES-256-GCM', fingerprint: checkValue(key) }];
  return [...one(apiV3Key, 'apiv3'), ...one(previousApiV3Key, 'apiv3-previous')];
}

/** Fields are encrypted for the merchant's key: the current one, then those retired. */
function collectFieldKeys({ privateKey, retired }: FitParts, merchant: KeyFacts) {
  const keys = retired.map(({ privateKey: key, certificate }) => {
    const fingerprint = publicKeyFingerprint(key);
    const facts: KeyFacts = certificate
      ? certificateFacts(certificate, 'merchant-retired')
      : { role: 'merchant-retired', keyId: fingerprint.slice(0, 16), algorithm: describeAlgorithm(key), fingerprint };
    return { key, facts };
  });
  return [{ key: privateKey, facts: merchant }, ...keys];
}

/** Chance comes from the nonce, so that one request always names the same key. */
function prefersPublicKey(responseKey: ResponseKey | undefined, nonce: string): boolean {
  if (typeof responseKey !== 'object') return responseKey === 'publicKey';
  const roll = Number.parseInt(hash('sha256', nonce, 'hex').slice(0, 8), 16) / 2 ** 32;
  return roll * 100 < responseKey.publicKeyPercent;
}

type Answer = Exclude<Received, { kind: 'message' }> & { readonly headers: Readonly<Record<string, string>> };

/** WeChat Pay signs in headers, and sends no user back with a signature. */
function readAnswer(received: Exclude<Received, { kind: 'message' }>): Answer {
  takeOnly(received, ['kind', 'headers', 'body', 'url', 'status']);
  if (received.kind === 'return') {
    throw new PaycertError('request-invalid', 'kind return is nothing that WeChat Pay signs', { field: 'kind' });
  }
  return { ...received, headers: need(received, 'headers') };
}

/** Errors may come unsigned, and some downloads always do: neither is forged, and neither is proof of anything. */
function assertSigned({ kind, headers, status = 200, url }: Answer): void {
  if (kind !== 'response' || header(headers, 'wechatpay-signature') !== undefined) return;
  if (status >= 300 || (url !== undefined && isUnsignedByDesign(url))) {
    throw new PaycertError('answer-unsigned', 'WeChat Pay does not sign this kind of answer', { field: 'headers' });
  }
}

/** Overseas statements sign {"sha1":"…"} of the download, named in a header, instead of the download itself. */
function signedBody({ kind, headers, body }: Answer): Uint8Array {
  const sha1 = kind === 'response' ? header(headers, 'wechatpay-statement-sha1') : undefined;
  if (sha1 === undefined) return body;
  if (createHash('sha1').update(body).digest('hex') !== sha1.toLowerCase()) {
    throw new PaycertError('signature-invalid', 'the statement is not the one whose hash is signed');
  }
  return Buffer.from(JSON.stringify({ sha1 }));
}
