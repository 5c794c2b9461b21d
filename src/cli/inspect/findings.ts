// What one file holds, for `paycert inspect`: every certificate and key, under the name that its platform gives it. Never a secret.
import type { KeyObject, X509Certificate } from 'node:crypto';
import { basename } from 'node:path';
import { readCertificates, readPrivateKey, readPublicKey } from '../../crypto/containers.ts';
import { readText } from '../../crypto/text.ts';
import { readPkcs12 } from '../../crypto/pkcs12.ts';
import { readRevocationLists, type RevocationList } from '../../crypto/revocation.ts';
import { describeAlgorithm, publicKeyFingerprint } from '../../crypto/x509.ts';
import { PaycertError } from '../../errors.ts';
import type { FileName, Platform } from '../../providers/platform.ts';
import { platforms } from '../../providers/registry.ts';
import { createdAtFile } from '../../providers/shared/created-at.ts';
import { issuedFacts } from '../../providers/shared/facts.ts';
import type { Finding } from './finding.ts';

export interface FileToInspect {
  readonly file: string;
  readonly bytes: Uint8Array;
  /** Of a PKCS#12 container, where one is known. */
  readonly password: string | undefined;
  readonly isListed: boolean;
}

const all: readonly Platform[] = Object.values(platforms);

/** Every name that means something, whatever the platform. */
const fileNames: readonly FileName[] = [...all.flatMap((platform) => platform.fileNames), createdAtFile];

const nameOf = (file: string): FileName | undefined => fileNames.find(({ pattern }) => pattern.test(basename(file)));

/** @throws PaycertError for a file that holds nothing usable */
export async function findIn({ file, bytes, password, isListed }: FileToInspect): Promise<Finding[]> {
  const name = basename(file);
  const known = nameOf(file);
  // What was pasted into it is checked before it is shown.
  if (known?.describe !== undefined) return [{ file, ...(await known.describe(bytes, name)) }];
  if (/\.(p12|pfx)$/.test(name)) return findInPkcs12(file, bytes, password);
  if (/\.crl(?:\.\d+)?$/.test(name))
    return Promise.all(readRevocationLists(bytes, name).map((list) => describeList(file, list)));
  const isArmoured = readText(bytes).includes('-----BEGIN ');
  if (known?.holds === 'secret' && !isArmoured) return [{ file, what: known.what }];
  if (isListed && known === undefined && !/\.(?:pem|key|crt|cer|der)$/.test(name) && !isArmoured)
    return [{ file, what: 'no key material' }];
  return splitPem(bytes).flatMap((block) => findInBlock(file, block));
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
    find: (file, bytes) => [describeKey(file, readPublicKey(bytes, file), nameKey('public key', file))],
  },
  {
    label: 'PRIVATE KEY',
    find: (file, bytes) => [describeKey(file, readPrivateKey(bytes, file), nameKey('private key', file))],
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

const describeList = async (
  file: string,
  { thisUpdate, nextUpdate, fingerprint }: RevocationList,
): Promise<Finding> => ({
  file,
  what: 'revocation list',
  fingerprint: await fingerprint(),
  notBefore: thisUpdate,
  ...(nextUpdate && { notAfter: nextUpdate }),
});

function describeCertificate(file: string, certificate: X509Certificate): Finding {
  for (const platform of all) {
    const facts = platform.describeCertificate?.(certificate);
    if (facts !== undefined) return { file, ...facts };
  }
  return { file, ...issuedFacts(certificate, certificate.ca ? nameAuthority(file) : 'certificate') };
}

/** Under the name that it has, where that is one for authorities: trust.pem of WeChat Pay, ca.crt and NAME.ca.crt of TLS. */
function nameAuthority(file: string): string {
  const name = basename(file);
  return /^(?:trust\.pem|(?:.+\.)?ca\.crt)$/.test(name) ? `CA certificate (${name})` : 'CA certificate';
}

/** Whose a key is, its file's name says. */
function nameKey(kind: 'private key' | 'public key', file: string): string {
  const known = nameOf(file);
  return known?.holds === 'key' ? `${kind} (${known.what})` : kind;
}

const describeKey = (file: string, key: KeyObject, what: string): Finding => ({
  file,
  what,
  algorithm: describeAlgorithm(key),
  fingerprint: publicKeyFingerprint(key),
  publicKey: publicKeyFingerprint(key),
});
