// The Pods of a fleet, each with what it said last and when it is asked next.
import { isDeepStrictEqual } from 'node:util';
import type { FleetPod } from './pod.ts';
import type { Seen } from './sightings.ts';
import { pauseAtRest, pauseOfCanary, pauseWhile, type Turn } from './turns.ts';

export interface Member extends Turn {
  readonly pod: FleetPod;
  readonly seen: Seen | undefined;
  /** All that it has is what is stored. */
  readonly isSettled: boolean;
  readonly unsettledSince: number;
}

interface Finding extends Pick<Member, 'isSettled'> {
  /** A next set of something that it has is tried by a share. */
  readonly isTried: boolean;
}

/** As one that was never asked. */
const unasked = (now: number) =>
  ({ seen: undefined, nextAt: now, isFailing: false, isSettled: false, unsettledSince: now }) as const;

export class Members {
  /** Namespace → name. */
  readonly #namespaces = new Map<string, Map<string, Member>>();

  /** What the API server says of it now. The result: it before and after, where these differ. */
  set(key: string, pod: FleetPod | undefined, now: number): readonly Member[] {
    const [namespace = '', name = ''] = key.split('/');
    const members = this.#namespaces.get(namespace) ?? new Map<string, Member>();
    const before = members.get(name);
    if (isDeepStrictEqual(before?.pod, pod)) return [];
    const whatCounts = (one: FleetPod | undefined) => [one?.uid, one?.address, one?.isRunning];
    const isSame = isDeepStrictEqual(whatCounts(before?.pod), whatCounts(pod));
    const after = pod && { ...(isSame && before ? before : unasked(now)), pod };
    if (after) members.set(name, after);
    else members.delete(name);
    if (members.size > 0) this.#namespaces.set(namespace, members);
    else this.#namespaces.delete(namespace);
    return [before, after].filter((member) => member !== undefined);
  }

  clear(): void {
    this.#namespaces.clear();
  }

  /** Only until one of them changes. */
  each(namespace: string): Iterable<Member> {
    return this.#namespaces.get(namespace)?.values() ?? [];
  }

  in(namespace: string): readonly Member[] {
    return [...this.each(namespace)];
  }

  all(): readonly Member[] {
    return [...this.#namespaces.keys()].flatMap((namespace) => this.in(namespace));
  }

  /** Those that may be asked, in these namespaces. */
  askable(isWanted: (namespace: string) => boolean): readonly Member[] {
    return [...this.#namespaces.keys()]
      .filter(isWanted)
      .flatMap((namespace) => this.in(namespace))
      .filter(({ pod }) => pod.address !== undefined && !pod.isOver);
  }

  /** It is to be asked now: what it should have has changed. */
  hurry(member: Member, now: number): void {
    this.#keep(member, { ...member, nextAt: now, isSettled: false, unsettledSince: now });
  }

  /** What it has said. One that was replaced meanwhile has said nothing. */
  take(
    asked: Member,
    seen: Seen,
    { isSettled, isTried }: Finding,
    { now, random }: { now: number; random: number },
  ): void {
    const member = this.#namespaces.get(asked.pod.namespace)?.get(asked.pod.name);
    if (member?.pod.uid !== asked.pod.uid) return;
    const unsettledSince = member.isSettled ? now : member.unsettledSince;
    const isCanary = isTried || seen.sighting?.credentials.some(({ canary }) => canary === true) === true;
    const usual = isSettled ? pauseAtRest(random) : pauseWhile(now - unsettledSince);
    const pause = isCanary ? Math.min(usual, pauseOfCanary) : usual;
    this.#keep(member, {
      ...{ pod: member.pod, seen, isSettled, unsettledSince },
      nextAt: now + pause,
      isFailing: seen.sighting === undefined,
    });
  }

  #keep({ pod }: Member, member: Member): void {
    this.#namespaces.get(pod.namespace)?.set(pod.name, member);
  }
}
