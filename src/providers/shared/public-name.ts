// Which part of the material may be shown as a name: a Secret may hold anything under the name of an id.
import { readTrimmed } from './material.ts';

/**
 * The text of the part, if it has the form that the platform publishes and differs from every other part; otherwise undefined,
 * and it is to be used and never shown.
 */
export function publicName(data: ReadonlyMap<string, Uint8Array>, part: string, form: RegExp): string | undefined {
  const bytes = data.get(part);
  if (bytes === undefined) return undefined;
  const text = readTrimmed(bytes);
  const isUnique = [...data].every(([name, other]) => name === part || readTrimmed(other) !== text);
  return isUnique && form.test(text) ? text : undefined;
}
