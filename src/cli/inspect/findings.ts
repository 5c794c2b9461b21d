// What one file holds, for `paycert inspect`: every certificate and key, under the name that its platform gives it. Never a secret.
import type { KeyObject, X509Certificate } from 'node:crypto';
import { basename } from 'node:path';
import { checkValue } from '../../crypto/cipher.ts';
import { readCertificates, readPrivateKey, readPublicKey, readText } from '../../crypto/containers.ts';
import { readPkcs12 } from '../../crypto/pkcs12.ts';
import { readRevocationLists, type RevocationList } from '../../crypto/revocation.ts';
import {
  certificateFingerprint,
  describeAlgorithm,
  nameAttribute,
  publicKeyFingerprint,
  wireSerial,
} from '../../crypto/x509.ts';
import { PaycertError } from '../../errors.ts';
import { readParts } from '../../providers/wechatpay/parts.ts';
import { describeAlipayCertificate, describeAlipayFile } from './alipay-findings.ts';
import type { Facts, Finding } from './finding.ts';
import { nameKey, secrets } from './key-names.ts';

export interface FileToInspect {
  readonly file: string;
  readonly bytes: Uint8Array;
  /** Of a PKCS#12 container, where one is known. */
  readonly password: string | undefined;
  readonly isListed: boolean;
}

/** @throws PaycertError for a file that holds nothing usable */
export async function findIn({ file, bytes, password, isListed }: FileToInspect): Promise<Finding[]> {
  const name = basename(file);
  const special = Object.hasOwn(named, name) ? named[name] : undefined;
  if (special !== undefined) return [{ file, ...(await special(bytes, name)) }];
  const alipay = describeAlipayFile(bytes, name);
  if (alipay !== undefined) return [{ file, ...alipay }];
  if (/\.(p12|pfx)$/.test(name)) return findInPkcs12(file, bytes, password);
  if (/\.crl(?:\.\d+)?$/.test(name)) return readRevocationLists(bytes, name).map((list) => describeList(file, list));
  const isArmoured = readText(bytes).includes('-----BEGIN ');
  const secret = Object.hasOwn(secrets, name) ? secrets[name] : undefined;
  if (secret !== undefined && !isArmoured) return [{ file, what: secret }];
  if (isListed && !/^(?:app_private_key|alipay_public_key)|\.(?:pem|key|crt|cer|der)$/.test(name) && !isArmoured)
    return [{ file, what: 'no key material' }];
  return splitPem(bytes).flatMap((block) => findInBlock(file, block));
}

/** Files that are known by their name alone. Whatever was pasted into them is judged before it is shown. */
const named: Readonly<Record<string, (bytes: Uint8Array, name: string) => Facts | Promise<Facts>>> = {
  apiv3_key: (bytes, name) => describeSymmetric(bytes, name, 'APIv3 key'),
  'apiv3_key.previous': (bytes, name) => describeSymmetric(bytes, name, 'previous APIv3 key'),
  merchant_serial: async (bytes, name) => ({
    what: 'serial number of the merchant certificate',
    ...withKeyId((await readPart(bytes, name)).merchantSerial),
  }),
  pub_key_id: async (bytes, name) => ({
    what: 'id of the WeChat Pay public key',
    ...withKeyId((await readPart(bytes, name)).publicKeyId),
  }),
  'apiclient_cert.p12.password': () => ({ what: 'password of apiclient_cert.p12' }),
};

const withKeyId = (keyId: string | undefined): { keyId?: string } => (keyId === undefined ? {} : { keyId });

/** As a sidecar would read it. */
async function readPart(bytes: Uint8Array, name: string) {
  const { parts, problems } = await readParts(new Map([[name, bytes]]), '');
  const [problem] = problems;
  if (problem !== undefined) throw problem;
  return parts;
}

/** Named by its check value, as in `paycert status`. */
async function describeSymmetric(bytes: Uint8Array, name: string, what: string): Promise<Facts> {
  const { apiV3Key, previousApiV3Key } = await readPart(bytes, name);
  const key = apiV3Key ?? previousApiV3Key;
  return {
    what: `${what} (${name})`,
    ...withKeyId(key && checkValue(key)),
    algorithm: 'AES-256-GCM',
  };
}

