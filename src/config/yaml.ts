// Untrusted YAML → plain data and the lines that it is on. Whatever two readers could read in two ways is refused.
import { type Document, isMap, isScalar, isSeq, parseDocument, visit } from 'yaml';
import { PaycertError } from '../errors.ts';
import { mistyped } from '../spelling.ts';
import { assertUtf8, lineAt, notYaml, oddityOfLine, syntax } from './yaml-faults.ts';

/** What a ConfigMap can hold, and more than 5000 credentials need. Parsing holds the event loop for a second per megabyte. */
const maxCharacters = 1024 * 1024;

export type Path = readonly (string | number)[];

/** Data as the document means it, and the line of what a path leads to, or of the nearest thing around it that is there. */
export interface Parsed {
  readonly plain: unknown;
  readonly lineOf: (path: Path) => number;
}

/** @throws PaycertError `config-syntax` */
export function parseYaml(text: string): Parsed {
  if (text.length > maxCharacters) {
    throw new PaycertError('config-syntax', `the document is longer than ${maxCharacters} characters`, {
      field: 'the document',
    });
  }
  assertUtf8(text);
  // stringKeys: a key that is a mapping means nothing here, and 500 of them inside each other take 20 seconds to print.
  // logLevel: otherwise it writes keys of the document to stderr.
  // uniqueKeys compares each key with every other of its mapping: a minute for 80,000 keys. Ours looks once.
  const document = parseDocument(text, { prettyErrors: false, uniqueKeys: false, stringKeys: true, logLevel: 'error' });
  // Its warnings are tags and directives that it does not know, and would ignore.
  const [error] = [...document.errors, ...document.warnings];
  if (error !== undefined) throw notYaml(text, error);
  assertPlainKeys(document, text);
  assertUniqueKeys(document, text);
  return { plain: toPlain(document, text), lineOf: lineFinder(document, text) };
}

/** A name with a full-width colon is one that nothing here has: said with its line, before it is said to be unknown. */
function assertPlainKeys(document: Document.Parsed, text: string): void {
  visit(document, {
    Map(_, { items }) {
      for (const { key } of items) {
        if (!isScalar(key) || typeof key.value !== 'string' || key.type !== 'PLAIN' || !mistyped.test(key.value))
          continue;
        const line = lineAt(text, key.range?.[0]);
        const oddity = oddityOfLine(text.split('\n')[line - 1] ?? '');
        if (oddity !== undefined) throw syntax(line, oddity);
      }
    },
  });
}

/** Two readers could take different ones. */
function assertUniqueKeys(document: Document.Parsed, text: string): void {
  visit(document, {
    Map(_, { items }) {
      const seen = new Set<unknown>();
      for (const { key } of items) {
        if (!isScalar(key)) continue;
        if (seen.has(key.value)) {
          const field = `line ${String(text.slice(0, key.range?.[0]).split('\n').length)}`;
          throw new PaycertError('config-syntax', `${field} has a key that is there already`, { field });
        }
        seen.add(key.value);
      }
    },
  });
}

function toPlain(document: Document.Parsed, text: string): unknown {
  try {
    // Aliases are not needed, and a few lines of them expand into gigabytes.
    return document.toJS({ maxAliasCount: 0 });
  } catch {
    let offset = 0;
    visit(document, { Alias: (_, { range }) => ((offset = range?.[0] ?? 0), visit.BREAK) });
    const field = `line ${String(text.slice(0, offset).split('\n').length)}`;
    throw new PaycertError('config-syntax', `${field} has an alias (&name, *name), which is not allowed`, { field });
  }
}

function lineFinder(document: Document.Parsed, text: string): (path: Path) => number {
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
    return text.slice(0, offset).split('\n').length;
  };
}
