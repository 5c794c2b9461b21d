// A signing context whose set and operations also lie at its top, so that tests read as sentences.
import type { KeySet, Operations, SigningContext } from '../../src/providers/provider.ts';

export type FlatContext = SigningContext & KeySet & Partial<Operations>;

export const flatten = (context: SigningContext): FlatContext => ({
  ...context.set,
  ...context.operations,
  ...context,
});
