// What a schema leaves of a document for the rules: every value that it refused is taken out, and what lacks it says why a rule fails.
import type { Problem } from '../diagnosis.ts';
import { nearest } from '../spelling.ts';
import type { Path } from './yaml.ts';

/** A value of that type, in which anything may be absent; what is there is as the type says. */
export type Sound<T> = T extends readonly (infer Item)[]
  ? readonly (Sound<Item> | undefined)[]
  : T extends object
    ? { readonly [Name in keyof T]?: Sound<T[Name]> | undefined }
    : T;

type Container = Record<string | number, unknown>;

const isContainer = (value: unknown): value is Container => typeof value === 'object' && value !== null;

/** A copy of plain data without what the problems are about; items of a list keep their places. */
export function withoutUnsound(value: unknown, problems: readonly Problem[]): unknown {
  const root: Container = { value: structuredClone(value) };
  for (const { path, isOfNumber } of problems) {
    if (isOfNumber) continue;
    const names = ['value', ...path];
    const last = names.pop() ?? 'value';
    let around: unknown = root;
    for (const name of names) around = isContainer(around) && Object.hasOwn(around, name) ? around[name] : undefined;
    if (isContainer(around) && Object.hasOwn(around, last)) around[last] = undefined;
  }
  return root['value'];
}

/**
 * Whether what the schema said explains that a rule fails too: it is about the same thing or what holds it, or about a member
 * whose absence is what the rule speaks of, also under a misspelled name.
 */
export function isExplained(paths: readonly Path[], absent: readonly Path[], problems: readonly Problem[]): boolean {
  return problems.some(
    ({ path, isOfNumber }) =>
      (!isOfNumber && [...paths, ...absent].some((one) => path.every((part, index) => one[index] === part))) ||
      absent.some((one) => isMisspelled(one, path)),
  );
}

const isMisspelled = (meant: Path, written: Path): boolean =>
  meant.length === written.length &&
  meant.slice(0, -1).every((part, index) => written[index] === part) &&
  nearest(String(written.at(-1)), [String(meant.at(-1))]) !== undefined;
