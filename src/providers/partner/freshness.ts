// What makes a signed request good now and once: a timestamp within the window, a nonce that was not accepted before.
import { PaycertError } from '../../errors.ts';
import { assertFresh, windowMilliseconds } from '../shared/freshness.ts';
import type { Nonces } from '../shared/nonces.ts';

/** A message from the future is within the window for twice as long; one second more, since both ends count. */
export const shortestMemory = 2 * windowMilliseconds + 1000;

/** What signs a request, in the order of its checks: presence, window, nonce, signature; then the nonce is taken. */
export interface Stamp {
  readonly timestamp: string;
  readonly nonce: string;
  /** Names of fields, for errors. */
  readonly fields: { readonly timestamp: string; readonly nonce: string };
}

/**
 * Runs `verify` between looking for the nonce and taking it. All in one go: two copies of a message that arrive together
 * are not both new.
 */
export function acceptOnce<T>(nonces: Nonces, { timestamp, nonce, fields }: Stamp, now: Date, verify: () => T): T {
  const signedAt = assertFresh(timestamp, now, fields.timestamp);
  nonces.assertUnseen(nonce, now, signedAt);
  const verified = verify();
  nonces.remember(nonce, now, signedAt);
  return verified;
}

/** @throws PaycertError `signature-missing` */
export function needSigned(value: string | undefined, field: string): string {
  if (value !== undefined && value !== '') return value;
  throw new PaycertError('signature-missing', `${field} is missing`, { field });
}
