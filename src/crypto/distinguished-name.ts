// Distinguished names as text (RFC 2253), to the letter as Java's X500Principal.getName() writes them.
import { type DerElement, DerError, derTag, readDer, readInside } from './der.ts';
import { readOne } from './signed.ts';

const set = 0x31;

/** By OID, in hex: the attributes that RFC 2253 §2.3 has words for. */
const keywords: Readonly<Record<string, string>> = {
  '550403': 'CN',
  '550406': 'C',
  '550407': 'L',
  '550408': 'ST',
  '550409': 'STREET',
  '55040a': 'O',
  '55040b': 'OU',
  '0992268993f22c640119': 'DC',
  '0992268993f22c640101': 'UID',
};

/** By tag: how the bytes of a string become text. */
const decoders: Readonly<Record<number, (bytes: Buffer) => string>> = {
  0x0c: (bytes) => bytes.toString(),
  0x13: (bytes) => bytes.toString('latin1'),
  0x14: (bytes) => bytes.toString('latin1'),
  0x16: (bytes) => bytes.toString('latin1'),
  0x1b: (bytes) => bytes.toString('latin1'),
  0x1e: (bytes) => Buffer.from(bytes).swap16().toString('utf16le'),
};

/** The last part first, each with its values joined by `+`. @throws DerError */
export const formatName = (name: DerElement): string =>
  readInside(name)
    .map((part) => readInside(part, set).map(formatAttribute).join('+'))
    .reverse()
    .join(',');

function formatAttribute(attribute: DerElement): string {
  const [type, value] = readInside(attribute);
  if (type?.tag !== derTag.objectIdentifier || value === undefined) throw new DerError('no attribute of a name');
  const keyword = keywords[type.content.toString('hex')];
  const decode = decoders[value.tag];
  // Without a word for it, or where it is no string: the DER itself, in hex.
  return keyword === undefined || decode === undefined
    ? `${keyword ?? dotted(type.content)}=#${value.whole.toString('hex')}`
    : `${keyword}=${escapeValue(decode(value.content))}`;
}

/** Java escapes `=` and `#` everywhere, and only the spaces at both ends. */
function escapeValue(text: string): string {
  const escaped = text.replace(/[,=+<>#;"\\]/g, '\\$&').replaceAll('\0', '\\00');
  const [, head = '', middle = '', tail = ''] = /^( *)([^]*?)( *)$/.exec(escaped) ?? [];
  return `${head.replaceAll(' ', '\\ ')}${middle}${tail.replaceAll(' ', '\\ ')}`;
}

/** An OID in dots (X.690 §8.19). */
function dotted(content: Buffer): string {
  const numbers: bigint[] = [];
  let number = 0n;
  for (const byte of content) {
    number = number * 128n + BigInt(byte & 0x7f);
    if (byte >= 0x80) continue;
    numbers.push(number);
    number = 0n;
  }
  const [first = 0n, ...rest] = numbers;
  const root = first < 80n ? first / 40n : 2n;
  return [root, first - root * 40n, ...rest].join('.');
}

/** The name in these bytes. @throws DerError */
export const readName = (der: Uint8Array): string => formatName(readOne(readDer(der)));
