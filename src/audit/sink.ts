// Where the lines of an audit go, one after the other: a directory, or a collector.
import { PaycertError } from '../errors.ts';

export interface AuditSink {
  /** Why lines wait; undefined while all is well. */
  readonly failure: PaycertError | undefined;
  /** Since when there is one. */
  readonly failingSince: Date | undefined;
  readonly hasRoom: boolean;
  /** `seq`: its number in the chain; `record`: what it says. */
  add(line: string, seq: number, record: object): void;
  /** When every line until now is there. @throws PaycertError `audit-unavailable` */
  written(): Promise<void>;
  /** After what waits is written, or does not get there. */
  close(): Promise<void>;
}

/** `why`: a code of the system, or what we say ourselves. */
export const unavailable = (why: string): PaycertError =>
  new PaycertError('audit-unavailable', `the audit cannot be written: ${why}`, { field: 'audit' });
