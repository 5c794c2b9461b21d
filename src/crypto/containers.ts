// The key or the certificates that a file should hold. Every failure is one material error that says what the file holds instead.
import type { KeyObject, X509Certificate } from 'node:crypto';
import { type ErrorCode, PaycertError } from '../errors.ts';
import { looksEncrypted, parseCertificate, parsePrivate, parsePublic } from './der-keys.ts';
import { isKeyReference } from './key-reference.ts';
import { type Block, readBlocks } from './pem.ts';
import { readText } from './text.ts';

const claimsCertificate = ({ label }: Block): boolean => label?.endsWith('CERTIFICATE') === true;

const isCertificate = (block: Block): boolean => claimsCertificate(block) || parseCertificate(block.der) !== undefined;

/** A private key from PKCS#1, PKCS#8 or SEC1, in PEM, DER or bare base64. Algorithm and size are checked elsewhere. */
export function readPrivateKey(bytes: Uint8Array, field: string): KeyObject {
  if (isKeyReference(bytes))
    throw new PaycertError('key-must-be-local', `${field} refers to a key of a key service, and the key itself is needed`, { field }); // prettier-ignore
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
  if (block.label === 'EC PARAMETERS')
    return fail('private-key-malformed', 'names a curve and holds no private key: copy its EC PRIVATE KEY block too');
  if (looksEncrypted(block.der)) return fail('private-key-encrypted', 'is protected by a passphrase');
  return fail('private-key-malformed', 'holds no private key that can be read (PKCS#1, PKCS#8, SEC1)');
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
