// Which host a call goes to: the platform's, or its spare while nobody can connect to that one.
import type { Observe } from '../events.ts';
import type { Attempt } from './attempt.ts';

export interface HostsOptions {
  readonly observe: Observe;
  /** A clock that never goes back. */
  readonly milliseconds: () => number;
  /** Which share of the calls that may be repeated goes to the spare as a check that it is there. */
  readonly spareShare?: number;
}

/** A host, and the one beside it that takes the same calls; none: there is no other. */
export interface Pair {
  readonly origin: string;
  readonly spare?: string | undefined;
}

const parsed = new Map<string, string>();
const mostParsed = 1000;

/** The host of an origin; of the same few at every call, so that each is parsed once. */
export function hostOf(origin: string): string {
  const known = parsed.get(origin);
  if (known !== undefined) return known;
  const { host } = new URL(origin);
  if (parsed.size < mostParsed) parsed.set(origin, host);
  return host;
}

/** Until the host that is away is tried again: by a call that may be repeated, or by any. */
const probeMilliseconds = 30_000;
const longestMilliseconds = 300_000;

interface Away {
  probedAt: number;
}

/** Of one process, for all of its credentials: a host is away for all of them. */
export class Hosts {
  readonly #options: HostsOptions;
  readonly #away = new Map<string, Away>();
  #repeatable = 0;

  constructor(options: HostsOptions) {
    this.#options = options;
  }

  /** In the order in which this call tries them. */
  order({ origin, spare }: Pair, mayRepeat: boolean): readonly [string, ...string[]] {
    if (spare === undefined) return [origin];
    const away = this.#away.get(origin);
    const isSpareFirst = away === undefined ? mayRepeat && this.#isCheck() : !this.#isProbe(away, mayRepeat);
    return isSpareFirst ? [spare, origin] : [origin, spare];
  }

  /** Those whose calls go to their spare. */
  away(): readonly string[] {
    return [...this.#away.keys()].map(hostOf);
  }

  isAway(origin: string): boolean {
    return this.#away.has(origin);
  }

  /** What the attempts of one call say of the two. */
  learn({ origin, spare }: Pair, attempts: readonly Attempt[]): void {
    if (spare === undefined) return;
    const [own, other] = [hostOf(origin), hostOf(spare)];
    const has = (host: string, outcome: Attempt['outcome']) =>
      attempts.some((attempt) => attempt.host === host && attempt.outcome === outcome);
    const [now, isAway] = [this.#options.milliseconds(), this.#away.has(origin)];
    if (isAway && has(own, 'responded')) {
      this.#away.delete(origin);
      this.#options.observe({ type: 'failed-back', host: own, spare: other });
    } else if (!isAway && has(own, 'not-sent') && has(other, 'responded')) {
      // Where neither can be connected to it is our own network, and nothing is gained by a switch.
      this.#away.set(origin, { probedAt: now });
      this.#options.observe({ type: 'failed-over', host: own, spare: other });
    }
  }

  /** One call at a time. A call that may not be repeated is spared for longer: a host that connects may still break. */
  #isProbe(away: Away, mayRepeat: boolean): boolean {
    const now = this.#options.milliseconds();
    if (now - away.probedAt < (mayRepeat ? probeMilliseconds : longestMilliseconds)) return false;
    away.probedAt = now;
    return true;
  }

  /** Every so many of them, so that the share is never more than was said. */
  #isCheck(): boolean {
    const { spareShare = 0 } = this.#options;
    this.#repeatable += 1;
    if (spareShare <= 0 || this.#repeatable < Math.ceil(1 / spareShare)) return false;
    this.#repeatable = 0;
    return true;
  }
}
