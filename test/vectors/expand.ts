// One vector → situations: a list of cases becomes one each, with what is expected of each.
import { isDeepStrictEqual } from 'node:util';
import { isObject, type Json, type Vector } from './read.ts';
import type { Findings } from './findings.ts';
import { renamed } from './names.ts';
import { type Case, withNegatives } from './negatives.ts';
import { Situation } from './situation.ts';
import { verdictKeys } from './verdict.ts';

const caseLists = ['cases', 'tests', 'messages', 'items', 'samples', 'vectors'];
/** Inputs of which a list means one case each, where the single one is not given. */
const plural =
  /^(?:[a-z0-9_]*_)?(nonce|ciphertext|signature|serial|associated_data|timestamp|password|key)s?_?(s|lengths|values)$/;

const singular: Readonly<Record<string, string>> = {
  results: 'result',
  outcomes: 'outcome',
  plaintexts: 'plaintext',
  errors: 'error',
  cases: 'result',
};

interface About {
  /** The input that the cases come from; an expectation of that name is about each of them. */
  readonly list: string;
  readonly count: number;
  readonly expected: Json;
}

/** The expectation of case `i`: its element of every list that is as long, its entry under its name, and all that is for all. */
function expectedOf(i: number, one: Json, { list, count, expected }: About, findings: Findings): Json {
  const own: [string, unknown][] = [];
  for (const [key, value] of Object.entries(expected)) {
    const name = one['name'] ?? one['id'] ?? one['label'];
    const isPerCase = Array.isArray(value) && value.length === count;
    const element: unknown = isPerCase
      ? value[i]
      : isObject(value) && typeof name === 'string' && name in value
        ? value[name]
        : value;
    if (isPerCase || element !== value) findings.see(key);
    if (isObject(element) && element !== value) own.push(...Object.entries(element));
    else own.push([key === list ? 'result' : isPerCase ? (singular[key] ?? key) : key, element]);
  }
  const result: Record<string, unknown> = Object.fromEntries(own);
  for (const key of verdictKeys) {
    if (!(key in one)) continue;
    const value = one[key];
    if (isObject(value)) Object.assign(result, value);
    else if (key in result && !isDeepStrictEqual(result[key], value))
      findings.fail(`case ${i + 1}`, `${key} contradicts expected`);
    else result[key] = value;
  }
  return result;
}

function casesOf(vector: Vector, findings: Findings): Case[] {
  const { inputs, expected } = vector;
  const toCases = (cases: readonly Json[], list: string): Case[] => {
    const shared = Object.fromEntries(Object.entries(inputs).filter(([key]) => key !== list));
    return cases.map((one, i) => ({
      label: `case ${i + 1}`,
      inputs: { ...shared, ...one },
      expected: expectedOf(i, one, { list, count: cases.length, expected }, findings),
    }));
  };
  for (const key of caseLists) {
    const list = inputs[key];
    if (Array.isArray(list) && list.length > 0 && list.every(isObject)) return toCases(list, key);
  }
  for (const [key, list] of Object.entries(inputs)) {
    const [, name, ending] = plural.exec(key) ?? [];
    if (name === undefined || name in inputs || !Array.isArray(list) || list.length === 0) continue;
    const values = list.map((value: unknown) => (ending === 'lengths' ? 'x'.repeat(Number(value)) : value));
    if (values.every((value) => typeof value === 'string'))
      return toCases(
        values.map((value) => ({ [name]: value })),
        key,
      );
  }
  return [{ label: '', inputs, expected }];
}

export function situationsOf(vector: Vector, findings: Findings): Situation[] {
  return casesOf(vector, findings)
    .flatMap((one) => withNegatives(one, findings))
    .map(({ label, inputs, expected }) => new Situation(vector, label, renamed(inputs), expected, findings));
}
