// What somebody probably meant: the nearest of the words that there are, or what is odd about a text, character by character.
import leven from 'leven';

const plain = (word: string): string => word.toLowerCase().replace(/[-_ ]/g, '');

/** Letters in another order are one slip. */
const changesOf = (wanted: string, name: string): number =>
  wanted !== name && wanted.length === name.length && sorted(wanted) === sorted(name) ? 1 : leven(wanted, name);

const sorted = (word: string): string => Array.from(word).sort().join('');

/** What others call it, without case and hyphens: platforms in their own documents, and programs of this kind. */
const synonyms: Readonly<Record<string, string>> = {
  ...{ mchid: 'merchantId', weixin: 'wechatpay', wxpay: 'wechatpay', wechatpayv3: 'wechatpay', zhifubao: 'alipay' },
  ...{
    ali: 'alipay',
    dir: 'path',
    directory: 'path',
    folder: 'path',
    port: 'address',
    trace: 'debug',
    verbose: 'debug',
  },
};

/**
 * The known word that was probably meant: by another name of it, the same but for case and hyphens, one that begins so, or one a few letters away.
 * Undefined where nothing is near.
 *
 * @example nearest('wechatpay_v2', ['wechatpay', 'wechatpayV2']) // 'wechatpayV2'
 */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  const wanted = plain(word.slice(0, 64));
  const synonym = [...known].find((name) => Object.hasOwn(synonyms, wanted) && synonyms[wanted] === name);
  if (synonym !== undefined) return synonym;
  const limit = wanted.length < 4 ? 1 : wanted.length < 8 ? 2 : 3;
  const ranked = [...known]
    .map((name) => ({ name, letters: plain(name) }))
    // A word that is longer or shorter by more is further away than that, and needs no comparison.
    .filter(({ letters }) => Math.abs(letters.length - wanted.length) <= limit)
    .map(({ name, letters }) => ({ name, changes: changesOf(wanted, letters) }));
  const [best] = ranked.filter(({ changes }) => changes <= limit).sort((a, b) => a.changes - b.changes);
  const isLonger = (long: string, short: string) => short.length >= 4 && long.startsWith(short);
  return best?.name ?? [...known].find((name) => isLonger(plain(name), wanted) || isLonger(wanted, plain(name)));
}

/** ` (did you mean x?)`, or nothing. */
export function didYouMean(word: string, known: Iterable<string>): string {
  const found = nearest(word, known);
  return found === undefined ? '' : ` (did you mean ${found}?)`;
}

/** The ASCII twin of a full-width character: `：` → `:`. */
const halfWidth = (character: string): string | undefined => {
  const code = character.codePointAt(0) ?? 0;
  return code >= 0xff01 && code <= 0xff5e ? String.fromCodePoint(code - 0xfee0) : undefined;
};

const quotes = new Map([
  ['"', '"'],
  ["'", "'"],
  ['“', '”'],
  ['‘', '’'],
  ['「', '」'],
]);

const blanks: Readonly<Record<string, string>> = {
  ' ': 'a space',
  '\t': 'a tab',
  '\r': 'a carriage return',
  '\n': 'a line end',
  '\u00a0': 'a no-break space',
  '\u3000': 'a full-width space',
  '\u200b': 'a zero-width space',
  '\u2060': 'a word joiner',
  '\ufeff': 'a byte order mark',
};

/** A blank by its name; undefined for other characters. */
export const blankName = (character: string): string | undefined => blanks[character];

/** What a Chinese keyboard or a web page puts where ASCII was meant: no name of ours has one of these. */
export const mistyped = /[\uff01-\uff5e“”‘’\u3000\u00a0\u200b\u2060\ufeff]/;

/** A text may be a megabyte; what somebody has pasted by accident is found near its beginning, or at its end. */
const lookedAt = 1024;

/** More than these, and the text is of another kind altogether. */
const maxOddities = 3;

/**
 * What is in a text that people put there by accident, as what is said after the name of its field; undefined where every
 * character is printable ASCII. Shows three characters at most, and none that could be part of a secret.
 *
 * @example oddityOf('127.0.0.1：8010') // 'has a full-width ： at character 10: write :'
 */
export function oddityOf(text: string): string | undefined {
  const found: string[] = [];
  for (const oddity of odditiesOf(text)) if (found.push(oddity) === maxOddities) break;
  return found.length === 0 ? undefined : found.join(', and ');
}

/** Each kind of character once, at its first place. */
function* odditiesOf(text: string): Generator<string> {
  const [first = '', last = ''] = [text[0], text.at(-1)];
  const isQuoted = text.length > 1 && quotes.get(first) === last;
  const atEnds = isQuoted ? [first, last] : [first, last].filter((character) => character in blanks);
  const seen = new Set(atEnds);
  if (isQuoted) yield 'is in quotes: remove them';
  else if (first in blanks) yield `begins with ${blanks[first] ?? ''}: remove it`;
  else if (last in blanks) yield `ends with ${blanks[last] ?? ''}: remove it`;
  let place = 0;
  for (const character of text.slice(0, lookedAt)) {
    place += 1;
    if (seen.has(character)) continue;
    const said = saidOf(character, `at character ${String(place)}`);
    if (said !== undefined) yield said;
    if (said !== undefined) seen.add(character);
  }
}

function saidOf(character: string, at: string): string | undefined {
  if (character in blanks) return `has ${blanks[character] ?? ''} ${at}`;
  const ascii = halfWidth(character);
  if (ascii !== undefined) return `has a full-width ${character} ${at}: write ${ascii}`;
  if (character < ' ' || character === '\x7f') return `has a control character ${at}: remove it`;
  return character > '~' ? `has the character ${character} ${at}, which is not ASCII` : undefined;
}
