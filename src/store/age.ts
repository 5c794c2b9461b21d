// How old keys are, and by when they should be replaced: from the first time that each was seen, or from when it was made.
import type { Role } from '../providers/provider.ts';

/** What age means for a key of each role: a new one has to be thought about. */
const kinds = {
  // Both sides know it, and nothing makes it end.
  apiv3: 'secret',
  apiv2: 'secret',
  aes: 'secret',
  'access-key': 'secret',
  hmac: 'secret',
  // A private key of one's own. Most have a certificate, which ends.
  merchant: 'private',
  own: 'private',
  tls: 'private',
  // On its way out.
  'apiv3-previous': 'replaced',
  'apiv2-previous': 'replaced',
  'aes-previous': 'replaced',
  'hmac-previous': 'replaced',
  'merchant-retired': 'replaced',
  // Not ours to replace.
  platform: 'theirs',
  'public-key': 'theirs',
  root: 'theirs',
  partner: 'theirs',
  'partner-previous': 'theirs',
  'tls-intermediate': 'theirs',
  'tls-authority': 'theirs',
} as const satisfies Record<Role, 'secret' | 'private' | 'replaced' | 'theirs'>;

/** As loaded, or as a status has kept it. */
interface AgingKey {
  readonly role: string;
  readonly fingerprint: string;
  readonly notAfter?: unknown;
}

const kindOf = ({ role }: AgingKey) => (kinds as Readonly<Record<string, (typeof kinds)[Role]>>)[role];

/**
 * When each key was first seen, by its fingerprint: of a symmetric key, the check value of four bytes. Not by snapshot id: a
 * platform certificate that changes would make the secret beside it young again. Not by role: a key that comes back, from
 * `previous` or from nowhere, is as old as it is.
 */
export type FirstSeen = ReadonlyMap<string, Date>;

/** A status holds no more keys, nor more of those that have gone: the last to go are remembered. */
const most = { here: 256, gone: 32 } as const;

export function noteSeen(before: FirstSeen, keys: readonly AgingKey[], now: Date): FirstSeen {
  const own = keys.filter((key) => kindOf(key) !== undefined && kindOf(key) !== 'theirs');
  const here = new Map(own.map(({ fingerprint }) => [fingerprint, before.get(fingerprint) ?? now]));
  const gone = [...before].filter(([fingerprint]) => !here.has(fingerprint));
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
  /** As whoever made the keys says. It can make them older, never younger: nobody sees a key before it is made. */
  readonly createdAt: Date | undefined;
}

/** The age of each key that has one: of secrets; where there is none, of one's private keys, if somebody asked for it. */
export function agesOf<K extends AgingKey>(
  keys: readonly K[],
  { firstSeen, createdAt }: Known,
  { milliseconds, isGiven }: MaxAge,
): ReadonlyMap<K, Age> {
  const secrets = keys.filter((key) => kindOf(key) === 'secret' && key.notAfter === undefined);
  const others = isGiven ? keys.filter((key) => ['secret', 'private'].includes(kindOf(key) ?? '')) : [];
  const ages = new Map<K, Age>();
  for (const key of secrets.length > 0 ? secrets : others) {
    const since = earlier(firstSeen.get(key.fingerprint), createdAt);
    if (since !== undefined) ages.set(key, { since, replaceBy: new Date(since.getTime() + milliseconds) });
  }
  return ages;
}

const earlier = (a: Date | undefined, b: Date | undefined): Date | undefined => (a && b ? (a < b ? a : b) : (a ?? b));
