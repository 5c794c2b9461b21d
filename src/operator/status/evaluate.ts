// Evaluates a Secret as a sidecar would, keeping facts only.
import type { NameSecret } from '../../crypto/check-value.ts';
import { buildProvider } from '../../running/build.ts';
import { defaults } from '../../config/defaults.ts';
import type { CredentialConfig } from '../../config/schema/credential.ts';
import type { PaycertError } from '../../errors.ts';
import type { Capability, KeyFacts, KeySet, SigningContext } from '../../providers/provider.ts';
import type { Activation, Material } from '../../sources/source.ts';
import { abilitiesOf } from '../../store/abilities.ts';
import { type Current, findViolations, inUse, refusalOf } from '../../store/checks.ts';
import { snapshotId } from '../../store/snapshot.ts';
import type { Key, Status } from '../resource.ts';

/** Facts about one version of a Secret at one time. Holds no key. */
export interface SecretEvaluation {
  readonly secretResourceVersion: string;
  /** Equal for equal bytes, in this process only. */
  readonly revision: string;
  readonly snapshotId: string;
  readonly keys: readonly Key[];
  /** Fingerprint → what an earlier version called it. Compared, and written nowhere. */
  readonly formerFingerprints: ReadonlyMap<string, string>;
  readonly signer: Pick<KeyFacts, 'keyId' | 'notBefore' | 'notAfter'> | undefined;
  readonly capabilities: readonly Capability[];
  /** What people ask before they deploy it. */
  readonly abilities: Pick<NonNullable<Status['accepted']>, 'can' | 'cannot' | 'ignored'>;
  /** Names of the parts that hold authorities. */
  readonly trust: readonly string[];
  /** In the order of the checks; none when it is valid. */
  readonly violations: readonly PaycertError[];
  /** When it becomes valid by itself: it is good, and only too early. */
  readonly deferredUntil: Date | undefined;
  /** When it ends to do what is required of it; undefined where nothing ends. */
  readonly usableUntil: Date | undefined;
  /** When the keys were made, as the Secret says; an error where that is not a time. */
  readonly createdAt: Date | PaycertError | undefined;
  /** Which Secret it is, and the field manager that wrote its data last; absent of what is not stored. */
  readonly writer?: { readonly secret: string; readonly manager: string | undefined };
  /** Until when all this stays so. */
  readonly until: Date | undefined;
}

/** Of two staged sets, the one that the status is not about. */
export interface StagedEvaluation {
  /** Which of the two: the next one, until it signs everywhere. */
  readonly set: 'next' | 'current';
  /** The name of the Secret that holds it. */
  readonly secret: string;
  readonly activation: Activation;
  /** In how many Pods of a hundred the next set is to sign now. */
  readonly share: number;
  /** Undefined when the Secret could not be read or does not exist. */
  readonly evaluation: SecretEvaluation | undefined;
  /** Why there is no `evaluation`. */
  readonly error: PaycertError | undefined;
}

export type Accepted = Status['accepted'];

/** The accepted set, as the checks see it: only its status is left. The same keys replace nothing; their trust may still be emptied. */
const toCurrent = (
  { snapshotId, capabilities, notBefore, trust = [] }: NonNullable<Accepted>,
  candidate: string,
): Current => ({
  capabilities: () => new Set(snapshotId === candidate ? [] : (capabilities as Capability[])),
  trust: { filled: trust, empty: [] },
  ...(notBefore !== undefined && snapshotId !== candidate && { signer: { facts: { notBefore: new Date(notBefore) } } }),
});

export interface Candidate {
  readonly credential: Pick<CredentialConfig, 'provider' | 'older' | 'require'>;
  readonly material: Material;
  readonly accepted: Accepted;
  /** The snapshot that was staged beside what was accepted, and may take its place whatever its age. */
  readonly known?: string | undefined;
  /** Absent where check values are wanted, as a status needs them. */
  readonly nameSecret?: NameSecret;
}

