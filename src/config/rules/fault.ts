// One rule of a configuration that does not hold, and the error that names its field.
import { type ErrorCode, PaycertError } from '../../errors.ts';
import { fieldOf } from '../../validation.ts';
import type { Path } from '../yaml.ts';

/** One rule that does not hold. */
export interface Fault {
  readonly path: Path;
  /** What is said after the name of the field. */
  readonly message: string;
  /** `config-invalid`, unless it is given. */
  readonly code?: ErrorCode;
  /** Members that would make it hold: what is wrong with one of them says enough. */
  readonly absent?: readonly Path[];
}

export const faultError = ({ path, message, code }: Fault, otherwise: ErrorCode = 'config-invalid'): PaycertError =>
  new PaycertError(code ?? otherwise, `${fieldOf(path)} ${message}`, { field: fieldOf(path) });
