// What a provider takes of the shapes that all providers share. The rest is refused by name: what is ignored would go unsigned.
import { requestInvalid } from '../../errors.ts';
import type { Received } from '../provider.ts';

/** @throws PaycertError `request-invalid`: a member that this provider has no use for, by its name */
export function takeOnly(input: object, members: readonly string[]): void {
  const foreign = Object.entries(input).find(([name, value]) => value !== undefined && !members.includes(name));
  if (foreign !== undefined) throw requestInvalid(foreign[0], 'is nothing that this credential’s provider takes here');
}

/** @throws PaycertError `request-invalid`: a member that this provider cannot do without */
export function need<T, K extends keyof T & string>(input: T, field: K): NonNullable<T[K]> {
  const value = input[field];
  if (value === undefined || value === null)
    throw requestInvalid(field, 'is missing; this credential’s provider needs it');
  return value;
}

/** What everybody knows of an HTTP message that has arrived: facts about it, and no instructions. */
const factsOfMessages = ['kind', 'method', 'url', 'status', 'headers', 'body'];

/**
 * Every provider takes all of these facts, so that a caller that passes a message on says the same of it for every platform.
 * Which of them count is the platform's to say: it signs some and leaves out others.
 * @throws PaycertError `request-invalid`: a member beside them that is not among `more`
 */
export function takeReceived(received: Exclude<Received, { kind: 'message' }>, ...more: readonly string[]): void {
  takeOnly(received, [...factsOfMessages, ...more]);
}
