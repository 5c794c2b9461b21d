// Untrusted YAML → plain data and the lines that it is on. Whatever two readers could read in two ways is refused.
import { type Document, isMap, isScalar, isSeq, parseDocument, visit } from 'yaml';
import { PaycertError } from '../errors.ts';
import { mistyped } from '../spelling.ts';
import { assertUtf8, notYaml, oddityOfLine, syntax } from './yaml-faults.ts';
import { openingAt } from './yaml-opening.ts';
import { wholeBefore } from './yaml-whole.ts';

/** What a ConfigMap can hold, and more than 5000 credentials need. Parsing holds the event loop for a second per megabyte. */
export const maxCharacters = 1024 * 1024;

export type Path = readonly (string | number)[];

/** Where something is in a text: how many characters are before it, and its line. */
interface Place {
  readonly offset: number;
  readonly line: number;
}

/** An error, and where it is. */
interface Fault extends Place {
  readonly error: PaycertError;
}

/** Data as the document means it, and where in it is what a path leads to, or the nearest thing around it that is there. */
export interface Parsed {
  readonly plain: unknown;
  readonly placeOf: (path: Path) => Place;
  /** Lines that are not YAML, and what two readers would read in two ways; the rest of the data is data all the same. */
  readonly faults: readonly Fault[];
  /** Whether the data is the whole document, and not only what ends before the first line that is not YAML. */
  readonly isWhole: boolean;
}

/** @throws PaycertError `config-syntax`: it is too long, or not text */
export function parseYaml(text: string): Parsed {
  if (text.length > maxCharacters) {
    throw new PaycertError('config-syntax', `the document is longer than ${maxCharacters} characters`, {
      field: 'the document',
    });
  }
  assertUtf8(text);
  const read = readDocument(text);
  return read.misread.length === 0 ? toData(read) : dataBefore(text, read.misread);
}

/** What is whole before the first of these lines, with what is wrong with them. */
function dataBefore(text: string, refused: readonly Fault[]): Parsed {
  let whole = readDocument(wholeBefore(text, refused[0]?.line ?? 1));
  // What is never closed is noticed on a later line.
  const [unclosed] = whole.misread;
  if (unclosed) whole = readDocument(wholeBefore(text, unclosed.line));
  const { plain, placeOf, faults } = whole.misread.length === 0 ? toData(whole) : nothing;
  return { plain: plain ?? {}, placeOf, faults: [...faults, ...refused], isWhole: false };
}

/** Of a document of which nothing is sure. */
const nothing = { plain: {}, placeOf: () => ({ offset: 0, line: 1 }), faults: [] };

interface Read {
  readonly text: string;
  readonly document: Document.Parsed;
  readonly lineAt: LineAt;
  readonly misread: readonly Fault[];
}

function readDocument(text: string): Read {
  // stringKeys: a key that is a mapping means nothing here, and 500 of them inside each other take 20 seconds to print.
  // logLevel: otherwise it writes keys of the document to stderr.
  // uniqueKeys compares each key with every other of its mapping: a minute for 80,000 keys. Ours looks once.
  const document = parseDocument(text, { prettyErrors: false, uniqueKeys: false, stringKeys: true, logLevel: 'error' });
  // Its warnings are tags and directives that it does not know, and would ignore.
  const found = notYaml(text, [...document.errors, ...document.warnings], (end) => openingAt(document, end));
  const misread = found.map((fault) => ({ offset: 0, ...fault }));
  return { text, document, lineAt: lineCounter(text), misread };
}

/** An alias, and a name that no field of ours has, are in the way of what is around them: what ends before them is data. */
function toData({ text, document, lineAt }: Read): Parsed {
  const odd = [...oddKeys(document, text, lineAt), ...aliases(document, lineAt)].sort((a, b) => a.line - b.line);
  if (odd.length > 0) return dataBefore(text, odd);
  return {
    // Aliases are not needed, and a few lines of them expand into gigabytes.
    plain: document.toJS({ maxAliasCount: 0 }) as unknown,
    placeOf: placeFinder(document, lineAt),
    faults: [...repeatedKeys(document, lineAt)],
    isWhole: true,
  };
}

type LineAt = (offset: number) => number;

