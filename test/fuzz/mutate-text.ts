// Damage to text that people and programs write: armour lines, line ends, Unicode, huge numbers, deep nesting, odd names.
import type { Mutation } from './mutate-bytes.ts';
import type { Random } from './random.ts';

type TextMutation = (text: string, random: Random) => string;

const oddTexts = [
  '\0',
  '\ufeff',
  '\u202e',
  '\u2028',
  '\ud800',
  '😀',
  'ａ',
  '微信',
  'é',
  '\\n',
  '\\r\\n',
  '\r',
  '\n',
  '\t',
  ' ',
  '\v',
  '"',
  "'",
  '{}',
  '[]',
  '#',
  ':',
  '&a',
  '*a',
  '!!js/function',
  '%',
  '../',
  '__proto__',
  'constructor',
];
const oddNumbers = ['0', '-1', '1e400', '-0', '9007199254740993', '4294967296', '2147483648', '1e-400', 'NaN', '0x10'];
const labels = ['PRIVATE KEY', 'RSA PRIVATE KEY', 'PUBLIC KEY', 'CERTIFICATE', 'ENCRYPTED PRIVATE KEY', 'X509 CRL', ''];
const openings = ['[', '{"a":', '- ', '{a: ', '? ', '((', '"', '<!--', '&a ', '!a '];

/** Huge input is rare: it tells how time grows, and takes much of it. */
const depth = (random: Random): number => (random.isOneIn(30) ? 20_000 : random.size(600));

const insertAt = (text: string, at: number, piece: string): string => text.slice(0, at) + piece + text.slice(at);

const insertOddText: TextMutation = (text, random) =>
  insertAt(text, random.below(text.length + 1), random.pick(oddTexts));

const insertArmour: TextMutation = (text, random) => {
  const lines = text.split('\n');
  const line = `-----${random.pick(['BEGIN', 'END'])} ${random.pick(labels)}-----`;
  return lines.toSpliced(random.below(lines.length + 1), 0, line).join('\n');
};

const relabel: TextMutation = (text, random) => {
  const label = random.pick(labels);
  return text.replace(
    /(-----(?:BEGIN|END) )[^-]*(-----)/g,
    (_, before: string, after: string) => before + label + after,
  );
};

const changeLineEnds: TextMutation = (text, random) =>
  text.replaceAll('\n', random.pick(['\r\n', '\\n', '\r', '', ' ', '\n\n']));

const duplicateLine: TextMutation = (text, random) => {
  const lines = text.split('\n');
  const line = random.pick(lines);
  return lines
    .toSpliced(random.below(lines.length + 1), 0, ...Array.from({ length: random.size(4) }, () => line))
    .join('\n');
};

const deleteLine: TextMutation = (text, random) => {
  const lines = text.split('\n');
  return lines.toSpliced(random.below(lines.length), 1).join('\n');
};

const changeNumber: TextMutation = (text, random) => {
  const numbers = [...text.matchAll(/\d+/g)];
  if (numbers.length === 0) return text;
  const { index, 0: digits } = random.pick(numbers);
  const value = random.isOneIn(10) ? '9'.repeat(random.size(5000)) : random.pick(oddNumbers);
  return text.slice(0, index) + value + text.slice(index + digits.length);
};

const changeWord: TextMutation = (text, random) => {
  const words = [...text.matchAll(/[A-Za-z_]{2,}/g)];
  if (words.length === 0) return text;
  const [{ index, 0: word }, { 0: other }] = [random.pick(words), random.pick(words)];
  const replacement = random.pick([other, '__proto__', 'toString', word.toUpperCase(), 'null', 'true', '~', '']);
  return text.slice(0, index) + replacement + text.slice(index + word.length);
};

const nest: TextMutation = (text, random) =>
  insertAt(text, random.below(text.length + 1), random.pick(openings).repeat(depth(random)));

const surround: TextMutation = (text, random) =>
  random.pick(['\ufeff', ' ', '\n\n', '"', 'serial=']) + text + random.pick(['\n', ' ', '"', '']);

export const textMutations: readonly TextMutation[] = [
  insertOddText,
  insertArmour,
  relabel,
  changeLineEnds,
  duplicateLine,
  deleteLine,
  changeNumber,
  changeWord,
  nest,
  surround,
];

/** As bytes. Half a surrogate pair becomes what Buffer makes of it. */
export const mutateText: Mutation = (bytes, random) =>
  Buffer.from(random.pick(textMutations)(bytes.toString(), random));
