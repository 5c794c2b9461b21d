// A file that says who we are to a key service, or whom to trust there: what is wrong with it is for the owner of the sidecar, and is said under its field.
import { type ErrorCode, PaycertError } from '../errors.ts';

/**
 * What is to be said where one of our files is at fault, with the whole path of its field in the configuration; undefined where the
 * service has responded: that names no field.
 */
export function ofOwnFile(error: PaycertError, service: string, code = error.code): PaycertError | undefined {
  const { field = '', message } = error;
  if (error.code !== 'source-unreadable' && (error.code !== 'origin-unauthenticated' || field === '')) return undefined;
  const isPartial = /^(?:auth|tls)\./.test(field);
  return new PaycertError(code, isPartial ? `keyServices.${service}.${field}: ${message}` : message, { cause: error });
}

/** Of a signature: as its callers have to know it. `codes`: what the service refuses; the rest is that it is away. */
export const callersError = (
  error: PaycertError,
  service: string,
  codes: Readonly<Partial<Record<ErrorCode, ErrorCode>>>,
): PaycertError =>
  ofOwnFile(error, service, 'key-service-file-unusable') ??
  new PaycertError(codes[error.code] ?? 'key-service-unavailable', error.message, { cause: error });
