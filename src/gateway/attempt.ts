// One try of a call on the wire, and how it ended.

/** `responded`: a response arrived, whatever it says. `not-sent`: no byte can have left. */
export type AttemptOutcome = 'responded' | 'not-sent' | 'interrupted' | 'timed-out';

export interface Attempt {
  readonly host: string;
  readonly startedAt: Date;
  readonly endedAt: Date;
  readonly outcome: AttemptOutcome;
  readonly status?: number;
  /** The key that signed it. */
  readonly keyId?: string;
}
