// The files of WeChat Pay: what their names mean, and what its certificates look like.
import type { X509Certificate } from 'node:crypto';
import { checkValue } from '../../crypto/check-value.ts';
import type { FileFacts, FileName } from '../platform.ts';
import { issuedFacts } from '../shared/facts.ts';
import { isPlatformOfWechat, merchantIdOf } from '../shared/holder.ts';
import { type Parts, readParts } from './parts.ts';

/** As a sidecar would read it. */
async function readPart(bytes: Uint8Array, name: string): Promise<Parts> {
  const { parts, problems } = await readParts(new Map([[name, bytes]]), '');
  const [problem] = problems;
  if (problem !== undefined) throw problem;
  return parts;
}

const withKeyId = (keyId: string | undefined): { keyId?: string } => (keyId === undefined ? {} : { keyId });

/** Named by its check value, as in `paycert status`. */
const describeSymmetric = (what: string) => async (bytes: Uint8Array, name: string) => {
  const { apiV3Key, previousApiV3Key } = await readPart(bytes, name);
  const key = apiV3Key ?? previousApiV3Key;
  return { what, ...withKeyId(key && (await checkValue(key))), algorithm: 'AES-256-GCM' };
};

const symmetric = (pattern: RegExp, what: string): FileName => ({
  pattern,
  what,
  holds: 'secret',
  describe: describeSymmetric(what),
});

const named = (pattern: RegExp, what: string, keyIdOf: (parts: Parts) => string | undefined): FileName => ({
  pattern,
  what,
  holds: 'secret',
  describe: async (bytes, name) => ({ what, ...withKeyId(keyIdOf(await readPart(bytes, name))) }),
});

const password = 'password of apiclient_cert.p12';

export const fileNames: readonly FileName[] = [
  { pattern: /^apiclient_key\.pem$/, what: 'merchant API key: apiclient_key.pem', holds: 'key' },
  { pattern: /^pub_key\.pem$/, what: 'WeChat Pay public key: pub_key.pem', holds: 'key' },
  symmetric(/^apiv3_key$/, 'APIv3 key (apiv3_key)'),
  symmetric(/^apiv3_key\.previous$/, 'previous APIv3 key (apiv3_key.previous)'),
  named(/^merchant_serial$/, 'serial number of the merchant certificate', ({ merchantSerial }) => merchantSerial),
  named(/^pub_key_id$/, 'id of the WeChat Pay public key', ({ publicKeyId }) => publicKeyId),
  {
    pattern: /^apiclient_cert\.p12\.password$/,
    what: password,
    holds: 'secret',
    describe: () => ({ what: password }),
  },
];

/** Known by what they look like: the merchant id as common name, or the platform's own. */
export function describeCertificate(certificate: X509Certificate): FileFacts | undefined {
  const merchantId = merchantIdOf(certificate);
  if (merchantId !== undefined)
    return issuedFacts(certificate, `merchant certificate of ${merchantId} (apiclient_cert.pem)`);
  return isPlatformOfWechat(certificate)
    ? issuedFacts(certificate, 'platform certificate (wechatpay_*.pem)')
    : undefined;
}