/** A name with a full-width colon is one that nothing here has: said with its line, before it is said to be unknown. */
function oddKeys(document: Document.Parsed, text: string, lineAt: LineAt): readonly Fault[] {
  const found = new Map<number, Fault>();
  const lines = text.split('\n');
  for (const key of keysOf(document)) {
    if (typeof key.value !== 'string' || key.type !== 'PLAIN') continue;
    const isJoined = (key.isAlone ? /^[A-Za-z]\w{0,40}:[^\s:]/ : /^[A-Za-z]\w{0,40}:[{[]/).test(key.value);
    if (!isJoined && !mistyped.test(key.value)) continue;
    const offset = key.range?.[0] ?? 0;
    const line = lineAt(offset);
    const oddity = isJoined ? 'needs a blank after the colon of a name' : oddityOfLine(lines[line - 1] ?? '');
    if (oddity !== undefined) found.set(line, { line, offset, error: syntax(line, oddity) });
  }
  return [...found.values()];
}

/** A text that begins with `*` or `&` and is in no quotes is a reference to YAML, or a name for one; it may be a secret, and is not shown. */
function aliases(document: Document.Parsed, lineAt: LineAt): Fault[] {
  const anchors = new Map<string, number>();
  const found = new Map<number, string>();
  visit(document, {
    Value(_, node) {
      if (node.anchor === undefined) return;
      const line = lineAt(node.range?.[0] ?? 0);
      if (isScalar(node) && node.source === '') found.set(line, textBegins('&', 'a name for what follows'));
      else anchors.set(node.anchor, line);
    },
    Alias(_, { source: name, range }) {
      const [line, meant] = [lineAt(range?.[0] ?? 0), anchors.get(name)];
      const isShown = meant !== undefined && name.length <= 64;
      const said = isShown
        ? `has the alias *${name}, which is not allowed: write out what is at &${name} on line ${String(meant)}`
        : textBegins('*', 'an alias, which is not allowed');
      if (!found.has(line)) found.set(line, said);
    },
  });
  return [...found].map(([line, said]) => ({ line, offset: 0, error: syntax(line, said) }));
}

const textBegins = (character: string, meaning: string): string =>
  `begins a value with ${character}, which to YAML is ${meaning}: put it in quotes`;

/** Two readers could take different ones. */
function* repeatedKeys(document: Document.Parsed, lineAt: LineAt): Generator<Fault> {
  let seen = { map: undefined as unknown, keys: new Set<unknown>() };
  for (const key of keysOf(document)) {
    if (seen.map !== key.map) seen = { map: key.map, keys: new Set() };
    const offset = key.range?.[0] ?? 0;
    const line = lineAt(offset);
    if (seen.keys.has(key.value)) yield { line, offset, error: syntax(line, 'has a key that is there already') };
    seen.keys.add(key.value);
  }
}

interface Key {
  readonly value: unknown;
  readonly type?: unknown;
  readonly range?: readonly number[] | null | undefined;
  readonly map: unknown;
  /** Whether nothing is beside it. */
  readonly isAlone: boolean;
}

/** Mapping by mapping. */
function keysOf(document: Document.Parsed): readonly Key[] {
  const keys: Key[] = [];
  visit(document, {
    Map(_, map) {
      for (const { key, value } of map.items)
        if (isScalar(key))
          keys.push({ value: key.value, type: key.type, range: key.range, map, isAlone: isScalar(value) ? value.value === null : value === null }); // prettier-ignore
    },
  });
  return keys;
}

function lineCounter(text: string): LineAt {
  const ends = [...text.matchAll(/\n/g)].map(({ index }) => index);
  return (offset) => {
    let [low, high] = [0, ends.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((ends[middle] ?? 0) < offset) low = middle + 1;
      else high = middle;
    }
    return low + 1;
  };
}

function placeFinder(document: Document.Parsed, lineAt: LineAt): (path: Path) => Place {
  return (path) => {
    let [node, offset]: [unknown, number] = [document.contents, 0];
    for (const part of path) {
      if (isMap(node)) {
        const pair = node.items.find(({ key }) => isScalar(key) && key.value === part);
        if (pair === undefined) break;
        if (isScalar(pair.key)) offset = pair.key.range?.[0] ?? offset;
        node = pair.value;
      } else if (isSeq(node) && typeof part === 'number') {
        const item = node.items[part] as { range?: readonly number[] } | undefined;
        if (item === undefined) break;
        offset = item.range?.[0] ?? offset;
        node = item;
      } else break;
    }
    return { offset, line: lineAt(offset) };
  };
}