/**
 * Neither bytes nor keys outlive the call.
 * @throws PaycertError `not-checked-here`, where nothing else is wrong with a set whose key stays elsewhere: a tenant named it, and the
 *   operator contacts no address and uses no key that a tenant names
 */
export async function evaluate(
  { credential, material, accepted, known, nameSecret }: Candidate,
  now: Date,
): Promise<SecretEvaluation> {
  const { provider, older = defaults.older, require = defaults.require } = credential;
  const context = await buildProvider(provider).load(material.data, undefined, nameSecret);
  const { set } = context;
  const id = snapshotId(set);
  const current = accepted && toCurrent(accepted, id);
  const checked = { context, current, older: known === id ? 'accept' : older };
  const found = await findViolations(checked, now);
  // Addresses of lists and responders are untrusted input: only sidecars query them.
  const violations = found.filter(({ code }) => !ofSidecars.has(code));
  const unchecked = found.find(({ code }) => code === 'not-checked-here');
  if (unchecked !== undefined && violations.length === 0) throw unchecked;
  const refusal = await refusalOf(checked, violations);
  return {
    secretResourceVersion: material.version ?? '',
    revision: material.revision,
    snapshotId: id,
    keys: set.keys.map(toKey),
    formerFingerprints: new Map(
      set.keys.flatMap(({ fingerprint, formerFingerprint: former }) =>
        former === undefined ? [] : [[fingerprint, former]],
      ),
    ),
    signer: set.signer?.facts,
    capabilities: [...set.capabilities(now)].sort(),
    abilities: describeAbilities(context, now),
    trust: [...(set.trust?.filled ?? [])].sort(),
    violations,
    deferredUntil: refusal?.outcome === 'deferred' ? refusal.until : undefined,
    usableUntil: usableUntil(set, require),
    createdAt: set.createdAt,
    until: nextChange(set, violations, now),
  };
}

/** What only a sidecar can find out. */
const ofSidecars: ReadonlySet<string> = new Set(['revocation-unknown', 'not-checked-here']);

function describeAbilities(context: SigningContext, now: Date): SecretEvaluation['abilities'] {
  const { can, cannot } = abilitiesOf(context, now);
  const { ignored = [] } = context.set;
  return {
    can: [...can],
    ...(cannot.length > 0 && { cannot: [...cannot] }),
    ...(ignored.length > 0 && { ignored: [...ignored] }),
  };
}

/** The first end of a key that takes away what is required, or that is the end of one that signs or is presented in TLS. */
function usableUntil(set: KeySet, required: readonly Capability[]): Date | undefined {
  const used = inUse(set);
  const ends = [...used, ...set.keys].flatMap(({ notAfter }) => notAfter ?? []).toSorted((a, b) => a.getTime() - b.getTime()); // prettier-ignore
  return ends.find(
    (end) =>
      used.some(({ notAfter }) => notAfter !== undefined && notAfter <= end) ||
      required.some((capability) => !set.capabilities(end).has(capability)),
  );
}

const toKey = ({ role, keyId, algorithm, fingerprint, notBefore, notAfter }: KeyFacts): Key => ({
  role,
  id: keyId,
  algorithm,
  fingerprint,
  ...(notBefore && { notBefore: notBefore.toISOString() }),
  ...(notAfter && { notAfter: notAfter.toISOString() }),
});

function nextChange({ keys, signer }: KeySet, violations: readonly PaycertError[], now: Date): Date | undefined {
  const facts = signer ? [...keys, signer.facts] : keys;
  const times = [...facts.flatMap(({ notBefore, notAfter }) => [notBefore, notAfter]), ...violations.map(({ retryAt }) => retryAt)]; // prettier-ignore
  return earliest(times, now);
}

/** The earliest of these times after `now`. */
export function earliest(times: readonly (Date | undefined)[], now: Date): Date | undefined {
  const later = times.flatMap((time) => (time && time > now ? [time.getTime()] : []));
  return later.length === 0 ? undefined : new Date(Math.min(...later));
}
