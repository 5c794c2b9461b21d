// Keeps a log readable under a flood: the first lines of each kind in a minute, and how many more there were.
import type { Event } from '../events.ts';

const windowMilliseconds = 60_000;

/** Lines of one kind within a minute. */
const most = 10;

/** What tells lines apart for a reader: strangers can make many lines of one kind, and none of these values. */
export interface LineKind {
  readonly of: Event['type'];
  readonly credential?: string;
  readonly object?: string;
  readonly code?: string;
}

interface Window {
  readonly kind: LineKind;
  readonly since: number;
  lines: number;
}

export class Sampling {
  readonly #now: () => Date;
  readonly #windows = new Map<string, Window>();
  #endedAt = 0;

  constructor(now: () => Date) {
    this.#now = now;
  }

  /** Whether a line of this kind is to be written. */
  admit(kind: LineKind): boolean {
    const key = JSON.stringify([kind.of, kind.credential, kind.object, kind.code]);
    const window = this.#windows.get(key) ?? { kind, since: this.#now().getTime(), lines: 0 };
    this.#windows.set(key, window);
    window.lines += 1;
    return window.lines <= most;
  }

  /** Forgets the kinds whose minute is over, or all of them, and says of which lines were left out. */
  end(isAll = false): { readonly kind: LineKind; readonly lines: number }[] {
    const now = this.#now().getTime();
    // Once a second is often enough, however many events there are.
    if (!isAll && now >= this.#endedAt && now < this.#endedAt + 1000) return [];
    this.#endedAt = now;
    const ended: { kind: LineKind; lines: number }[] = [];
    for (const [key, { kind, since, lines }] of this.#windows) {
      // A clock that was set back ends it too.
      if (!isAll && now >= since && now < since + windowMilliseconds) continue;
      this.#windows.delete(key);
      if (lines > most) ended.push({ kind, lines: lines - most });
    }
    return ended;
  }
}

export function kindOf(event: Event): LineKind {
  const { type, credential, object, error } = event as Event & {
    readonly credential?: string;
    readonly object?: string;
    readonly error?: { readonly code?: unknown };
  };
  return {
    of: type,
    ...(credential !== undefined && { credential }),
    ...(object !== undefined && { object }),
    ...(typeof error?.code === 'string' && { code: error.code }),
  };
}
