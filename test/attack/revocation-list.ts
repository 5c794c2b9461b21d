// DER of hostile material: revocation lists as an authority would make them, and what is nested.
import assert from 'node:assert/strict';
import { sign, X509Certificate } from 'node:crypto';
import { certificateParts } from '../../src/crypto/signed.ts';

export const der = (tag: number, ...contents: readonly Buffer[]): Buffer => {
  const content = Buffer.concat(contents);
  if (content.length < 128) return Buffer.concat([Buffer.of(tag, content.length), content]);
  // No octet more than it takes, or it is no DER.
  const digits = content.length.toString(16);
  const length = Buffer.from(digits.padStart(digits.length + (digits.length % 2), '0'), 'hex');
  return Buffer.concat([Buffer.of(tag, 0x80 + length.length), length, content]);
};

const time = (date: Date): Buffer => der(0x18, Buffer.from(`${date.toISOString().replace(/\D/g, '').slice(0, 14)}Z`));
const oneHour = 3_600_000;

interface ListOptions {
  readonly entries: number;
  readonly name: Buffer;
  readonly key: Parameters<typeof sign>[2];
}

/** A revocation list with so many entries, as an authority would make it; `key` need not be the authority's. */
export function makeList({ entries, name, key }: ListOptions): Buffer {
  const algorithm = der(0x30, Buffer.from('06092a864886f70d01010b', 'hex'), Buffer.of(0x05, 0));
  const at = time(new Date(Date.now() - oneHour));
  const serial = Buffer.alloc(12);
  const all = Array.from({ length: entries }, (_, index) => {
    serial.writeUInt32BE(index + 1, 4);
    serial[0] = 1;
    return der(0x30, der(0x02, Buffer.from(serial)), at);
  });
  const next = time(new Date(Date.now() + 24 * oneHour));
  const tbs = der(0x30, der(0x02, Buffer.of(1)), algorithm, name, at, next, der(0x30, Buffer.concat(all)));
  return der(0x30, tbs, algorithm, der(0x03, Buffer.of(0), sign('sha256', tbs, key)));
}

/** The name that stands in lists of that authority, to the byte: of another form of it nothing would be verified. */
export function subjectOf(pem: string): Buffer {
  const subject = certificateParts(new X509Certificate(pem))?.subject.whole;
  assert.ok(subject, 'it is a certificate');
  return subject;
}
