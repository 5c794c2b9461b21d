// The exit code of each kind of error, for every command.
import type { ErrorKind } from '../errors.ts';

/** sysexits(3), as far as it has a word for it. */
export const exitCodes = {
  config: 78,
  source: 75,
  material: 65,
  request: 64,
  refused: 1,
  'not-ready': 75,
  gateway: 69,
  internal: 70,
} as const satisfies Record<ErrorKind, number>;
