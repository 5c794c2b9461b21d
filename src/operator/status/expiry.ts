// When keys expire: which of them count, and from when on to warn.
import type { Key } from '../resource.ts';

/** As long as a platform and its people need to issue and deploy another. */
const warningMilliseconds = 30 * 86_400_000;

export interface Expiry {
  readonly key: Key;
  readonly at: Date;
  /** From when on somebody should act. */
  readonly warnAt: Date;
}

/** Retired keys are meant to expire. */
const isReplaced = ({ role }: Key): boolean => /-(?:retired|previous)$/.test(role);

/** What expires first of what counts: of each role the key that lasts longest, since a set works until its last key expires. */
export function soonestExpiry(keys: readonly Key[]): Expiry | undefined {
  const longest = new Map<string, Expiry>();
  for (const key of keys) {
    if (key.notAfter === undefined || isReplaced(key)) continue;
    const at = new Date(key.notAfter);
    if (at > (longest.get(key.role)?.at ?? new Date(0)))
      longest.set(key.role, { key, at, warnAt: new Date(at.getTime() - warningMilliseconds) });
  }
  const [first] = [...longest.values()].sort((a, b) => a.at.getTime() - b.at.getTime());
  return first;
}
