// Where vectors come from: finds every vectors.json under a folder and reads it, believing nothing about its shape.
import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

export type Json = Readonly<Record<string, unknown>>;

export interface Vector {
  readonly file: string;
  readonly id: string;
  readonly protocol: string;
  readonly kind: string;
  readonly inputs: Json;
  readonly expected: Json;
  /** Names of PEM files in `inputs` are relative to it. */
  readonly folder: string;
}

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** One or several: a list, the values of a map, or the value itself. */
export const listOf = (value: unknown): readonly unknown[] =>
  value === undefined
    ? []
    : Array.isArray(value)
      ? (value as unknown[])
      : isObject(value)
        ? Object.values(value)
        : [value];

export const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

/** Folders may nest and be links; each is visited once. */
export function findVectorFiles(folder: string, visited = new Set<string>()): string[] {
  const real = realpathSync(folder);
  if (visited.has(real)) return [];
  visited.add(real);
  return readdirSync(folder)
    .sort()
    .flatMap((name) => {
      const path = join(folder, name);
      if (isFolder(path)) return findVectorFiles(path, visited);
      return name === 'vectors.json' ? [path] : [];
    });
}

/** An expectation that is a list is one per case; one that is a word is the result. */
function readExpected(expected: unknown): Json {
  if (isObject(expected)) return expected;
  if (expected === undefined || expected === null) return {};
  return Array.isArray(expected) ? { cases: expected } : { result: expected };
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** The vectors of one file, or why there are none. */
export function readVectors(file: string): readonly Vector[] | string {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return 'is not JSON that can be read';
  }
  const list = isObject(json) ? json['vectors'] : json;
  if (!Array.isArray(list)) return 'holds no list of vectors';
  return list.map((entry: unknown, i) => {
    const vector = isObject(entry) ? entry : {};
    return {
      file,
      folder: dirname(file),
      id: textOf(vector['id']) ?? `(vector ${i + 1}, without id)`,
      protocol: textOf(vector['protocol']) ?? '(none)',
      kind: textOf(vector['kind']) ?? '(none)',
      inputs: isObject(vector['inputs']) ? vector['inputs'] : {},
      expected: readExpected(vector['expected']),
    };
  });
}
