// What WeChat Pay v2 signs: sorted parameters followed by the APIv2 key; and how a refund notification's req_info opens.
import { aesKey, openAesEcb } from '../../crypto/cipher.ts';
import { equalCodes, hmacSha256Over, md5 } from '../../crypto/mac.ts';
import { Message } from '../../crypto/message.ts';
import type { KeyObject } from 'node:crypto';
import { PaycertError } from '../../errors.ts';
import { joinPairs, type Pair, sortPairs } from '../shared/parameters.ts';
import { interfaceAt } from './interfaces.ts';

export type SignType = 'MD5' | 'HMAC-SHA256';

/** A row per `sign_type`: the code of the text followed by the key. */
const algorithms: Readonly<Record<SignType, (key: KeyObject, text: Message) => Buffer>> = {
  MD5: (key, text) => text.continueMd5().update(key.export()).digest(),
  'HMAC-SHA256': (key, { bytes }) => hmacSha256Over(key, bytes, key),
};

/** Every parameter that is not empty, but `sign`: `k=v` raw, in byte order, joined by `&`. */
export function parameterText(parameters: readonly Pair[]): string {
  return joinPairs(sortPairs(parameters.filter(([name, value]) => name !== 'sign' && value !== '')));
}

/** What is signed, but for the key, which follows it. */
export const signedText = (parameters: readonly Pair[]): Message =>
  new Message(Buffer.from(`${parameterText(parameters)}&key=`));

/** Upper-case hex, as it stands in `sign`. */
const codeOf = (type: SignType, key: KeyObject, text: Message): string =>
  algorithms[type](key, text).toString('hex').toUpperCase();

export const signParameters = (type: SignType, key: KeyObject, parameters: readonly Pair[]): string =>
  codeOf(type, key, signedText(parameters));

export const isSignType = (text: string): text is SignType => Object.hasOwn(algorithms, text);

/**
 * How `sign` is made. Responses do not always say it; the length of `sign` does.
 * @throws PaycertError `signature-algorithm-unsupported`
 */
export function signTypeOf(named: string, sign: string): SignType {
  const type = named === '' ? (sign.length === 64 ? 'HMAC-SHA256' : 'MD5') : named;
  if (isSignType(type)) return type;
  const message = 'sign_type is neither MD5 nor HMAC-SHA256';
  throw new PaycertError('signature-algorithm-unsupported', message, { field: 'sign_type' });
}

export const isSignedBy = (key: KeyObject, text: Message, sign: string, type: SignType): boolean =>
  equalCodes(Buffer.from(codeOf(type, key, text)), Buffer.from(sign.toUpperCase()));

/** The key of `req_info`: the lower-case hex of the MD5 of the APIv2 key, as 32 characters. Built once per load. */
export function refundKey(key: KeyObject): KeyObject {
  return aesKey(Buffer.from(md5(key).toString('hex')));
}

/** The XML inside `req_info`, or nothing where this key does not open it. */
export function openRefund(key: KeyObject, sealed: string): Buffer | undefined {
  return openAesEcb(key, Buffer.from(sealed, 'base64'));
}

// Responses without `sign`: red packets and transfers, downloads, reports, risk, what concerns sub-merchants and the sandbox.
const unsignedPaths = [
  /^\/mmpaymkttransfers\/(?:gethbinfo|gettransferinfo|send\w*hb|send\w*redpack|queryworkwxredpack)$/,
  /^\/mmpaymkttransfers\/promotion\/(?:transfers|(?:pay|query)wwsptrans2pocket)$/,
  /^\/mmpaysptrans\/(?:pay|query)_bank$/,
  /^\/risk\/get(?:publickey|violation)$/,
  /^\/mchrisk\/(?:querymchrisk|setmchriskcallback|syncmchriskresult)$/,
  /^\/secapi\/mch\/submchmanage$/,
  /^\/xdc\/apiv2getsignkey\/sign\/getsignkey$/,
  /^\/pay\/download(?:bill|fundflow)$/,
  /^\/payitil\/report$/,
];

/** Whether a response to this address is unsigned by design. */
export function isUnsignedByDesign(url: string): boolean {
  const path = interfaceAt(url);
  return unsignedPaths.some((pattern) => pattern.test(path));
}
