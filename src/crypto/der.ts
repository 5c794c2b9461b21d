// DER (X.690 §8, §10) element by element: what node:crypto neither reads nor writes, such as revocation lists.

export interface DerElement {
  /** Class, form and number in one octet; longer tags are refused. */
  readonly tag: number;
  readonly content: Buffer;
  /** With its tag and length, as it was signed. */
  readonly whole: Buffer;
}

/** What is no DER. It says nothing of the bytes. */
export class DerError extends Error {
  override readonly name = 'DerError';
}

export const derTag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  objectIdentifier: 0x06,
  enumerated: 0x0a,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  explicit0: 0xa0,
  explicit1: 0xa1,
  explicit2: 0xa2,
} as const;

/** More than anything here has beside each other, except the entries of a revocation list, which are read otherwise. */
const maxElements = 4096;

/** Every element of the bytes, one after another; nothing may be left. @throws DerError */
export function readDer(bytes: Uint8Array): DerElement[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const elements: DerElement[] = [];
  for (let at = 0; at < buffer.length;) {
    if (elements.length === maxElements) throw new DerError('more elements than anything has');
    const { start, length } = readLength(buffer, at + 1);
    const end = start + length;
    const tag = buffer[at] ?? 0;
    if ((tag & 0x1f) === 0x1f || end > buffer.length) throw new DerError('an element does not end');
    elements.push({ tag, content: buffer.subarray(start, end), whole: buffer.subarray(at, end) });
    at = end;
  }
  return elements;
}

function readLength(buffer: Buffer, at: number): { start: number; length: number } {
  const first = buffer[at];
  if (first === undefined || first === 0x80 || first > 0x84) throw new DerError('a length is missing or indefinite');
  if (first < 0x80) return { start: at + 1, length: first };
  const octets = first & 0x7f;
  if (at + 1 + octets > buffer.length) throw new DerError('a length is cut off');
  const length = buffer.readUIntBE(at + 1, octets);
  if (length < 0x80 || length < 2 ** (8 * (octets - 1))) throw new DerError('a length is longer than it need be');
  return { start: at + 1 + octets, length };
}

/** The elements inside one that must have that tag. @throws DerError */
export function readInside(element: DerElement | undefined, tag: number = derTag.sequence): DerElement[] {
  if (element?.tag !== tag) throw new DerError('an element is not what stands there');
  return readDer(element.content);
}

/** An element of that tag around what is DER already. */
export function writeDer(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const header = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  if (length > 0xffff) throw new RangeError('nothing that long is written');
  return Buffer.concat([Buffer.from([tag, ...header]), content]);
}

/** UTCTime or GeneralizedTime as RFC 5280 §4.1.2.5 has them: UTC, to the second. @throws DerError */
export function readTime({ tag, content }: DerElement): Date {
  const text = content.toString('latin1');
  const [, short, year, rest = ''] = /^(?:(\d\d)|(\d{4}))(\d{10})Z$/.exec(text) ?? [];
  const isExpected =
    tag === derTag.utcTime ? short !== undefined : tag === derTag.generalizedTime && year !== undefined;
  const full = year ?? `${Number(short) < 50 ? 20 : 19}${short ?? ''}`;
  const [month, day, hour, minute, second] = rest.match(/\d\d/g) ?? [];
  const time = Date.parse(`${full}-${month ?? ''}-${day ?? ''}T${hour ?? ''}:${minute ?? ''}:${second ?? ''}Z`);
  if (!isExpected || Number.isNaN(time)) throw new DerError('a time is not UTC to the second');
  return new Date(time);
}
