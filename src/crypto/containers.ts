// What keys and certificates come wrapped in: PEM, DER, bare base64. Every throw of a foreign parser becomes one material error.
import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { type ErrorCode, PaycertError } from '../errors.ts';
import { foreignForm, isDer, readText } from './foreign-forms.ts';

export { readText } from './foreign-forms.ts';

interface Block {
  /** What the armour says, such as `RSA PRIVATE KEY`; absent for DER and bare base64. */
  readonly label?: string;
  readonly der: Buffer;
}

function decodeBase64(text: string, field: string): Buffer {
  const packed = text.replace(/\s+/g, '');
  // Buffer.from never throws: it would turn a pasted sentence into some bytes.
  if (packed === '' || packed.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(packed)) {
    throw new PaycertError('pem-malformed', `${field} is not valid base64: cut off, or pasted with other text`, {
      field,
    });
  }
  return Buffer.from(packed, 'base64');
}

function* readArmour(text: string, field: string): Generator<Block> {
  let at = text.indexOf('-----BEGIN ');
  while (at !== -1) {
    const labelEnd = text.indexOf('-----', at + 11);
    const label = labelEnd === -1 ? '' : text.slice(at + 11, labelEnd);
    const end = label === '' ? -1 : text.indexOf(`-----END ${label}-----`, labelEnd);
    if (end === -1) {
      throw new PaycertError('pem-malformed', `${field} has a BEGIN line without its END line: the file is cut off`, {
        field,
      });
    }
    const body = text.slice(labelEnd + 5, end);
    if (body.includes('Proc-Type:') || label === 'ENCRYPTED PRIVATE KEY') {
      throw new PaycertError('private-key-encrypted', `${field} is protected by a passphrase`, { field });
    }
    yield { label, der: decodeBase64(body, field) };
    at = text.indexOf('-----BEGIN ', end);
  }
}

/** Of a Secret that nobody has filled yet, or of a writer that was interrupted: nobody has pasted anything. */
export const isBlank = (bytes: Uint8Array): boolean => bytes.byteLength < 64 && readText(bytes) === '';

function readBlocks(bytes: Uint8Array, field: string): Block[] {
  if (isBlank(bytes)) throw new PaycertError('part-empty', `${field} is empty`, { field });
  const foreign = foreignForm(bytes);
  if (foreign !== undefined) throw new PaycertError('format-foreign', `${field} ${foreign}`, { field });
  if (isDer(bytes)) return [{ der: Buffer.from(bytes) }];
  const text = readText(bytes);
  return text.includes('-----BEGIN ') ? [...readArmour(text, field)] : [{ der: decodeBase64(text, field) }];
}

/** The first attempt that does not throw. */
function firstOf<T>(attempts: readonly (() => T)[]): T | undefined {
  for (const attempt of attempts) {
    try {
      return attempt();
    } catch {
      // A foreign parser says no in its own words; the caller says it in ours.
    }
  }
  return undefined;
}

const isOdd = (base64Url = ''): boolean => ((Buffer.from(base64Url, 'base64url').at(-1) ?? 0) & 1) === 1;

/**
 * OpenSSL takes any numbers for an RSA key. With an even modulus it throws when the key is used; an even exponent can not
 * be undone; with the exponent 1 the signature is the message, which everybody can write; and an exponent larger than 64
 * bits it refuses when a key is used, if the modulus is long or no longer than it. Real ones are 3 or 65537.
 */
function assertUsable(key: KeyObject): KeyObject {
  if (key.asymmetricKeyType !== 'rsa') return key;
  const { n, e } = (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'jwk' });
  const { publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
  if (!isOdd(n) || !isOdd(e) || publicExponent === 1n || publicExponent >= 2n ** 64n)
    throw new Error('numbers of no RSA key');
  return key;
}

/**
 * OpenSSL reads these only when they are asked for, and then throws, or Node returns no name. An invalid date
 * the text says so ("Bad time value"); the Date that Node makes of it comes from memory that nobody has set.
 */
function assertWhole(certificate: X509Certificate): X509Certificate {
  assertUsable(certificate.publicKey);
  const { subject, issuer, validFrom, validTo } = certificate as {
    readonly [K in keyof X509Certificate]?: unknown;
  };
  const isDated = [validFrom, validTo].every((date) => !Number.isNaN(Date.parse(String(date))));
  if (subject === undefined || issuer === undefined || !isDated) throw new Error('a name or a date is missing');
  return certificate;
}

// The armour's label is not trusted: files with PKCS#1 under a PKCS#8 label, and the other way round, are common.
const parsePrivate = (key: Buffer): KeyObject | undefined =>
  firstOf(
    (['pkcs8', 'pkcs1', 'sec1'] as const).map(
      (type) => () => assertUsable(createPrivateKey({ key, format: 'der', type })),
    ),
  );

const parsePublic = (key: Buffer): KeyObject | undefined =>
  firstOf(
    (['spki', 'pkcs1'] as const).map((type) => () => assertUsable(createPublicKey({ key, format: 'der', type }))),
  );

