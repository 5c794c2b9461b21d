// Percent-encoding over bytes (RFC 3986 §2.1), in one pass without a callback per byte: what is decoded may be hostile.
import { requestInvalid } from '../../errors.ts';

const ascii = (text: string): number => text.charCodeAt(0);
const [percent, plus, space, slash] = [ascii('%'), ascii('+'), ascii(' '), ascii('/')];
const hex = Buffer.from('0123456789ABCDEF');

/** The value of a hexadecimal digit, in either case; -1 for every other byte. */
const digits = Int8Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte);
  return /[0-9a-f]/i.test(character) ? Number.parseInt(character, 16) : -1;
});

const isUnreserved = Uint8Array.from({ length: 256 }, (_, byte) =>
  Number(/[A-Za-z0-9._~-]/.test(String.fromCharCode(byte))),
);

export interface Encoding {
  /** Leave `/` as it is, as Python's `quote` does. */
  readonly keepsSlash?: boolean;
  /** Write a space as `+`, as forms do. */
  readonly isForm?: boolean;
}

/**
 * UTF-8 bytes as %XX in upper case, except for letters, digits and - _ . ~ .
 * @throws PaycertError `request-invalid`: text that is no Unicode
 */
export function percentEncode(text: string, { keepsSlash = false, isForm = false }: Encoding = {}): string {
  if (!text.isWellFormed()) throw requestInvalid('parameters', 'hold half a surrogate pair, which no UTF-8 can carry');
  const bytes = Buffer.from(text);
  const written = Buffer.allocUnsafe(3 * bytes.length);
  let at = 0;
  // By index: an iterator over a buffer costs several times as much.
  for (let from = 0; from < bytes.length; from += 1) {
    const byte = bytes[from] ?? 0;
    if (isUnreserved[byte] === 1 || (keepsSlash && byte === slash)) written[at++] = byte;
    else if (isForm && byte === space) written[at++] = plus;
    else {
      written[at++] = percent;
      written[at++] = hex[byte >> 4] ?? 0;
      written[at++] = hex[byte & 15] ?? 0;
    }
  }
  return written.toString('latin1', 0, at);
}

/** The bytes behind percent signs, `+` as a space if it is a form; undefined where a percent sign encodes nothing. */
export function percentDecode(text: Buffer, { isForm = false }: Pick<Encoding, 'isForm'>): Buffer | undefined {
  // Found at the speed of memory: most of what is sent, and all of a megabyte of nothing, is what it says.
  if (!text.includes(percent) && !(isForm && text.includes(plus))) return text;
  const decoded = Buffer.allocUnsafe(text.length);
  let length = 0;
  for (let at = 0; at < text.length; at += 1) {
    const byte = text[at] ?? 0;
    if (byte === percent) {
      const high = digits[text[at + 1] ?? 0] ?? -1;
      const low = digits[text[at + 2] ?? 0] ?? -1;
      if (high < 0 || low < 0) return undefined;
      decoded[length++] = high * 16 + low;
      at += 2;
    } else decoded[length++] = isForm && byte === plus ? space : byte;
  }
  return decoded.subarray(0, length);
}
