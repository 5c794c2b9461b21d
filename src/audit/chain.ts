// The chain of an audit: each line carries the digest of the one before it and its own, so that a change shows.
import { hash } from 'node:crypto';

/** The last line of a chain. */
export interface Head {
  readonly seq: number;
  readonly hash: string;
}

/** What is published of a line: its number, and the beginning of its digest as a number. */
export interface KnownEnd {
  readonly seq: number;
  readonly number: number;
}

/** Before the first line. */
export const beginning: Head = { seq: 0, hash: '' };

/** Of what a line says. */
export type Digest = (text: string) => string;

/** With a key, nobody who has only the lines can make others in their place. Keep what it returns: a key is prepared once. */
export const digestWith = (key: string | undefined): Digest =>
  key === undefined ? (text) => hash('sha256', text) : hmacWith(Buffer.from(key));

/** The same for a key that may change, prepared again once it has. */
export function digestFollowing(): (key: string | undefined) => Digest {
  let [known, digest]: [string | undefined, Digest] = [undefined, digestWith(undefined)];
  return (key) => {
    if (key !== known) [known, digest] = [key, digestWith(key)];
    return digest;
  };
}

/** Of a digest, in hexadecimal. */
const digits = 64;
const blockBytes = 64;

/** Longer than almost every line: each is written where the one before it was. */
const scratchBytes = 4096;

/** HMAC-SHA-256 (RFC 2104) by one-shot digests: createHmac makes an object for each line that the collector of garbage has to end. */
function hmacWith(key: Uint8Array): Digest {
  const block = Buffer.alloc(blockBytes);
  block.set(key.byteLength > blockBytes ? hash('sha256', key, 'buffer') : key);
  const inner = Buffer.concat([block.map((byte) => byte ^ 0x36), Buffer.alloc(scratchBytes)]);
  const outer = Buffer.concat([block.map((byte) => byte ^ 0x5c), Buffer.alloc(digits / 2)]);
  return (text) => {
    // A character takes three bytes at most, or two take four.
    const isShort = text.length * 3 <= scratchBytes;
    const bytes = isShort
      ? inner.subarray(0, blockBytes + inner.write(text, blockBytes))
      : Buffer.concat([inner.subarray(0, blockBytes), Buffer.from(text)]);
    // Through hexadecimal digits: a digest as a buffer takes Node longer than both together.
    outer.write(hash('sha256', bytes), blockBytes, 'hex');
    return hash('sha256', outer);
  };
}

export interface Linked extends Head {
  /** The digest of the line before it. */
  readonly previous: string;
  readonly record: Readonly<Record<string, unknown>>;
}

const mark = ',"hash":"';
/** From its mark to the end of a line. */
const tail = mark.length + digits + '"}'.length;

/** The next line, without its line feed: what it says stands first, and how it is linked stands last. */
export function link(record: object, { seq, hash: previous }: Head, digest: Digest): { line: string; head: Head } {
  // As text: a copy of the record costs more than its JSON.
  const about = JSON.stringify(record).slice(0, -1);
  const said = `${about}${about.length > 1 ? ',' : ''}"seq":${seq + 1},"previous":"${previous}"`;
  const own = digest(`${said}}`);
  return { line: `${said}${mark}${own}"}`, head: { seq: seq + 1, hash: own } };
}

/** What a line says and how it is linked, whether it is genuine or not; undefined for what has not that form. */
export function readLine(line: string): Linked | undefined {
  if (!line.slice(-tail).startsWith(mark)) return undefined;
  const record = parsed(line);
  const { seq, previous, hash: own } = record ?? {};
  if (record === undefined || !isSeq(seq) || !isDigest(own)) return undefined;
  return isDigest(previous) || (seq === 1 && previous === '') ? { seq, previous, hash: own, record } : undefined;
}

/** Whether it carries the digest of what it says. */
export const isGenuine = (line: string, { hash: own }: Head, digest: Digest): boolean =>
  digest(`${line.slice(0, -tail)}}`) === own;

function parsed(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    // Half a line, or none of ours.
    return undefined;
  }
}

const isSeq = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) > 0;
const isDigest = (value: unknown): value is string => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);

/** The first 52 bits of a digest: as much as a metric holds exactly. */
export const numberOf = ({ hash: own }: Head): number => Number.parseInt(own.slice(0, 13), 16) || 0;

/** Of a line, what is published. */
export const knownEnd = (head: Head): KnownEnd => ({ seq: head.seq, number: numberOf(head) });

/** The digest that a line of ours carries. */
export const hashOf = (line: string): string => line.slice(mark.length - tail, -'"}'.length);
