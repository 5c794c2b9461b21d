// How old keys are, and by when they should be replaced: from the first time that each was seen, or from when it was made.
import { roleOf } from '../providers/roles.ts';

/** As loaded, or as a status has kept it. */
interface AgingKey {
  readonly role: string;
  readonly fingerprint: string;
  readonly formerFingerprint?: string;
  readonly notAfter?: unknown;
}

/** Whether it is a key of ours to replace, and if so, what it is: a secret or a private key. Not one that is replaced already. */
const replaceable = ({ role }: AgingKey): 'secret' | 'private' | undefined => {
  const { holds, isReplaced = false } = roleOf(role) ?? {};
  return isReplaced || holds === 'public' ? undefined : holds;
};

/** A private key or a secret, in use or replaced. */
const isOurs = ({ role }: AgingKey): boolean => (roleOf(role)?.holds ?? 'public') !== 'public';

/**
 * When each key was first seen, by its fingerprint: of a symmetric key, the check value of four bytes. Not by snapshot id: a
 * platform certificate that changes would make the secret beside it young again. Not by role: a key that comes back, from
 * `previous` or from nowhere, is as old as it is.
 */
export type FirstSeen = ReadonlyMap<string, Date>;

/** A status holds no more keys, nor more of those that have gone: the last to go are remembered. */
const most = { here: 256, gone: 32 } as const;

export function noteSeen(before: FirstSeen, keys: readonly AgingKey[], now: Date): FirstSeen {
  const own = keys.filter(isOurs);
  const since = ({ fingerprint, formerFingerprint = '' }: AgingKey) =>
    earlier(before.get(fingerprint), before.get(formerFingerprint)) ?? now;
  const here = new Map(own.map((key) => [key.fingerprint, since(key)]));
  const renamed = new Set(own.map(({ formerFingerprint }) => formerFingerprint));
  const gone = [...before].filter(([fingerprint]) => !here.has(fingerprint) && !renamed.has(fingerprint));
  return new Map([...[...here].slice(0, most.here), ...gone.slice(0, most.gone)]);
}

export interface MaxAge {
  readonly milliseconds: number;
  /** Whether somebody asked for it. A default is for secrets alone. */
  readonly isGiven: boolean;
}

export interface Age {
  readonly since: Date;
  readonly replaceBy: Date;
}

export interface Known {
  readonly firstSeen: FirstSeen;
  /** `createdAt` from the material may only make a key older: nobody sees a key before it is made. */
  readonly createdAt: Date | undefined;
}

/** The age of each key that has one: of secrets; without any, of our own private keys, if maxAge is set. */
export function agesOf<K extends AgingKey>(
  keys: readonly K[],
  { firstSeen, createdAt }: Known,
  { milliseconds, isGiven }: MaxAge,
): ReadonlyMap<K, Age> {
  const secrets = keys.filter((key) => replaceable(key) === 'secret' && key.notAfter === undefined);
  const others = isGiven ? keys.filter((key) => replaceable(key) !== undefined) : [];
  const ages = new Map<K, Age>();
  for (const key of secrets.length > 0 ? secrets : others) {
    const since = earlier(firstSeen.get(key.fingerprint), createdAt);
    if (since !== undefined) ages.set(key, { since, replaceBy: new Date(since.getTime() + milliseconds) });
  }
  return ages;
}

const earlier = (a: Date | undefined, b: Date | undefined): Date | undefined => (a && b ? (a < b ? a : b) : (a ?? b));
