// What is known of a call after it ended, and of each try of it on the wire.

/**
 * `ok`: the platform did it, and its response verifies or is unsigned by design. `refused`: it was not done; nothing was
 * sent, or the platform said no. `unknown`: it may have been done; query before you repeat.
 */
export type CallOutcome = 'ok' | 'refused' | 'unknown';

/** `responded`: a response arrived, whatever it says. `not-sent`: no byte can have left. */
export type AttemptOutcome = 'responded' | 'not-sent' | 'interrupted' | 'timed-out';

/** One try of a call on the wire. */
export interface Attempt {
  readonly host: string;
  readonly startedAt: Date;
  readonly endedAt: Date;
  readonly outcome: AttemptOutcome;
  readonly status?: number;
}

/** Statuses that say no. 408 and 429 leave open what became of the call; a 5xx does always. */
export function outcomeOfStatus(status: number): CallOutcome {
  if (status >= 200 && status < 300) return 'ok';
  return status >= 400 && status < 500 && status !== 408 && status !== 429 ? 'refused' : 'unknown';
}
