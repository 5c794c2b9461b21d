// What becomes of a notification that fails: what is counted, and the status that its platform gets.
import type { PaycertError } from '../../errors.ts';
import type { NotifiedOutcome } from '../../events.ts';
import { problemOf } from '../problem.ts';

export interface Failure {
  readonly outcome: Exclude<NotifiedOutcome, 'accepted' | 'repeated' | 'asked'>;
  readonly status: number;
}

/** The platform has signed it, and it is not known here what it says. */
const unopened: ReadonlySet<string> = new Set(['decryption-failed', 'notification-malformed', 'notification-misdirected', 'no-apiv3-key']); // prettier-ignore

/**
 * 401: it is forged, or a probe. 500: it may be genuine, and the fault is on this side. 502, 504: the application has not taken it. Each
 * makes the platform send it again.
 */
export function failureOf(error: PaycertError): Failure {
  const { code, kind } = error;
  const { status } = problemOf(error);
  if (unopened.has(code)) return { outcome: 'unopened', status: 500 };
  if (code === 'key-id-unknown') return { outcome: 'refused', status: 500 };
  if (code === 'application-late') return { outcome: 'late', status: 504 };
  if (code === 'delivery-elsewhere') return { outcome: 'elsewhere', status };
  if (code === 'application-timeout') return { outcome: 'undelivered', status: 504 };
  if (code.startsWith('application-')) return { outcome: 'undelivered', status: 502 };
  if (code === 'source-limited') return { outcome: 'limited', status };
  if (kind === 'refused') return { outcome: 'refused', status: 401 };
  if (kind === 'not-ready') return { outcome: 'not-ready', status: 503 };
  return { outcome: 'invalid', status };
}
