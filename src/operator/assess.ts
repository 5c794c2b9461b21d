// What a Secret is worth: loaded and checked as a sidecar would, reduced to facts, and let go.
import { buildProvider, type BuildDependencies } from '../running/build.ts';
import { defaults } from '../config/defaults.ts';
import type { CredentialConfig } from '../config/schema/credential.ts';
import type { PaycertError } from '../errors.ts';
import type { Capability, KeyFacts, SigningContext } from '../providers/provider.ts';
import type { Material } from '../sources/source.ts';
import { type Current, findViolations } from '../store/checks.ts';
import { snapshotId } from '../store/snapshot.ts';
import type { Key, Status } from './resource.ts';

/** Facts about one version of a Secret at one time. Holds no key. */
export interface Verdict {
  readonly secretResourceVersion: string;
  readonly snapshotId: string;
  readonly keys: readonly Key[];
  readonly signer: Pick<KeyFacts, 'keyId' | 'notBefore' | 'notAfter'> | undefined;
  readonly capabilities: readonly Capability[];
  /** In the order of the checks; none when it is fit. */
  readonly violations: readonly PaycertError[];
  /** When the keys were made, as the Secret says; an error where what it says is no time. */
  readonly createdAt: Date | PaycertError | undefined;
  /** Until when all this stays so. */
  readonly until: Date | undefined;
}

type Accepted = Status['accepted'];

/** What is accepted, as the checks look at it: only its status is left of it. */
const toCurrent = ({ capabilities, notBefore }: NonNullable<Accepted>): Current => ({
  capabilities: () => new Set(capabilities as Capability[]),
  ...(notBefore !== undefined && { signer: { facts: { notBefore: new Date(notBefore) } } }),
});

/** Nothing but the verdict outlives the call: neither bytes nor keys. */
export async function assess(
  { provider, older = defaults.older }: Pick<CredentialConfig, 'provider' | 'older'>,
  material: Material,
  accepted: Accepted,
  now: Date,
  dependencies: BuildDependencies,
): Promise<Verdict> {
  const context = await buildProvider(provider, dependencies).load(material.data);
  const id = snapshotId(context);
  // The same keys replace nothing.
  const current = accepted && accepted.snapshotId !== id ? toCurrent(accepted) : undefined;
  const found = await findViolations({ context, current, older }, now);
  // Addresses of lists and responders are the words of whoever writes resources and Secrets: only sidecars ask them.
  const violations = found.filter(({ code }) => code !== 'revocation-unknown');
  return {
    secretResourceVersion: material.version ?? '',
    snapshotId: id,
    keys: context.keys.map(toKey),
    signer: context.signer?.facts,
    capabilities: [...context.capabilities(now)].sort(),
    violations,
    createdAt: context.createdAt,
    until: nextChange(context, violations, now),
  };
}

const toKey = ({ role, keyId, algorithm, fingerprint, notBefore, notAfter }: KeyFacts): Key => ({
  role,
  id: keyId,
  algorithm,
  fingerprint,
  ...(notBefore && { notBefore: notBefore.toISOString() }),
  ...(notAfter && { notAfter: notAfter.toISOString() }),
});

function nextChange(
  { keys, signer }: SigningContext,
  violations: readonly PaycertError[],
  now: Date,
): Date | undefined {
  const facts = signer ? [...keys, signer.facts] : keys;
  const times = [...facts.flatMap(({ notBefore, notAfter }) => [notBefore, notAfter]), ...violations.map(({ retryAt }) => retryAt)]; // prettier-ignore
  return earliest(times, now);
}

/** The earliest of these times that is still to come. */
export function earliest(times: readonly (Date | undefined)[], now: Date): Date | undefined {
  const later = times.flatMap((time) => (time && time > now ? [time.getTime()] : []));
  return later.length === 0 ? undefined : new Date(Math.min(...later));
}
