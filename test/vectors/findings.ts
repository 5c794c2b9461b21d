// What checking one vector found: how much was asserted, what failed, and which expectations nobody looked at.
import { isDeepStrictEqual } from 'node:util';
import type { Vector } from './read.ts';

/** What a checker cannot work with; its message names inputs and never holds their values. */
export class Unusable extends Error {}

/** An answer of the source that is short enough to show and never a secret: a serial number, a flag, a date. */
const show = (fact: unknown): string => (fact === undefined ? 'nothing' : JSON.stringify(fact));

export class Findings {
  readonly failures: string[] = [];
  readonly #seen = new Set<string>();
  readonly #passedOver = new Set<string>();
  readonly #vector: Vector;
  #asserted = 0;

  constructor(vector: Vector) {
    this.#vector = vector;
  }

  see(key: string): void {
    this.#seen.add(key);
  }

  /** Known, and not what the product is asked: reported with those that nobody asked for. */
  passOver(...keys: readonly string[]): void {
    for (const key of keys) this.#passedOver.add(key);
  }

  fail(label: string, why: string): void {
    this.failures.push(label === '' ? why : `${label}: ${why}`);
  }

  /** What must hold whatever the vector expects: says nothing for it, much against it. */
  require(label: string, holds: boolean, why: string): void {
    if (!holds) this.fail(label, why);
  }

  assert(label: string, isAsExpected: boolean, why: string): void {
    this.#asserted += 1;
    if (!isAsExpected) this.fail(label, why);
  }

  /** For facts: shows both. */
  equal(label: string, what: string, actual: unknown, expected: unknown): void {
    this.assert(label, isDeepStrictEqual(actual, expected), `${what} is ${show(actual)}, not ${show(expected)}`);
  }

  get asserted(): number {
    return this.#asserted;
  }

  /** Expectations that nothing was asserted of; they are reported and counted, not passed over in silence. */
  get unasserted(): readonly string[] {
    return Object.keys(this.#vector.expected).filter((key) => !this.#seen.has(key) || this.#passedOver.has(key));
  }
}
