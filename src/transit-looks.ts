// How a body shows what became of it on its way here: escaped, encoded, printed, cut off or sent twice.

/** How a body shows what became of it, what is said of that, and the bytes that it was before, where they can be restored. */
interface Look {
  readonly shows: (text: string) => boolean;
  readonly says: string;
  readonly restore?: (text: string) => string | Uint8Array;
}

const isTwice = (text: string): boolean => {
  const half = text.slice(0, text.length / 2);
  return half.startsWith('{') && `${half}${half}` === text;
};

const named: Readonly<Record<string, string>> = {
  quot: '"',
  '#34': '"',
  '#39': "'",
  apos: "'",
  lt: '<',
  gt: '>',
  amp: '&',
};

/** What JSON, XML and forms never begin or end with, as they are received. */
export const looks: readonly Look[] = [
  {
    shows: (text) => /^\u001f[\ufffd\u008b]/.test(text),
    says: 'the body is compressed with gzip: unpack it, as its Content-Encoding says',
  },
  {
    shows: (text) => /^(?:\ufffd{2}|[^\0]?\0)/.test(text),
    says: 'the body is in UTF-16: it was written again in another charset',
  },
  {
    shows: (text) => /^\s*(?:\{\s*&(?:quot|#34);|&lt;)/.test(text),
    says: 'the body was escaped for HTML on its way here',
    restore: (text) => text.replace(/&(quot|#34|#39|apos|lt|gt|amp);/g, (_, name: string) => named[name] ?? ''),
  },
  {
    shows: (text) => /^%(?:7B|3C)/i.test(text),
    says: 'the body is percent-encoded as a whole: decode it once',
    restore: (text) =>
      Buffer.from(
        text.replace(/%([0-9a-f]{2})/gi, (_, byte: string) => String.fromCharCode(parseInt(byte, 16))),
        'latin1',
      ),
  },
  {
    shows: (text) => /^\s*\{\s*\\"/.test(text),
    says: 'the body has a backslash before each quote: it was written into a text and not read back',
    restore: (text) => text.replace(/\\(["\\])/g, '$1'),
  },
  {
    shows: (text) => /^\s*\{\s*'/.test(text),
    says: 'the body is a dictionary as Python prints it: it was parsed on its way here',
  },
  {
    shows: (text) => /^(?:[0-9a-f]{2}){16,}$/i.test(text),
    says: 'the body is in hexadecimal: give its bytes',
    restore: (text) => Buffer.from(text, 'hex'),
  },
  { shows: isTwice, says: 'the body is there twice', restore: (text) => text.slice(0, text.length / 2) },
  {
    shows: (text) => text.trimStart().startsWith('{') && !text.trimEnd().endsWith('}'),
    says: 'the body is cut off: it ends before its JSON does',
  },
  {
    shows: (text) => /[\u00c3-\u00f4][\u0080-\u00bf]/.test(text) && !/[^\0-\u00ff]/.test(text),
    says: 'the body was decoded as Latin-1 and written again in UTF-8',
    restore: (text) => Buffer.from(text, 'latin1'),
  },
];

/** How a form shows it, as what is said after its name. */
export const formWrappings: readonly (readonly [RegExp, string])[] = [
  [/^\s*\?\w/, 'begins with a question mark: give what follows it'],
  [/^\s*https?:\/\//, 'is an address: give what follows its question mark, or kind return'],
  [/^--[^\r\n]{1,80}\r?\n/, 'is in parts (multipart/form-data): it was written again on its way here'],
  [/^\s*\{\s*'/, 'is a dictionary as Python prints it, and was parsed on its way here'],
  [/^\s*(?:Array\s*\(|map\[|array\(\d+\))/, 'is a map as PHP or Go prints it, and was parsed on its way here'],
];
