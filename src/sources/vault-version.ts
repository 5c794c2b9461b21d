// A version of a secret of Vault, from what it says about it: there, deleted or destroyed.
import { PaycertError } from '../errors.ts';
import { type Members, textOf } from '../origins/content.ts';

/** One version in the words that data and metadata share. A time of deletion may lie ahead. */
export function stateOf(version: number, about: Members, now: Date): string {
  const { destroyed, deletion_time: deletion = '' } = about;
  const isDeleted = deletion !== '' && !(new Date(textOf(deletion) ?? NaN) > now);
  return `version ${String(version)}${destroyed === true ? ' destroyed' : isDeleted ? ' deleted' : ''}`;
}

/** Why that version is not to be read. */
export function deleted(what: string, version: number, about: Members, isPinned: boolean): PaycertError {
  const { destroyed, deletion_time: at } = about;
  const when = new Date(textOf(at) ?? NaN);
  const how = destroyed === true ? 'has been destroyed' : 'has been deleted';
  const since = destroyed === true || Number.isNaN(when.getTime()) ? '' : ` at ${when.toISOString()}`;
  return new PaycertError(
    'origin-deleted',
    `${what}: version ${String(version)} ${how}${since}${isPinned ? '; change `version`, which pins it' : ''}`,
  );
}
