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

/** By tag: the strings. All others Java writes in hex, also UniversalString and VisibleString. */
const strings: ReadonlySet<number> = new Set([
  0x0c, // UTF8String
  0x13, // PrintableString
  0x14, // T61String
  0x16, // IA5String
  0x1b, // GeneralString
  0x1e, // BMPString
]);

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
  // Without a word for it, or where it is no string: the DER itself, in hex.
  if (keyword === undefined || !strings.has(value.tag))
    return `${keyword ?? dotted(type.content)}=#${value.whole.toString('hex')}`;
  // Java reads the bytes of every string as UTF-8, also of those in UTF-16 or Latin-1: the SN is
  // computed over what it writes, not over what the name says.
  return `${keyword}=${escapeValue(decode(value.content))}`;
}

/** Where UTF-8 is ill-formed, Java writes one U+FFFD for a surrogate, and Node one for each of its bytes. */
const decode = (content: Buffer): string =>
  Buffer.from(content.toString('latin1').replace(/\xed[\xa0-\xbf][\x80-\xbf]?/g, '\xef\xbf\xbd'), 'latin1').toString();

/** Java escapes `=` and `#` everywhere, and spaces and carriage returns only at both ends. */
function escapeValue(text: string): string {
  const escaped = text.replace(/[,=+<>#;"\\]/g, '\\$&').replaceAll('\0', '\\00');
  let [start, end] = [0, escaped.length];
  while (start < end && isBlank(escaped[start])) start += 1;
  while (end > start && isBlank(escaped[end - 1])) end -= 1;
  return `${escapeBlanks(escaped.slice(0, start))}${escaped.slice(start, end)}${escapeBlanks(escaped.slice(end))}`;
}

const isBlank = (character = ''): boolean => character === ' ' || character === '\r';

const escapeBlanks = (text: string): string => text.replace(/[ \r]/g, '\\$&');

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
