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
  throw new PaycertError('timestamp-outside-window', explain(text, time, { now, unit }), { field });
}

/** What a time from 2001 to 2286 has: it tells the unit of old messages, too, and whatever this machine’s clock says. */
const usual = { seconds: /^\d{10}$/, milliseconds: /^\d{13}$/ } as const;

type Unit = keyof typeof digits;

/** A time is public, and the offset says at once whose clock is wrong, or that it is an old message. */
function explain(text: string, time: number, { now, unit }: { readonly now: Date; readonly unit: Unit }): string {
  const other: Unit = unit === 'seconds' ? 'milliseconds' : 'seconds';
  if (usual[other].test(text)) return `the timestamp is in ${other}, and is signed in ${unit}`;
  if (Number.isNaN(time)) return `the timestamp is not a number of ${unit}`;
  const offset = time - now.getTime();
  return `the timestamp is ${lengthOf(Math.abs(offset))} ${offset < 0 ? 'behind' : 'ahead of'} this machine’s clock; five minutes are allowed`;
}

const units = [
  ['days', 86_400_000],
  ['hours', 3_600_000],
  ['minutes', 60_000],
] as const;

/** In the largest unit of which there are two or more. */
function lengthOf(length: number): string {
  const [name, size] = units.find(([, one]) => length >= 2 * one) ?? units[2];
  return `${String(Math.round(length / size))} ${name}`;
}

/** Unix time, as most platforms sign it. */
export const seconds = (now: Date): string => String(Math.floor(now.getTime() / 1000));
