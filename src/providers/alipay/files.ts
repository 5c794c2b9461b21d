// The files of Alipay: what their names mean, and its certificates with the SN that requests and responses name them by.
import type { X509Certificate } from 'node:crypto';
import { checkValue } from '../../crypto/check-value.ts';
import { describeAlgorithm } from '../../crypto/x509.ts';
import type { FileFacts, FileName } from '../platform.ts';
import { issuedFacts } from '../shared/facts.ts';
import { appIdOf } from '../shared/holder.ts';
import { names, type Parts, readParts } from './parts.ts';
import { isRsaSigned, rootSerialOf, serialOf } from './serials.ts';
import { environmentOf } from './trust.ts';

/** As a sidecar would read it. */
function readPart(bytes: Uint8Array, name: string): Parts {
  const { parts, problems } = readParts(new Map([[name, bytes]]));
  const [problem] = problems;
  if (problem !== undefined) throw problem;
  return parts;
}

/** They count together. */
function describeRoots(bytes: Uint8Array, name: string): FileFacts {
  const { certificates = [], unreadable = 0 } = readPart(bytes, name).roots ?? {};
  const counted = certificates.filter(isRsaSigned);
  return {
    what: `Alipay roots, ${counted.length} of ${certificates.length + unreadable} count (alipay_root_cert_sn)`,
    keyId: rootSerialOf(counted),
    algorithm: [...new Set(counted.map(({ publicKey }) => describeAlgorithm(publicKey)))].join(', '),
  };
}

async function describeAes(bytes: Uint8Array, name: string): Promise<FileFacts> {
  const [aes] = readPart(bytes, name).aesKeys;
  const what = `AES key of Alipay’s contents (${name})`;
  return { what, ...(aes && { keyId: await checkValue(aes[1]) }), algorithm: 'AES-128-CBC' };
}

const aes = 'AES key of Alipay’s contents';

export const fileNames: readonly FileName[] = [
  { pattern: names.privateKey, what: 'the application’s, of Alipay: app_private_key', holds: 'key' },
  // The key tool's: of no use here, and easily taken for Alipay's.
  { pattern: /^应用公钥[^/]*\.txt$/, what: 'the application’s: enter it in Alipay’s console', holds: 'key' },
  { pattern: names.publicKey, what: 'Alipay’s: alipay_public_key', holds: 'key' },
  { pattern: names.previousPublicKey, what: 'Alipay’s: alipay_public_key', holds: 'key' },
  { pattern: names.aesKey, what: aes, holds: 'secret', describe: describeAes },
  { pattern: names.previousAesKey, what: aes, holds: 'secret', describe: describeAes },
  { pattern: names.roots, what: 'Alipay roots', holds: 'certificates', describe: describeRoots },
];

/** A certificate that Alipay issued, to itself or to an application. */
export function describeCertificate(certificate: X509Certificate): FileFacts | undefined {
  const environment = environmentOf(certificate);
  if (environment === undefined || certificate.issuer === certificate.subject || certificate.ca) return undefined;
  const appId = appIdOf(certificate);
  const where = environment === 'sandbox' ? ', sandbox' : '';
  const what =
    appId === undefined
      ? `Alipay’s certificate${where} (alipayCertPublicKey_RSA2*.crt, alipay_cert_sn)`
      : `application certificate of ${appId}${where} (appCertPublicKey*.crt, app_cert_sn)`;
  return issuedFacts(certificate, what, serialOf(certificate));
}
