// A target of the fuzzing: it makes one input from chance, uses it, and throws when a guarantee does not hold.
import { PaycertError } from '../../src/errors.ts';
import type { Mutation } from './mutate-bytes.ts';
import type { Random } from './random.ts';

/** What became of an input; counted, so that a run shows that it reached both sides. */
export type Fate = 'accepted' | 'refused';

export interface Target extends AsyncDisposable {
  /** Makes input from chance and tries it. Any throw is a failure. */
  run(random: Random): Promise<Fate>;
}

/** The result, or the error by which it was refused. Everything but a PaycertError is passed on: it is a failure. */
export async function refusalOf<T>(work: () => T | Promise<T>): Promise<{ value: T } | { error: PaycertError }> {
  try {
    return { value: await work() };
  } catch (error) {
    if (error instanceof PaycertError) return { error };
    throw error;
  }
}

/** One to four mutations in a row, most often one. */
export function mutate(
  bytes: Buffer,
  mutations: readonly Mutation[],
  random: Random,
  others: readonly Buffer[],
): Buffer {
  let mutated = bytes;
  for (let count = random.size(4); count > 0; count--) mutated = random.pick(mutations)(mutated, random, others);
  return mutated;
}
