// When keys expire: which of them count, and from when on to warn.
import { decisive, roleOf } from '../../providers/roles.ts';
import type { Key } from '../resource.ts';

/** As long as a platform and its people need to issue and deploy another. */
const warningMilliseconds = 30 * 86_400_000;

export interface Expiry {
  readonly key: Key;
  readonly at: Date;
  /** From when on somebody should act. */
  readonly warnAt: Date;
}

/** What expires first of what counts: of each role, the key whose end is decisive. Replaced keys are meant to expire. */
export function soonestExpiry(keys: readonly Key[]): Expiry | undefined {
  const byRole = new Map<string, Expiry>();
  for (const key of keys) {
    if (key.notAfter === undefined || roleOf(key.role)?.isReplaced === true) continue;
    const at = new Date(key.notAfter);
    const known = byRole.get(key.role)?.at;
    const counts = known === undefined || decisive(key.role, known.getTime(), at.getTime()) !== known.getTime();
    if (counts) byRole.set(key.role, { key, at, warnAt: new Date(at.getTime() - warningMilliseconds) });
  }
  const [first] = [...byRole.values()].sort((a, b) => a.at.getTime() - b.at.getTime());
  return first;
}
