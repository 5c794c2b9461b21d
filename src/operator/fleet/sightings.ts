// What each Pod answered last: for which PaymentCredentials of its own namespace it counts, and what it has of them.
import type { CredentialSighting, Sighting } from '../../store/sighting.ts';
import type { FleetPod } from './pod.ts';
import type { Known } from './stored.ts';
import type { PodView } from './view.ts';

/** The last answer of a Pod, or why there was none. */
export interface Seen {
  /** In milliseconds since 1970, as all times here: a Date is a large object. */
  readonly askedAt: number;
  /** Undefined when the last question was not answered. */
  readonly sighting: Sighting | undefined;
  readonly unseen: string | undefined;
  /** Where there is no sighting: the PaymentCredentials that it had when it answered last, and when that was; undefined if it never did. */
  readonly had: { readonly at: number; readonly names: readonly string[] } | undefined;
}

/** What is kept of the last answer of a Pod that gives none now. */
export const hadOf = (seen: Seen | undefined): Seen['had'] =>
  seen?.sighting === undefined
    ? seen?.had
    : { at: seen.askedAt, names: seen.sighting.credentials.map(({ name }) => name) };

/**
 * The PaymentCredential of the Pod's own namespace that a credential belongs to: the one that it follows, else the one of its
 * name. Undefined for one that follows a resource of another namespace: that is counted nowhere, so that nobody counts there.
 */
function nameIn({ namespace }: Pick<FleetPod, 'namespace'>, one: CredentialSighting): string | undefined {
  if (one.resource === undefined) return one.name;
  return (one.namespace ?? namespace) === namespace ? one.resource : undefined;
}

/** Of what it answered, only what somebody may ask about later, by the names of PaymentCredentials. */
export function keepKnown(
  pod: FleetPod,
  { version, credentials }: Sighting,
  isKnown: (name: string) => boolean,
): Sighting {
  const kept = new Map<string, CredentialSighting>();
  for (const one of credentials) {
    const name = nameIn(pod, one);
    if (name !== undefined && isKnown(name)) kept.set(name, { ...one, name });
  }
  return { version, credentials: [...kept.values()] };
}

/**
 * What is known of a Pod for one PaymentCredential of its namespace; undefined where it does not count for it. A Pod that
 * never answered, and does not list what it uses, may use any of them. What it said before
 * `since` is not about what is stored now, and before `knownSince` nothing of this one was kept.
 */
export function viewOf(
  pod: FleetPod,
  last: Seen | undefined,
  name: string,
  { since, knownSince }: Pick<Known, 'since' | 'knownSince'>,
): PodView | undefined {
  if (pod.isOver) return undefined;
  const seen = last !== undefined && last.askedAt >= knownSince ? last : undefined;
  const had = last?.had !== undefined && last.had.at >= knownSince ? last.had.names : undefined;
  const { sighting, unseen } = seen ?? {};
  const isDeclared = pod.declared.includes(name);
  const about = () => ({ pod: pod.name, isReady: pod.isReady, version: sighting?.version });
  if (sighting !== undefined && seen !== undefined) {
    const has = sighting.credentials.find((one) => one.name === name);
    if (has === undefined && !isDeclared) return undefined;
    const isFresh = seen.askedAt >= since;
    const why = has === undefined ? 'its sidecar has no such credential' : isFresh ? undefined : notAskedYet;
    return { ...about(), sighting: isFresh ? has : undefined, unseen: why };
  }
  // Nothing in it has started, so that nothing signs.
  if (!pod.isRunning) return undefined;
  const mayUse = isDeclared || (had?.includes(name) ?? !pod.isComplete);
  return mayUse ? { ...about(), sighting: undefined, unseen: unseen ?? notAskedYet } : undefined;
}

const notAskedYet = 'it has not been asked since the Secret changed';
