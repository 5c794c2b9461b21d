// Damage to JSON along its structure: members of other types, under other names, too many, too deep.
import type { Random } from './random.ts';

type Json = unknown;

const oddValues: readonly Json[] = [
  null,
  true,
  0,
  -1,
  1e308,
  2 ** 53,
  0.5,
  '',
  ' ',
  '\0',
  '\ud800',
  '😀',
  '\n',
  'AAAA',
  '====',
  'WECHATPAY/SIGNTEST/AAAA',
  [],
  {},
  [[]],
  '__proto__',
];
const oddNames = ['__proto__', 'constructor', 'toString', '', ' ', '\0', 'items', 'message', 'kind', 'a'.repeat(300)];

const isObject = (value: Json): value is Readonly<Record<string, Json>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function deep(random: Random): Json {
  let value: Json = 'deepest';
  const isList = random.isOneIn(2);
  for (let level = random.isOneIn(30) ? 5000 : random.size(200); level > 0; level--)
    value = isList ? [value] : { a: value };
  return value;
}

function long(value: Json, random: Random): Json {
  if (typeof value === 'string') return value.repeat(random.size(200));
  return Array.from({ length: random.size(400) }, () => value);
}

function mutateHere(value: Json, random: Random): Json {
  const kind = random.below(6);
  if (kind === 0) return random.pick(oddValues);
  if (kind === 1) return deep(random);
  if (kind === 2) return long(value, random);
  if (kind === 3 && typeof value === 'string') return value.slice(0, random.below(value.length + 1));
  if (isObject(value)) {
    const entries = Object.entries(value);
    const at = random.below(entries.length + 1);
    const [name, old] = entries[at] ?? ['extra', 1];
    if (kind === 4) return Object.fromEntries(entries.toSpliced(at, 1));
    return Object.fromEntries(entries.toSpliced(at, random.below(2), [random.pick([...oddNames, name]), old]));
  }
  return random.pick(oddValues);
}

/** Walks down by chance and changes what it finds there. */
export function mutateJson(value: Json, random: Random): Json {
  if (isObject(value) && !random.isOneIn(4)) {
    const entries = Object.entries(value);
    if (entries.length === 0) return mutateHere(value, random);
    const at = random.below(entries.length);
    return Object.fromEntries(
      entries.map(([name, inner], index) => [name, index === at ? mutateJson(inner, random) : inner]),
    );
  }
  if (Array.isArray(value) && value.length > 0 && !random.isOneIn(4)) {
    const at = random.below(value.length);
    return (value as Json[]).map((inner, index) => (index === at ? mutateJson(inner, random) : inner));
  }
  return mutateHere(value, random);
}

/** As text; what is too deep for JSON.stringify is a long row of brackets instead. */
export function toText(value: Json): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return `{"message":${'['.repeat(20_000)}${']'.repeat(20_000)}}`;
  }
}
