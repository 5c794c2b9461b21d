// How far a signed time may be from this machine's clock: five minutes either way, as every platform has it.
import { PaycertError } from '../../errors.ts';

/** Either way: a clock that runs ahead is as suspicious as an old message. */
export const windowMilliseconds = 300_000;

const digits = { seconds: /^\d{1,12}$/, milliseconds: /^\d{1,15}$/ } as const;
const milliseconds = { seconds: 1000, milliseconds: 1 } as const;

/** The time that the text says. @throws PaycertError `timestamp-outside-window`, also for a text that is no time */
export function assertFresh(text: string, now: Date, field: string, unit: keyof typeof digits = 'seconds'): Date {
  const time = digits[unit].test(text) ? Number(text) * milliseconds[unit] : Number.NaN;
  if (Math.abs(now.getTime() - time) <= windowMilliseconds) return new Date(time);
  const message = 'the timestamp is not within five minutes of this machine’s clock';
  throw new PaycertError('timestamp-outside-window', message, { field });
}

/** Unix time, as most platforms sign it. */
export const seconds = (now: Date): string => String(Math.floor(now.getTime() / 1000));
