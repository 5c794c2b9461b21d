// Charsets of Alipay's responses: which one a body is in, and its bytes with no part of a wide character mistaken for ASCII.

/** As Alipay's documents and headers spell them; GB18030 covers GBK and GB2312. */
const charsets: Readonly<Record<string, 'utf-8' | 'gb18030'>> = {
  'utf-8': 'utf-8',
  utf8: 'utf-8',
  gbk: 'gb18030',
  gb2312: 'gb18030',
  gb18030: 'gb18030',
};

const decodes = (bytes: Uint8Array, charset: string): boolean => {
  try {
    new TextDecoder(charset, { fatal: true }).decode(bytes);
    return true;
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
};

/** Bytes of text, and the same as far as structure goes. */
export interface Text {
  readonly bytes: Uint8Array;
  /**
   * One character a byte. What belongs to a character that is no ASCII is above 0x7f: in GB18030 the second byte of one may
   * be a backslash or a brace, which says nothing about structure.
   */
  readonly structure: string;
}

/** In the charset that is declared where there is one, else in UTF-8, else in GB18030; undefined where it is text in none of them. */
export function readText(bytes: Uint8Array, declared?: string): Text | undefined {
  const named = declared === undefined ? undefined : charsets[declared.toLowerCase()];
  const charset = [...(named === undefined ? [] : [named]), 'utf-8', 'gb18030'].find((one) => decodes(bytes, one));
  if (charset === undefined) return undefined;
  const copy = Buffer.from(bytes);
  return { bytes, structure: (charset === 'gb18030' ? withoutTrails(copy) : copy).toString('latin1') };
}

export const sliceText = ({ bytes, structure }: Text, { start, end }: { start: number; end: number }): Text => ({
  bytes: bytes.subarray(start, end),
  structure: structure.slice(start, end),
});

function withoutTrails(bytes: Buffer): Buffer {
  for (let at = 0; at < bytes.length; at += 1) {
    if ((bytes[at] ?? 0) < 0x81) continue;
    // A digit as its second byte makes a character of four bytes.
    const second = bytes[at + 1] ?? 0;
    const length = second >= 0x30 && second <= 0x39 ? 4 : 2;
    bytes.fill(0xff, at, Math.min(at + length, bytes.length));
    at += length - 1;
  }
  return bytes;
}