const parseCertificate = (der: Buffer): X509Certificate | undefined =>
  firstOf([() => assertWhole(new X509Certificate(der))]);

const claimsCertificate = ({ label }: Block): boolean => label?.endsWith('CERTIFICATE') === true;

const isCertificate = (block: Block): boolean => claimsCertificate(block) || parseCertificate(block.der) !== undefined;

/**
 * PKCS#8 EncryptedPrivateKeyInfo (RFC 5958 §3): SEQUENCE { SEQUENCE { OID …, in hex, the OID being one of PKCS#5 or
 * PKCS#12. Public keys and certificates begin alike, up to the OID.
 */
const encryptedHead = /^30(?:[0-7].|81..|82.{4})30(?:[0-7].|81..)06..2a864886f70d01(?:05|0c)/;

const looksEncrypted = (der: Buffer): boolean => encryptedHead.test(der.subarray(0, 32).toString('hex'));

/** A private key from PKCS#1, PKCS#8 or SEC1, in PEM, DER or bare base64. Algorithm and size are judged elsewhere. */
export function readPrivateKey(bytes: Uint8Array, field: string): KeyObject {
  const blocks = readBlocks(bytes, field);
  const block = blocks.find(({ label }) => label?.endsWith('PRIVATE KEY')) ?? blocks[0];
  const key = block && parsePrivate(block.der);
  if (key !== undefined) return key;
  const fail = (code: ErrorCode, what: string): never => {
    throw new PaycertError(code, `${field} ${what}`, { field });
  };
  if (block === undefined) return fail('private-key-malformed', 'holds no private key');
  if (isCertificate(block)) return fail('private-key-is-public', 'holds a certificate, not a private key');
  if (parsePublic(block.der)) return fail('private-key-is-public', 'holds a public key, not a private key');
  if (looksEncrypted(block.der)) return fail('private-key-encrypted', 'is protected by a passphrase');
  return fail('private-key-malformed', 'holds no private key that can be read (PKCS#1, PKCS#8)');
}

/** A public key from SPKI or PKCS#1, in PEM, DER or bare base64. */
export function readPublicKey(bytes: Uint8Array, field: string): KeyObject {
  const blocks = readBlocks(bytes, field);
  // Before anything else: node:crypto would derive the public half of a private key.
  if (blocks.some(({ label, der }) => label?.endsWith('PRIVATE KEY') === true || parsePrivate(der) !== undefined)) {
    throw new PaycertError('public-key-is-private', `${field} holds a private key, not a public key`, { field });
  }
  const [block] = blocks;
  const key = block && parsePublic(block.der);
  if (key !== undefined) return key;
  const what = block && isCertificate(block) ? 'a certificate, not a public key' : 'no public key that can be read';
  throw new PaycertError('public-key-malformed', `${field} holds ${what} (SPKI, PKCS#1)`, { field });
}

/** The certificates of a file of which some may be unreadable: those that can be read, and how many cannot. */
export function readCertificatesThatParse(bytes: Uint8Array): {
  readonly certificates: readonly X509Certificate[];
  readonly unreadable: number;
} {
  const blocks = readText(bytes)
    .split('-----BEGIN CERTIFICATE-----', maxCertificates + 1)
    .slice(1);
  const certificates = blocks.flatMap((block) => {
    const [body = ''] = block.split('-----END CERTIFICATE-----');
    return parseCertificate(Buffer.from(body, 'base64')) ?? [];
  });
  return { certificates, unreadable: blocks.length - certificates.length };
}

/** More than the bundle of every public authority. Each takes a tenth of a millisecond to read, and is compared with others. */
const maxCertificates = 200;

/** The certificates of a file, in its order: the leaf first. Never empty; keys beside them are passed over. */
export function readCertificates(bytes: Uint8Array, field: string): [X509Certificate, ...X509Certificate[]] {
  const blocks = readBlocks(bytes, field);
  if (blocks.length > maxCertificates)
    throw new PaycertError('certificates-too-many', `${field} holds more than ${maxCertificates} PEM blocks`, {
      field,
    });
  const certificates: X509Certificate[] = [];
  for (const block of blocks) {
    const certificate = parseCertificate(block.der);
    if (certificate !== undefined) certificates.push(certificate);
    else if (parsePrivate(block.der) === undefined && claimsCertificate(block)) {
      throw new PaycertError('certificate-malformed', `${field} holds a certificate that cannot be read`, { field });
    }
  }
  const [leaf, ...chain] = certificates;
  if (leaf !== undefined) return [leaf, ...chain];
  if (blocks.some(({ der }) => (parsePrivate(der) ?? parsePublic(der)) !== undefined)) {
    throw new PaycertError('certificate-is-not', `${field} holds a key where a certificate belongs`, { field });
  }
  throw new PaycertError('certificate-malformed', `${field} holds no certificate that can be read`, { field });
}

/** The DER of every block with that label; of DER or bare base64, the one. */
export function readDerBlocks(bytes: Uint8Array, field: string, label: string): readonly Buffer[] {
  return readBlocks(bytes, field)
    .filter((block) => block.label === undefined || block.label === label)
    .map(({ der }) => der);
}
