// What a set of keys can do now, what it offers and cannot do, and which of its keys end soon: what people ask before they deploy it.
import type { Capability, KeyFacts, SigningContext } from '../providers/provider.ts';
import { roleOf } from '../providers/roles.ts';

/** In the order in which people read them. `encrypt` is for the platform, with the keys that verify. */
export type Ability = Capability | 'encrypt';

export interface Abilities {
  readonly can: readonly Ability[];
  readonly cannot: readonly Ability[];
}

/** What cannot be done with these keys at any time, such as decrypting for Aliyun, is in neither. */
export function abilitiesOf({ set, operations }: SigningContext, now: Date): Abilities {
  const able = set.capabilities(now);
  const verifies = able.has('verify');
  const table: readonly (readonly [Ability, isOffered: boolean, isAble: boolean])[] = [
    ['sign', operations.sign !== undefined || able.has('sign'), able.has('sign')],
    ['verify', operations.verify !== undefined || verifies, verifies],
    ['decrypt', operations.decrypt !== undefined || able.has('decrypt'), able.has('decrypt')],
    ['encrypt', operations.encrypt !== undefined, verifies],
  ];
  const offered = table.filter(([, isOffered]) => isOffered);
  return {
    can: offered.filter(([, , isAble]) => isAble).map(([ability]) => ability),
    cannot: offered.filter(([, , isAble]) => !isAble).map(([ability]) => ability),
  };
}

const day = 86_400_000;
const soonDays = 30;

export interface Ending {
  readonly role: string;
  readonly keyId: string;
  readonly notAfter: Date;
  readonly days: number;
}

/** Keys in use that end within 30 days, the first to end first. Keys that were replaced are meant to end. */
export function endingSoon(
  keys: readonly Readonly<Pick<KeyFacts, 'keyId' | 'notAfter'> & { role: string }>[],
  now: Date,
): readonly Ending[] {
  return keys
    .flatMap(({ role, keyId, notAfter }) => {
      const days = notAfter === undefined ? Infinity : (notAfter.getTime() - now.getTime()) / day;
      const isInUse = roleOf(role)?.isReplaced !== true;
      return notAfter && isInUse && days >= 0 && days < soonDays
        ? [{ role, keyId, notAfter, days: Math.floor(days) }]
        : [];
    })
    .sort((one, other) => one.notAfter.getTime() - other.notAfter.getTime());
}
