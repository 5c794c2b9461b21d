// What is wrong with a text that is no YAML, in words: the character and its place, and what to write instead.
import { PaycertError } from '../errors.ts';
import { inUtf16, isUtf16 } from '../pasted.ts';
import { blankName, mistyped, oddityOf } from '../spelling.ts';

/** What was read as UTF-8 and is not: each byte that belongs to no character has become U+FFFD. */
export function assertUtf8(text: string): void {
  const at = text.search(/[\0\ufffd]/);
  if (at === -1) return;
  const said = isUtf16(text)
    ? inUtf16
    : 'is not UTF-8: save the file in UTF-8, or convert it with iconv -f GB18030 -t UTF-8 FILE';
  throw syntax(lineAt(text, at), said);
}

const lineAt = (text: string, offset: number): number => text.slice(0, offset).split('\n').length;

interface Misread {
  readonly code: string;
  readonly pos: readonly [number, number];
}

/** The reader may lose its way, and then each line is wrong to it. */
const maxMisread = 16;

/** A line that is not YAML. */
interface Misreading {
  readonly line: number;
  readonly error: PaycertError;
}

/** One fault a line, in order. A character of a Chinese keyboard or of a web page is the likelier one than that which the reader names. */
export function notYaml(
  text: string,
  misread: readonly Misread[],
  openingAt: (end: number) => number | undefined,
): readonly Misreading[] {
  const lines = text.split('\n');
  const found = new Map<number, PaycertError>();
  for (const {
    code,
    pos: [offset],
  } of misread.slice(0, maxMisread)) {
    const opening = openingAt(offset);
    const line = lineAt(text, opening ?? offset);
    // The reader notices a line that does not end its key on the next one.
    const near = [line, line - 1, line + 1].find((one) => oddityOfLine(lines[one - 1] ?? '') !== undefined);
    const at = near ?? line;
    const said =
      oddityOfLine(lines[at - 1] ?? '') ??
      `is not valid YAML: ${opening === undefined ? (words[code] ?? code) : unclosed}`;
    if (!found.has(at)) found.set(at, syntax(at, said));
  }
  return [...found].sort(([one], [other]) => one - other).map(([line, error]) => ({ line, error }));
}

export const syntax = (line: number, said: string) => {
  const field = `line ${String(line)}`;
  return new PaycertError('config-syntax', `${field} ${said}`, { field });
};

const unclosed = 'a quote or a bracket that opens here is not closed';

const words: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'it is indented with a tab; use spaces',
  BAD_INDENT: 'it is indented by another number of spaces than the lines beside it',
  MULTILINE_IMPLICIT_KEY: 'a name must be followed by a colon and a space, on one line',
  MISSING_CHAR: 'a quote or a bracket is not closed, or a colon or comma is missing',
  BLOCK_AS_IMPLICIT_KEY: 'a value with a colon and a space in it must be in quotes',
  UNEXPECTED_TOKEN: 'a bracket, comma, quote or line stands where none can',
  TAG_RESOLVE_FAILED: 'a value that begins with ! must be in quotes',
  BAD_SCALAR_START: 'a value that begins with @, ` or % must be in quotes',
};

/** What no YAML of ours means: it is in a name, or stands for its ASCII twin. Inside quotes and comments anything may stand. */
export function oddityOfLine(line: string): string | undefined {
  const bare = line
    .slice(0, 1024)
    .replace(/"(?:[^"\\]|\\.)*"|'[^']*'/g, (quoted) => '_'.repeat(quoted.length))
    .replace(/(?:^|\s)#.*$/, '');
  const indent = /^[^\S\n]*/.exec(bare)?.[0] ?? '';
  const blank = /[^ \r]/.exec(indent);
  if (blank !== null) {
    return `is indented with ${blankName(blank[0]) ?? 'an odd blank'}: use spaces`;
  }
  const found = mistyped.exec(bare);
  return found === null ? undefined : nameOddity(bare, found.index);
}

function nameOddity(text: string, index: number): string {
  const before = '_'.repeat(index);
  return oddityOf(`${before}${text[index] ?? ''}_`) ?? 'has an odd character';
}
