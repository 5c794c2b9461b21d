// One message, certificate or container, with what must come of it. All that a checker sees of a vector.
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { PaycertError } from '../../src/errors.ts';
import { namesOf } from './names.ts';
import type { Json, Vector } from './read.ts';
import { type Findings, Unusable } from './findings.ts';
import { type Verdict, verdictIn, verdictOf } from './verdict.ts';

export class Situation {
  readonly vector: Vector;
  readonly inputs: Json;
  readonly label: string;
  readonly #expected: Json;
  readonly #findings: Findings;

  constructor(vector: Vector, label: string, inputs: Json, expected: Json, findings: Findings) {
    this.vector = vector;
    this.label = label;
    this.inputs = inputs;
    this.#expected = expected;
    this.#findings = findings;
  }

  /** The first input of these names that is there: sources name the same thing differently. */
  input(...names: string[]): unknown {
    return names.map((name) => this.inputs[name]).find((value) => value !== undefined);
  }

  text(...names: string[]): string | undefined {
    const value = this.input(...names);
    return typeof value === 'number' ? String(value) : typeof value === 'string' ? value : undefined;
  }

  need(...names: string[]): string {
    const value = this.text(...names);
    if (value === undefined) throw new Unusable(`there is no input ${names.join(' or ')}`);
    return value;
  }

  /** A PEM file beside vectors.json, or what stands in the vector itself. */
  material(...names: string[]): Buffer | undefined {
    const value = this.text(...names);
    return value === undefined ? undefined : this.contents(value);
  }

  contents(value: string): Buffer {
    return this.file(value) ?? Buffer.from(value);
  }

  file(name: string): Buffer | undefined {
    if (name === '' || name.length > 200 || name.includes('\0')) return undefined;
    const path = join(this.vector.folder, name);
    return statSync(path, { throwIfNoEntry: false })?.isFile() === true ? readFileSync(path) : undefined;
  }

  /** The first expectation of these names that is there; asking counts as having looked. */
  expects(...names: string[]): unknown {
    const name = names.flatMap(namesOf).find((candidate) => this.#expected[candidate] !== undefined);
    if (name === undefined) return undefined;
    this.#findings.see(name);
    return this.#expected[name];
  }

  expectsText(...names: string[]): string | undefined {
    const value = this.expects(...names);
    return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
  }

  /** What a source computes and the product refuses to: nothing is asserted of it. */
  passOver(pattern: RegExp): void {
    this.#findings.passOver(...this.expectedKeys(pattern));
  }

  expectedKeys(pattern: RegExp): string[] {
    return Object.keys(this.#expected).filter((key) => pattern.test(key));
  }

  get verdict(): Verdict | undefined {
    return verdictIn(this.#expected, (key) => this.#findings.see(key));
  }

  verdictOf(...names: string[]): Verdict | undefined {
    return verdictOf(this.expects(...names));
  }

  /** For short facts that may be shown. */
  equal(what: string, actual: unknown, expected: unknown): void {
    this.#findings.equal(this.label, what, actual, expected);
  }

  /** What must hold whatever the vector expects. */
  require(holds: boolean, why: string): void {
    this.#findings.require(this.label, holds, why);
  }

  /** For everything else: says only that it differs. */
  assert(isAsExpected: boolean, why: string): void {
    this.#findings.assert(this.label, isAsExpected, why);
  }

  /**
   * Runs the product. Refusing is its own error, anything else it throws is a crash. The result, unless refusing is
   * right or has just been reported.
   */
  async run<T>(
    work: () => T | Promise<T>,
    verdict: Verdict | 'unjudged' = this.verdict ?? 'unjudged',
  ): Promise<T | undefined> {
    try {
      const result = await work();
      if (verdict !== 'unjudged') this.assert(verdict === 'accepted', 'was accepted and must be refused');
      return verdict === 'refused' ? undefined : result;
    } catch (error) {
      if (!(error instanceof PaycertError)) throw error;
      this.assert(verdict === 'refused', `was refused: ${error.code}`);
      return undefined;
    }
  }
}
