// When the next of two staged sets signs: as it was configured, or as a file says that changes while the process runs.
import { PaycertError } from '../errors.ts';
import type { Activation, Source } from './source.ts';

export interface Schedule {
  /** Before anything is read. */
  readonly configured: Activation;
  /** As it is said now. Throws nothing but the signal's reason. */
  read(signal: AbortSignal): Promise<Activation>;
  /** Absent where it never changes. */
  readonly changes?: Source['changes'];
}

export const always = (configured: Activation): Schedule => ({ configured, read: () => Promise.resolve(configured) });

export interface FollowedOptions {
  /** Of the file alone. */
  readonly source: Source;
  readonly configured: Activation;
  /** Undefined where it says nothing of this credential. @throws PaycertError */
  readonly parse: (bytes: Uint8Array) => Activation | undefined;
  /** What it says now makes no sense, or cannot be read; once for each. */
  readonly refused: (error: PaycertError) => void;
}

/** What it said last counts while it makes no sense; what was configured, while it says nothing. */
export function followed({ source, configured, parse, refused }: FollowedOptions): Schedule {
  let last = configured;
  let told: string | undefined;
  return {
    configured,

    async read(signal) {
      try {
        const { data } = await source.read(signal);
        const [bytes = new Uint8Array()] = data.values();
        last = parse(bytes) ?? configured;
        told = undefined;
      } catch (error) {
        if (!(error instanceof PaycertError)) throw error;
        if (error.message !== told) refused(error);
        told = error.message;
      }
      return last;
    },

    changes: (signal) => source.changes(signal),
  };
}
