// Alipay material by name → its parts. Collects every problem instead of stopping at the first.
import type { KeyObject, X509Certificate } from 'node:crypto';
import { aesKey } from '../../crypto/cipher.ts';
import { readCertificates, readCertificatesThatParse, readPublicKey } from '../../crypto/containers.ts';
import { readText } from '../../crypto/text.ts';
import { keyReader, type PrivateKey, type RemoteKeys } from '../../crypto/private-key.ts';
import { PaycertError } from '../../errors.ts';
import { materialReader, type NamedKey, readSecret } from '../shared/material.ts';
import type { Settings } from './options.ts';

/** The first certificate of a file, and those that follow it. */
export interface NamedChain {
  readonly name: string;
  readonly leaf: X509Certificate;
  readonly intermediates: readonly X509Certificate[];
}

export interface Roots {
  readonly name: string;
  readonly certificates: readonly X509Certificate[];
  /** How many certificates of the file cannot be read; the genuine file holds some that strict parsers refuse. */
  readonly unreadable: number;
}

/** What one read of Alipay material holds. rules.ts says what an absent part means. */
export interface Parts {
  /** One, unless the same key was left under several names; different ones are a violation. */
  readonly privateKeys: readonly (readonly [name: string, key: PrivateKey])[];
  readonly appCertificates: readonly NamedChain[];
  readonly alipayCertificates: readonly NamedChain[];
  readonly roots?: Roots;
  /** Current first, then the previous one. */
  readonly alipayPublicKeys: readonly NamedKey[];
  /** Current first, then the previous one. */
  readonly aesKeys: readonly NamedKey[];
}

type Data = ReadonlyMap<string, Uint8Array>;

const certificateFile = (stem: string): RegExp => new RegExp(`^${stem}[^/]*\\.(?:crt|cer|pem)$`);

/**
 * As consoles and Alipay's key tool call their files; the tool writes bare base64 into `.txt`. Its own name of the private key,
 * `应用私钥RSA2048-敏感数据，请妥善保管.txt`, cannot be that of a Secret's key, and is read from a directory.
 */
export const names = {
  privateKey: /^(?:app_private_key(?:\.pem|\.txt)?|应用私钥[^/]*\.txt)$/,
  appCertificate: certificateFile('appCertPublicKey'),
  alipayCertificate: certificateFile('alipayCertPublicKey'),
  roots: certificateFile('alipayRootCert'),
  publicKey: /^(?:alipay_public_key(?:\.pem|\.txt)?|alipayPublicKey_RSA2\.txt|支付宝公钥[^/]*\.txt)$/,
  previousPublicKey: /^alipay_public_key\.previous$/,
  aesKey: /^aes_key$/,
  previousAesKey: /^aes_key\.previous$/,
} as const;

/** What each mode alone reads: the other's files are left unread, and so are listed as such. */
const only = {
  certificate: [names.appCertificate, names.alipayCertificate, names.roots],
  key: [names.publicKey, names.previousPublicKey],
} as const;

/** Files that the other mode reads, in the order of their names. */
export const unreadIn = (data: Data, mode: Settings['mode']): readonly string[] =>
  [...data.keys()].filter((name) => only[mode === 'key' ? 'certificate' : 'key'].some((one) => one.test(name))).sort();

/** Reads what is there under the names that Alipay gives its files; other names, and those of the other mode, are ignored. */
export function readParts(
  data: Data,
  mode?: Settings['mode'],
  remote?: RemoteKeys,
): { parts: Parts; problems: PaycertError[] } {
  const unread = new Set(mode === undefined ? [] : unreadIn(data, mode));
  const { part: readPart, problems } = materialReader(data);
  const read = <T>(pattern: RegExp, reader: (bytes: Uint8Array, field: string) => T): { name: string; part: T }[] =>
    [...data.keys()]
      .filter((name) => pattern.test(name) && !unread.has(name))
      .sort()
      .flatMap((name) => {
        const part = readPart(name, reader);
        return part === undefined ? [] : [{ name, part }];
      });
  const keys = <K>(pattern: RegExp, reader: (bytes: Uint8Array, field: string) => K) =>
    read(pattern, reader).map(({ name, part }) => [name, part] as const);
  const chains = (pattern: RegExp): NamedChain[] =>
    read(pattern, readCertificates).map(({ name, part: [leaf, ...intermediates] }) => ({ name, leaf, intermediates }));
  const [roots] = read(names.roots, readRoots);
  return {
    parts: {
      privateKeys: keys(names.privateKey, keyReader(remote)),
      appCertificates: chains(names.appCertificate),
      alipayCertificates: chains(names.alipayCertificate),
      ...(roots && { roots: { name: roots.name, ...roots.part } }),
      alipayPublicKeys: [...keys(names.publicKey, readPublicKey), ...keys(names.previousPublicKey, readPublicKey)],
      aesKeys: [...keys(names.aesKey, readAesKey), ...keys(names.previousAesKey, readAesKey)],
    },
    problems,
  };
}

/** Blocks that do not parse are passed over: the file of the platform itself has had some. */
function readRoots(bytes: Uint8Array, field: string): Omit<Roots, 'name'> {
  const roots = readCertificatesThatParse(bytes);
  if (roots.certificates.length > 0) return roots;
  throw new PaycertError('certificate-malformed', `${field} holds no certificate that can be read`, { field });
}

/** The console shows 16 bytes in base64 (protocols 2.5). */
function readAesKey(bytes: Uint8Array, field: string): KeyObject {
  const refuse = (what: string) => new PaycertError('aes-key-malformed', `${field} ${what}`, { field });
  readSecret(bytes, 'issued', refuse);
  const text = readText(bytes);
  if (!/^[A-Za-z0-9+/]{22}==$/.test(text)) throw refuse('is not 16 bytes in base64');
  return aesKey(Buffer.from(text, 'base64'));
}
