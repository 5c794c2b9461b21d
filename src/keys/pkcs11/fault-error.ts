// What goes wrong in the process of a module, as an error that is sent to the sidecar.
import type { Fault, FaultKind } from './words.ts';

export class FaultError extends Error {
  override readonly name = 'FaultError';
  readonly fault: Fault;

  constructor(kind: FaultKind, message: string, refusedPin?: Fault['refusedPin']) {
    super(message);
    this.fault = { kind, message, ...(refusedPin && { refusedPin }) };
  }
}

/** What says that a token, or what we had of it, has gone: another log-in, or another process, may find it again. */
const lost: ReadonlySet<string> = new Set([
  'CKR_CRYPTOKI_NOT_INITIALIZED',
  'CKR_DEVICE_ERROR',
  'CKR_DEVICE_MEMORY',
  'CKR_DEVICE_REMOVED',
  'CKR_FUNCTION_FAILED',
  'CKR_GENERAL_ERROR',
  'CKR_KEY_HANDLE_INVALID',
  'CKR_OBJECT_HANDLE_INVALID',
  'CKR_SESSION_CLOSED',
  'CKR_SESSION_HANDLE_INVALID',
  'CKR_SLOT_ID_INVALID',
  'CKR_TOKEN_NOT_PRESENT',
  'CKR_TOKEN_NOT_RECOGNIZED',
  'CKR_USER_NOT_LOGGED_IN',
]);

/** What is said of one key, and will be said of it again. */
const refused: ReadonlySet<string> = new Set([
  'CKR_FUNCTION_NOT_SUPPORTED',
  'CKR_KEY_FUNCTION_NOT_PERMITTED',
  'CKR_KEY_SIZE_RANGE',
  'CKR_KEY_TYPE_INCONSISTENT',
  'CKR_MECHANISM_INVALID',
  'CKR_MECHANISM_PARAM_INVALID',
]);

/** The name of a return value of the module; nothing where it is another error. */
export const returnValueOf = (error: unknown): string | undefined =>
  error instanceof Error && error.name === 'Pkcs11Error' ? error.message : undefined;

/** Any error of a call, with words of ours and the name of what the module returned. */
export function faultOf(error: unknown, what: string): FaultError {
  if (error instanceof FaultError) return error;
  const value = returnValueOf(error);
  // A stack or a foreign text stays in that process.
  if (value === undefined) return new FaultError('failed', `${what}: something unforeseen happened`);
  const kind = lost.has(value) ? 'lost' : refused.has(value) ? 'refused' : 'failed';
  return new FaultError(kind, `${what}: the module says ${value}`);
}