/** Each armoured block by itself, so that one file may hold a key and its chain; what is not armoured, whole. */
function splitPem(bytes: Uint8Array): Uint8Array[] {
  const text = readText(bytes);
  const blocks = text.match(/-----BEGIN ([^-]+)-----[\s\S]*?-----END \1-----/g) ?? [];
  const isCutOff = blocks.length < text.split('-----BEGIN ').length - 1;
  return blocks.length === 0 || isCutOff ? [bytes] : blocks.map((block) => Buffer.from(block));
}

const readers: readonly {
  readonly label: string;
  readonly find: (file: string, bytes: Uint8Array) => Finding[];
}[] = [
  {
    label: 'CERTIFICATE',
    find: (file, bytes) => readCertificates(bytes, file).map((one) => describeCertificate(file, one)),
  },
  {
    label: 'PUBLIC KEY',
    find: (file, bytes) => [describeKey(file, readPublicKey(bytes, file), nameKey('public key', basename(file)))],
  },
  {
    label: 'PRIVATE KEY',
    find: (file, bytes) => [describeKey(file, readPrivateKey(bytes, file), nameKey('private key', basename(file)))],
  },
];

/** Whatever it turns out to be; where it is nothing, what the reader that its label asks for says of it. */
function findInBlock(file: string, bytes: Uint8Array): Finding[] {
  const text = readText(bytes);
  const failures: { label: string; error: PaycertError }[] = [];
  for (const { label, find } of readers) {
    try {
      return find(file, bytes);
    } catch (error) {
      if (!(error instanceof PaycertError)) throw error;
      failures.push({ label, error });
    }
  }
  const failure = failures.find(({ label }) => text.includes(`${label}-----`)) ?? failures.at(-1);
  throw failure?.error ?? new PaycertError('pem-malformed', `${file} is neither key nor certificate`, { field: file });
}

async function findInPkcs12(file: string, bytes: Uint8Array, password: string | undefined): Promise<Finding[]> {
  try {
    const { privateKey, certificates } = await readPkcs12(bytes, password ?? '', file);
    return [
      describeKey(file, privateKey, 'private key'),
      ...certificates.map((certificate) => describeCertificate(file, certificate)),
    ];
  } catch (error) {
    if (password !== undefined || !(error instanceof PaycertError) || error.code !== 'pkcs12-password') throw error;
    throw new PaycertError('pkcs12-password', `${file} needs its password: give --merchant-id`, { field: file });
  }
}

const describeList = (file: string, { thisUpdate, nextUpdate, fingerprint }: RevocationList): Finding => ({
  file,
  what: 'revocation list',
  fingerprint,
  notBefore: thisUpdate,
  ...(nextUpdate && { notAfter: nextUpdate }),
});

function describeCertificate(file: string, certificate: X509Certificate): Finding {
  const alipay = describeAlipayCertificate(certificate);
  if (alipay !== undefined) return { file, ...alipay };
  return {
    file,
    what: nameCertificate(certificate),
    keyId: wireSerial(certificate.serialNumber),
    algorithm: describeAlgorithm(certificate.publicKey),
    fingerprint: certificateFingerprint(certificate),
    issuer: certificate.issuer.split('\n').join(', '),
    notBefore: certificate.validFromDate,
    notAfter: certificate.validToDate,
  };
}

/** By what certificates of WeChat Pay look like: the merchant id as common name, or the platform's own. */
function nameCertificate({ subject, ca }: X509Certificate): string {
  const commonName = nameAttribute(subject, 'CN') ?? '';
  if (/^\d{6,16}$/.test(commonName)) return `merchant certificate of ${commonName} (apiclient_cert.pem)`;
  if (commonName === 'Tenpay.com sign') return 'platform certificate (wechatpay_*.pem)';
  return ca ? 'CA certificate (trust.pem)' : 'certificate';
}

const describeKey = (file: string, key: KeyObject, what: string): Finding => ({
  file,
  what,
  algorithm: describeAlgorithm(key),
  fingerprint: publicKeyFingerprint(key),
});
