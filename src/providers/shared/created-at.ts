// When keys were made, as their maker says: the part `created_at`, which the material of every provider may have.
import { PaycertError } from '../../errors.ts';
import { readTrimmed, timeOf } from './material.ts';
import type { FileName } from '../platform.ts';
import type { Provider } from '../provider.ts';

const part = 'created_at';

/** In the material of every platform. */
export const createdAtFile: FileName = {
  pattern: /^created_at$/,
  what: 'when the keys were made (created_at)',
  holds: 'secret',
};

/** A time or a day. An error, not thrown, where it is neither: a wrong date is no reason to refuse keys. */
export function readCreatedAt(text: string, field: string): Date | PaycertError {
  const time = timeOf(text) ?? timeOf(`${text}T00:00:00Z`);
  // Typing errors, and years that no status can hold.
  if (time !== undefined && time.getUTCFullYear() >= 1970 && time.getUTCFullYear() <= 9999) return time;
  return new PaycertError('created-at-malformed', `${field} is no time of RFC 3339, and is ignored`, { field });
}

/** The same provider, which reads that part as well. */
export const withCreatedAt = (provider: Provider): Provider => ({
  ...provider,
  async load(data, ...asked) {
    const context = await provider.load(data, ...asked);
    const bytes = data.get(part);
    if (bytes === undefined) return context;
    const createdAt = readCreatedAt(readTrimmed(bytes), part);
    const { set } = context;
    if (createdAt instanceof Date) return { ...context, set: { ...set, createdAt } };
    return { ...context, set: { ...set, createdAt, warnings: (now) => [...set.warnings(now), createdAt] } };
  },
});
