// Writes X.509 certificates with P-256 keys (RFC 5280 §4.1), which node:crypto reads and does not issue: an authority and its leaf.
import { createHash, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { derTag, writeDer } from './der.ts';

export interface Issue {
  /** Of the subject, in the common name. */
  readonly name: string;
  /** Names that a leaf is for; an authority has none. */
  readonly hostNames?: readonly string[];
  readonly key: KeyObject;
  readonly issuer: { readonly name: string; readonly key: KeyObject };
  /** At least 8 bytes that nobody can guess, at most 20 (§4.1.2.2). */
  readonly serialNumber: Uint8Array;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

export const sequence = (...parts: readonly Uint8Array[]): Buffer => writeDer(derTag.sequence, ...parts);
export const oid = (hex: string): Buffer => writeDer(derTag.objectIdentifier, Buffer.from(hex, 'hex'));
const utf8String = 0x0c;
export const set = 0x31;
const explicit3 = 0xa3;
/** Implicit tags of GeneralName and AuthorityKeyIdentifier. */
export const dnsName = 0x82;
const keyIdentifier = 0x80;

export const ecdsaWithSha256 = sequence(oid('2a8648ce3d040302'));
const yes = writeDer(derTag.boolean, Buffer.from([0xff]));

export const nameOf = (text: string): Buffer =>
  sequence(writeDer(set, sequence(oid('550403'), writeDer(utf8String, Buffer.from(text)))));

/** §4.1.2.5: UTCTime until 2049, GeneralizedTime after. */
function writeTime(time: Date): Buffer {
  const text = time.toISOString().replaceAll(/[-:T]|\.\d+/g, '');
  const isShort = time.getUTCFullYear() < 2050;
  return writeDer(isShort ? derTag.utcTime : derTag.generalizedTime, Buffer.from(isShort ? text.slice(2) : text));
}

/** Positive, and as short as it may be. */
function writeInteger(bytes: Uint8Array): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0);
  const trimmed = Buffer.from(first === -1 ? [0] : bytes.subarray(first));
  return writeDer(derTag.integer, ...((trimmed[0] ?? 0) >= 0x80 ? [Buffer.from([0])] : []), trimmed);
}

export const publicDer = (key: KeyObject): Buffer => createPublicKey(key).export({ type: 'spki', format: 'der' });

/** §4.2.1.2, method 1 would be SHA-1: any value that is unique will do. */
const keyIdOf = (key: KeyObject): Buffer => createHash('sha256').update(publicDer(key)).digest().subarray(0, 20);

export const extension = (id: string, isCritical: boolean, value: Uint8Array): Buffer =>
  sequence(oid(id), ...(isCritical ? [yes] : []), writeDer(derTag.octetString, value));

/** digitalSignature, or keyCertSign and cRLSign: a bit string with as many unused bits. */
const keyUsage = (isAuthority: boolean): Buffer =>
  writeDer(derTag.bitString, Buffer.from(isAuthority ? [1, 0x06] : [7, 0x80]));

function extensionsOf({ hostNames, key, issuer }: Issue): Buffer {
  const isAuthority = hostNames === undefined;
  const common = [
    extension('551d13', true, isAuthority ? sequence(yes) : sequence()),
    extension('551d0f', true, keyUsage(isAuthority)),
    extension('551d0e', false, writeDer(derTag.octetString, keyIdOf(key))),
    extension('551d23', false, sequence(writeDer(keyIdentifier, keyIdOf(issuer.key)))),
  ];
  if (isAuthority) return sequence(...common);
  const names = hostNames.map((name) => writeDer(dnsName, Buffer.from(name, 'latin1')));
  // serverAuth.
  return sequence(...common, extension('551d25', false, sequence(oid('2b06010505070301'))), extension('551d11', false, sequence(...names))); // prettier-ignore
}

/** PEM. Signed by the issuer’s key, which is its own for an authority. */
export function issueCertificate(issue: Issue): string {
  const { name, key, issuer, serialNumber, notBefore, notAfter } = issue;
  const body = sequence(
    writeDer(derTag.explicit0, writeDer(derTag.integer, Buffer.from([2]))),
    writeInteger(serialNumber),
    ecdsaWithSha256,
    nameOf(issuer.name),
    sequence(writeTime(notBefore), writeTime(notAfter)),
    nameOf(name),
    publicDer(key),
    writeDer(explicit3, extensionsOf(issue)),
  );
  const signature = sign('sha256', body, issuer.key);
  const whole = sequence(body, ecdsaWithSha256, writeDer(derTag.bitString, Buffer.from([0]), signature));
  return toPem('CERTIFICATE', whole);
}

export function toPem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
