// Key files in their formats: PKCS#1, PKCS#8, SPKI; in PEM, DER or bare base64.
import { createPublicKey, type KeyObject } from 'node:crypto';
import { readCertificates, readPrivateKey, readPublicKey } from '../../src/crypto/containers.ts';
import { readText } from '../../src/crypto/text.ts';
import { describeAlgorithm, publicKeyFingerprint } from '../../src/crypto/x509.ts';
import type { Situation } from './situation.ts';

/** The bytes inside the armour, if there is one. */
function unwrap(bytes: Buffer): Buffer {
  if (bytes[0] === 0x30 && (bytes[1] ?? 0) >= 0x80) return bytes;
  return Buffer.from(readText(bytes).replace(/-----[^-]+-----/g, ''), 'base64');
}

const privateFormats: readonly (readonly [string, (key: KeyObject) => Buffer])[] = [
  ['PKCS#1', (key) => key.export({ type: 'pkcs1', format: 'der' })],
  ['PKCS#8', (key) => key.export({ type: 'pkcs8', format: 'der' })],
];

const publicFormats: typeof privateFormats = [
  // OpenSSL 3.5 cannot write a public key as PKCS#1 that it has read as PKCS#1; through SPKI it can.
  ['PKCS#1', (key) => throughSpki(key).export({ type: 'pkcs1', format: 'der' })],
  ['SPKI', (key) => key.export({ type: 'spki', format: 'der' })],
];

const throughSpki = (key: KeyObject): KeyObject =>
  createPublicKey({ key: key.export({ type: 'spki', format: 'der' }), type: 'spki', format: 'der' });

/** What the file holds, whatever its first line says: the format in which the key, as the product read it, is these bytes. */
function formatOf(bytes: Buffer, key: KeyObject): string {
  const formats = key.type === 'private' ? privateFormats : publicFormats;
  return formats.find(([, write]) => write(key).equals(unwrap(bytes)))?.[0] ?? 'another format';
}

/** `PKCS#1`, `pkcs8`, `PKCS#1 (BEGIN RSA PUBLIC KEY)`: what stands in brackets is the armour. */
function isCalled(name: string, format: string, bytes: Buffer): boolean {
  const [, main = '', armour] = /^([^(]*?)\s*(?:\((BEGIN [^)]*)\))?$/i.exec(name) ?? [];
  const plain = (text: string) => text.toLowerCase().replace(/[^a-z0-9]/g, '');
  return plain(main).startsWith(plain(format)) && (armour === undefined || bytes.includes(`-----${armour}-----`));
}

function checkOne(situation: Situation, what: 'private' | 'public', bytes: Buffer, key: KeyObject): void {
  const format = situation.expectsText(`${what}_format`, `${what}_key_format`, 'format');
  const actual = formatOf(bytes, key);
  if (format !== undefined) situation.assert(isCalled(format, actual, bytes), `the ${what} key is ${actual}`);
  const bits = situation.expects(`${what}_bits`, 'bits', 'key_size', 'key_bits', 'modulus_bits', 'modulus_length');
  if (bits !== undefined) situation.equal('the key’s size', key.asymmetricKeyDetails?.modulusLength, bits);
  const algorithm = situation.expectsText('algorithm', 'key_type', 'type');
  if (algorithm !== undefined) {
    situation.assert(describeAlgorithm(key).startsWith(algorithm.toUpperCase().slice(0, 3)), 'the algorithm differs');
  }
}

export async function checkKeys(situation: Situation): Promise<void> {
  const privateBytes = situation.material('private_key', 'key', 'merchant_private_key');
  const publicBytes = situation.material('public_key', 'wechatpay_public_key');
  const certificateBytes = situation.material('certificate', 'cert');
  const read = await situation.run(() => ({
    privateKey: privateBytes && readPrivateKey(privateBytes, 'private_key'),
    publicKey: publicBytes && readPublicKey(publicBytes, 'public_key'),
    certified: certificateBytes && readCertificates(certificateBytes, 'certificate')[0].publicKey,
  }));
  if (read === undefined) return;
  if (privateBytes && read.privateKey) checkOne(situation, 'private', privateBytes, read.privateKey);
  if (publicBytes && read.publicKey) checkOne(situation, 'public', publicBytes, read.publicKey);
  const other = read.publicKey ?? read.certified;
  const isPair = situation.expects('pair_matches', 'matches', 'match', 'is_pair', 'certificate_matches');
  if (isPair !== undefined && read.privateKey && other) {
    situation.equal(
      'whether the keys are a pair',
      publicKeyFingerprint(read.privateKey) === publicKeyFingerprint(other),
      isPair,
    );
  }
  for (const key of situation.expectedKeys(/^(?:private_)?key_matches_./)) {
    const name = key.replace(/^.*?key_matches_/, '');
    const bytes = situation.material(name, `${name}_certificate`, ...(name === 'cert' ? ['certificate'] : []));
    if (bytes === undefined || read.privateKey === undefined) continue;
    const { publicKey } = readCertificates(bytes, name)[0];
    const isSame = publicKeyFingerprint(read.privateKey) === publicKeyFingerprint(publicKey);
    situation.equal('whether the key belongs to the certificate', isSame, situation.expects(key));
  }
  const digest = situation.expectsText('spki_sha256', 'public_key_sha256', 'private_key_spki_sha256');
  const key = other ?? (read.privateKey && createPublicKey(read.privateKey));
  if (digest !== undefined && key)
    situation.equal('the public key’s digest', publicKeyFingerprint(key), digest.toLowerCase());
}
