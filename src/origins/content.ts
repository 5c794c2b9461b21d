// What a server says in JSON, one member at a time: whatever is not as its API promises is one error.
import { PaycertError } from '../errors.ts';

export type Members = Readonly<Record<string, unknown>>;

export const isMembers = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** An object within an object, however much of it is missing: empty then. Own members only. */
export function within(value: unknown, ...path: readonly string[]): Members {
  let found: unknown = value;
  for (const name of path) found = isMembers(found) && Object.hasOwn(found, name) ? found[name] : undefined;
  return isMembers(found) ? found : {};
}

export const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

export const malformed = (what: string, server: string): PaycertError =>
  new PaycertError('response-malformed', `${what}: the response is not what the API of ${server} promises`);
