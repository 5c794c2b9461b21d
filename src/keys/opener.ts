// What opens wrapped values with one key of one key service, and how a value that it refuses is reported.
import { PaycertError } from '../errors.ts';

export type { WrappingContext } from '../crypto/wrapped.ts';

export interface Opener {
  /** As the configuration calls the service. */
  readonly service: string;
  /** What a value looks like that it opens, for people. */
  readonly form: string;
  /** The most bytes of a wrapped value that it takes. */
  readonly maxBytes: number;
  readonly isWrapped: (text: string) => boolean;
  /**
   * Each value, or why it is not opened, in their order.
   * @throws PaycertError of kind source where the service opens none
   */
  readonly open: (texts: readonly string[], signal: AbortSignal) => Promise<readonly Opened[]>;
}

export type Opened = Uint8Array | PaycertError;

/** What the service itself says is left out: it may quote what it refuses. */
export const unopened = (what: string): PaycertError =>
  new PaycertError('unwrap-refused', `${what}: wrapped with another key or context, or changed since`);
