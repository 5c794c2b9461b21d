// Reads the parts of material by name. Collects what is wrong with them instead of stopping at the first.
import { isUtf8 } from 'node:buffer';
import type { KeyObject } from 'node:crypto';
import { saidOfUtf16 } from '../../crypto/foreign-forms.ts';
import { PaycertError } from '../../errors.ts';
import { type Origin, saidOfPasted } from '../../pasted.ts';

/** A key under the name of the part that holds it. */
export type NamedKey = readonly [name: string, key: KeyObject];

export interface MaterialReader {
  /** The part of that name as `read` makes it; nothing where it is absent, or wrong, which is then a problem. */
  readonly part: <T>(name: string, read: (bytes: Uint8Array, field: string) => T) => T | undefined;
  /** The same; that it is absent is a problem too. */
  readonly required: <T>(name: string, read: (bytes: Uint8Array, field: string) => T) => T | undefined;
  readonly problems: PaycertError[];
}

export function materialReader(data: ReadonlyMap<string, Uint8Array>): MaterialReader {
  const problems: PaycertError[] = [];
  const part: MaterialReader['part'] = (name, read) => {
    const bytes = data.get(name);
    if (bytes === undefined) return undefined;
    try {
      return read(bytes, name);
    } catch (error) {
      if (!(error instanceof PaycertError)) throw error;
      problems.push(error);
      return undefined;
    }
  };
  return {
    part,
    required(name, read) {
      if (!data.has(name)) problems.push(new PaycertError('material-missing', `${name} is missing`, { field: name }));
      return part(name, read);
    },
    problems,
  };
}

/** A time as RFC 3339 has it, with its offset. */
export function timeOf(text: string): Date | undefined {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/.test(text)) return undefined;
  const time = Date.parse(text);
  // 30 February is the 2nd of March to it.
  const [year = 0, month = 0, day] = text.slice(0, 10).split('-').map(Number);
  const isDay = new Date(Date.UTC(year, month - 1, day)).getUTCDate() === day;
  return Number.isNaN(time) || !isDay ? undefined : new Date(time);
}

/** As people paste it: without a byte order mark and white space around it, one character a byte. */
export const readTrimmed = (bytes: Uint8Array): string =>
  Buffer.from(bytes)
    .toString('latin1')
    .replace(/^\xef\xbb\xbf/, '')
    .trim();

/**
 * A secret as people paste it: its bytes. One rule for all: what was copied with what was around it, or stands in its place, is
 * refused in words that never hold the value.
 * @throws what `refuse` makes of the words
 */
export function readSecret(bytes: Uint8Array, origin: Origin, refuse: (what: string) => PaycertError): Buffer {
  const utf16 = saidOfUtf16(bytes);
  if (utf16 !== undefined) throw refuse(utf16);
  const text = readTrimmed(bytes);
  if (text === '') throw refuse('is empty');
  const raw = Buffer.from(text, 'latin1');
  const what = saidOfPasted(isUtf8(raw) ? raw.toString() : text, origin);
  if (what !== undefined) throw refuse(what);
  return raw;
}
