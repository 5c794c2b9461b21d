// Everything that is wrong with a value by a schema, in the order of the schema, as sentences that name the field and never the value.
import { misformed, misformedName, printable, unknownMember, wrongType } from './diagnosis-words.ts';
import { hasType, isObject, matches, type Members, type Schema } from './json-schema.ts';
import { didYouMean, nearest } from './spelling.ts';

export interface Problem {
  /** Names of members and indexes of items, from the outside in. */
  readonly path: readonly (string | number)[];
  /** What is said after the name of the field. */
  readonly message: string;
  /** Only how many members there are is wrong: each of them is checked by itself. */
  readonly isOfNumber?: true;
}

type Path = readonly (string | number)[];
/** However wrong a document is: more than people read, and a bound on what one is made to cost. */
export const maxProblems = 64;

type Overfull = (value: unknown) => boolean;

/**
 * Whether a list or mapping that the schema names has more members than it may: found before one of them is looked at. Undefined for a
 * schema that sets no such limit, as for most of what is asked for thousands of times a second.
 */
export function overfull({ properties = {}, ...schema }: Schema): Overfull | undefined {
  const { maxItems = Infinity, maxProperties = Infinity } = schema;
  const inside = Object.entries(properties).flatMap(([name, each]) => {
    const isOverfull = overfull(each);
    return isOverfull ? [{ name, isOverfull }] : [];
  });
  if (maxItems === Infinity && maxProperties === Infinity && inside.length === 0) return undefined;
  return (value) => {
    if (Array.isArray(value)) return value.length > maxItems;
    if (!isObject(value)) return false;
    if (maxProperties < Infinity && Object.keys(value).length > maxProperties) return true;
    return inside.some(({ name, isOverfull }) => Object.hasOwn(value, name) && isOverfull(value[name]));
  };
}

/** What is wrong, at most 64 problems; none if the value fits. */
export function diagnose(schema: Schema, value: unknown, path: Path = []): readonly Problem[] {
  const problems: Problem[] = [];
  for (const problem of problemsOf(schema, value, path)) {
    problems.push(problem);
    if (problems.length === maxProblems) break;
  }
  return problems;
}

function* problemsOf(schema: Schema, value: unknown, path: Path): Generator<Problem, void, undefined> {
  if (schema.anyOf) yield* ofUnion(schema.anyOf, value, path);
  else if (schema.const !== undefined) {
    if (value !== schema.const) yield { path, message: `must be ${String(schema.const)}` };
  } else if (!hasType(schema, value)) yield { path, message: wrongType(schema, value) };
  else if (typeof value === 'string') yield* ofText(schema, value, path);
  else if (typeof value === 'number') yield* ofNumber(schema, value, path);
  else if (Array.isArray(value)) yield* ofList(schema, value, path);
  else if (isObject(value)) yield* ofObject(schema, value, path);
}

function* ofText({ pattern, form, minLength = 0, maxLength = Infinity }: Schema, text: string, path: Path) {
  if (text.length < minLength)
    yield { path, message: text === '' ? 'is empty' : `is shorter than ${String(minLength)} characters` };
  else if (text.length > maxLength) yield { path, message: `is longer than ${String(maxLength)} characters` };
  else if (pattern !== undefined && !matches(pattern, text))
    yield {
      path,
      message: text === '' ? `is empty${form === undefined ? '' : `; it must be ${form}`}` : misformed(text, form),
    };
}

function* ofNumber({ minimum = -Infinity, maximum = Infinity }: Schema, value: number, path: Path) {
  if (value >= minimum && value <= maximum) return;
  const isBoth = Number.isFinite(minimum) && Number.isFinite(maximum);
  const bounds = isBoth
    ? `between ${String(minimum)} and ${String(maximum)}`
    : value < minimum
      ? `at least ${String(minimum)}`
      : `at most ${String(maximum)}`;
  yield { path, message: `must be ${bounds}` };
}

function* ofList(
  { items, minItems = 0, maxItems = Infinity }: Schema,
  list: readonly unknown[],
  path: Path,
): Generator<Problem> {
  if (list.length < minItems)
    yield {
      path,
      message: `needs at least ${String(minItems)} ${minItems === 1 ? 'item' : 'items'}`,
      isOfNumber: true,
    };
  if (list.length > maxItems) {
    // What there is too much of is not looked at one by one.
    yield { path, message: `has more than ${String(maxItems)} items` };
    return;
  }
  if (items) for (const [index, item] of list.entries()) yield* problemsOf(items, item, [...path, index]);
}

function* ofObject(schema: Schema, value: Members, path: Path): Generator<Problem> {
  const { properties = {}, required = [], minProperties = 0, maxProperties = Infinity } = schema;
  const known = Object.keys(properties);
  const isChoice = minProperties === 1 && maxProperties === 1;
  if (!isChoice && Object.keys(value).length > maxProperties) {
    // As of a list.
    yield { path, message: `has more than ${String(maxProperties)} members` };
    return;
  }
  const given = Object.keys(value).filter((name) => value[name] !== undefined);
  const absent = known.filter((name) => value[name] === undefined);
  const isKnown = (name: string) => Object.hasOwn(properties, name);
  const keyed = Object.entries(schema.patternProperties ?? {});
  let isOdd = false;
  for (const name of given) {
    if (isKnown(name)) continue;
    const [, inside] = keyed.find(([pattern]) => matches(pattern, name)) ?? [];
    if (inside) yield* problemsOf(inside, value[name], [...path, name]);
    else if (schema.additionalProperties === false) {
      isOdd = true;
      yield {
        path: [...path, printable(name)],
        message: schema.nameForm === undefined ? unknownMember(name, absent) : misformedName(name, schema.nameForm),
      };
    }
  }
  const missing = required.filter((name) => value[name] === undefined);
  const meant = missing.length === 0 ? [] : given.map((name) => (isKnown(name) ? name : nearest(name, known)));
  for (const name of missing) if (!meant.includes(name)) yield { path: [...path, name], message: 'is missing' };
  for (const name of given) {
    const inside = isKnown(name) ? properties[name] : undefined;
    if (inside) yield* problemsOf(inside, value[name], [...path, name]);
  }
  if (isChoice && !isOdd && given.length !== 1)
    yield { path, message: `needs exactly one of ${known.join(', ')}`, isOfNumber: true };
  else if (!isChoice && given.length < minProperties) yield { path, message: 'is empty', isOfNumber: true };
}

/** What is wrong inside the form that was meant, or the values that there are. */
function* ofUnion(options: readonly Schema[], value: unknown, path: Path): Generator<Problem> {
  const found = options.map((option) => ({ option, problems: [...diagnose(option, value, path)] }));
  if (found.some(({ problems }) => problems.length === 0)) return;
  const allowed = options.flatMap((option) => (option.const === undefined ? [] : [String(option.const)]));
  const meant = found.filter(({ option }) => option.const === undefined && hasType(option, value));
  const [best] = meant.sort(
    (one, other) =>
      score(one.option, value) - score(other.option, value) || one.problems.length - other.problems.length,
  );
  if (best) yield* best.problems;
  else if (allowed.length > 0) {
    const hint = typeof value === 'string' ? didYouMean(value, allowed) : '';
    yield { path, message: `must be one of ${allowed.join(', ')}${hint}` };
  } else yield { path, message: 'has none of the allowed forms' };
}

/** The fewer members a form does not know, the likelier it was meant. */
const score = ({ properties = {} }: Schema, value: unknown): number =>
  isObject(value) ? Object.keys(value).filter((name) => !Object.hasOwn(properties, name)).length : 0;
