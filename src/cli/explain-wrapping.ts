// What wraps a response on its way to a person: other charsets, gzip, the escapes of logs, percent-encoding, base64 and entities of HTML.
import { gunzipSync } from 'node:zlib';

/** A response has kilobytes, and what is unpacked is no longer. */
const maxBytes = 1024 * 1024;

/** UTF-16 as Windows redirects it; else UTF-8, else GB18030, in which Alipay writes its early errors whatever was asked for. */
export function decodeResponse(bytes: Uint8Array): string {
  const [first = 0, second = 0] = bytes;
  if (first === 0x1f && second === 0x8b) return decodeResponse(unpack(bytes));
  if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('gb18030').decode(bytes);
  }
}

/** Nothing of what is cut off, or unpacks to more than a response. */
function unpack(bytes: Uint8Array): Uint8Array {
  try {
    return gunzipSync(bytes, { maxOutputLength: maxBytes });
  } catch {
    return new Uint8Array();
  }
}

const entities: Readonly<Record<string, string>> = {
  ...{ amp: '&', quot: '"', lt: '<', gt: '>', apos: "'" },
  ...{ '#39': "'", '#34': '"', '#38': '&', '#60': '<', '#62': '>' },
};

export const unescape = (text: string): string =>
  text.replace(/&(amp|quot|lt|gt|apos|#3[489]|#6[02]);/g, (_, name: string) => entities[name] ?? '');

const bytesOf = (hexadecimal: string): string => Buffer.from(hexadecimal.replace(/%|\\x/gi, ''), 'hex').toString();

/** Each way of wrapping: how it shows itself, and what is inside. */
const wrappings: readonly (readonly [shows: RegExp, unwrap: (text: string) => string])[] = [
  // Of nginx, and of bytes as Python prints them.
  [/\\x(?:22|7b|3c|e[4-9])/i, (text) => text.replace(/(?:\\x[0-9a-f]{2})+/gi, bytesOf)],
  [/%(?:22|7B|3C|E[4-9])/i, (text) => text.replaceAll('+', ' ').replace(/(?:%[0-9a-f]{2})+/gi, bytesOf)],
  [/&(?:quot|lt|#34|#60);/, unescape],
  // JSON or XML begins in base64 with these.
  [
    /(?:ey|P[DH]|77u)[A-Za-z0-9+/]{30}/,
    (text) =>
      text.replace(/(?:ey|P[DH]|77u)[A-Za-z0-9+/]{30,}={0,2}/g, (part) => Buffer.from(part, 'base64').toString()),
  ],
];

/** What a text holds one wrapping further in, for each that it shows. */
export const unwrap = (text: string): readonly string[] =>
  wrappings.flatMap(([shows, inside]) => (shows.test(text) ? inside(text) : []));
