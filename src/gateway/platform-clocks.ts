// How far the clock here is from that of each platform, by the Date of its responses; and the corrected time, where that is wanted.
import { type Observe, tolerableSkewSeconds } from '../events.ts';

export interface PlatformClocksOptions {
  readonly now: () => Date;
  /** A clock that never goes back. */
  readonly milliseconds: () => number;
  readonly observe: Observe;
  /** Whether `at` is the corrected time. */
  readonly corrects: boolean;
}

export interface ClockState {
  readonly host: string;
  /** By how much the clock here is ahead, negative behind, as far as it is certain. */
  readonly aheadSeconds: number;
  /** By how much less or more the best estimate may be wrong. */
  readonly withinSeconds: number;
  readonly isCorrected: boolean;
}

/** Of the platform's time against the clock that never goes back, so that a jump of the clock here shows at once. */
interface Sample {
  readonly milliseconds: number;
  readonly error: number;
  readonly at: number;
}

interface Known {
  /** The best of the window before this one, and of this one. */
  previous: Sample | undefined;
  best: Sample;
  windowStart: number;
  agreeing: number;
  wasOff: boolean;
}

/** A Date is written in whole seconds. */
const resolution = 500;
const windowMilliseconds = 300_000;
const leastSamples = 3;
/** A host that is further off than this is itself wrong, or this machine needs somebody: nothing is signed for its time. */
const mostMilliseconds = 600_000;

export class PlatformClocks {
  readonly #options: PlatformClocksOptions;
  readonly #observe: Observe;
  readonly #hosts = new Map<string, Known>();
  /** Of the last response: it is the same for all of one second. */
  #read = { date: '', time: Number.NaN };

  constructor(options: PlatformClocksOptions) {
    this.#options = options;
    this.#observe = options.observe;
  }

  /** The time to sign with and to judge by, for that host. */
  at(host: string): Date {
    const now = this.#options.now();
    const ahead = this.#options.corrects ? this.#estimate(host)?.ahead : undefined;
    return ahead === undefined || Math.abs(ahead) > mostMilliseconds ? now : new Date(now.getTime() - ahead);
  }

  /** The platform wrote its time between `sentAt` and now, of the clock that never goes back. */
  compare(host: string, sentAt: number, date: unknown): void {
    if (typeof date !== 'string') return;
    if (date !== this.#read.date) this.#read = { date, time: Date.parse(date) };
    const theirs = this.#read.time;
    if (Number.isNaN(theirs)) return;
    const at = this.#options.milliseconds();
    const sample = { milliseconds: theirs + resolution - (sentAt + at) / 2, error: resolution + (at - sentAt) / 2, at };
    const known = this.#add(host, sample);
    if (known.agreeing < leastSamples) return;
    const aheadSeconds = this.#certain(host);
    const isOff = Math.abs(aheadSeconds) > tolerableSkewSeconds;
    this.#observe({ type: 'platform-clock-compared', host, aheadSeconds, isNews: isOff !== known.wasOff });
    known.wasOff = isOff;
  }

  list(): readonly ClockState[] {
    return [...this.#hosts.keys()].flatMap((host) => {
      const estimate = this.#estimate(host);
      if (estimate === undefined) return [];
      const isCorrected = this.#options.corrects && Math.abs(estimate.ahead) <= mostMilliseconds;
      return [{ host, aheadSeconds: this.#certain(host), withinSeconds: estimate.error / 1000, isCorrected }];
    });
  }

  #add(host: string, sample: Sample): Known {
    const known = this.#hosts.get(host);
    // Two that cannot both be true: the platform's clock has jumped, or one of its machines is off. Who knows begins again.
    if (
      known === undefined ||
      Math.abs(bestOf(known).milliseconds - sample.milliseconds) > bestOf(known).error + sample.error
    ) {
      const first = {
        previous: undefined,
        best: sample,
        windowStart: sample.at,
        agreeing: 1,
        wasOff: known?.wasOff ?? false,
      };
      this.#hosts.set(host, first);
      return first;
    }
    known.agreeing += 1;
    if (sample.at - known.windowStart > windowMilliseconds) {
      known.previous = known.best;
      known.best = sample;
      known.windowStart = sample.at;
    } else if (sample.error <= known.best.error) known.best = sample;
    return known;
  }

  /** Undefined until three samples agree. */
  #estimate(host: string): { readonly ahead: number; readonly error: number } | undefined {
    const known = this.#hosts.get(host);
    if (known === undefined || known.agreeing < leastSamples) return undefined;
    const { milliseconds, error } = bestOf(known);
    return { ahead: this.#options.now().getTime() - this.#options.milliseconds() - milliseconds, error };
  }

  /** The least that it can be: an alert must not come from what is only not known. */
  #certain(host: string): number {
    const { ahead, error } = this.#estimate(host) ?? { ahead: 0, error: 0 };
    return (Math.sign(ahead) * Math.round(Math.max(Math.abs(ahead) - error, 0))) / 1000 + 0;
  }
}

const bestOf = ({ previous, best }: Known): Sample =>
  previous !== undefined && previous.error < best.error ? previous : best;
