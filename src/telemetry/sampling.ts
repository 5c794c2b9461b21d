// Keeps a log readable under a flood: the first lines of each kind in a minute, how many more there were, and the last of them.
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

export interface CandidateLine {
  readonly kind: LineKind;
  readonly fields: Readonly<Record<string, unknown>>;
  /** What it has to say, where a line that says the same again is only counted. */
  readonly says?: string | undefined;
}

/** Lines that were left out. */
export interface OmittedLines {
  readonly kind: LineKind;
  readonly lines: number;
  /** Fields of the last one: what a reader misses most is how it is now. */
  readonly last: Readonly<Record<string, unknown>>;
}

interface Window {
  readonly kind: LineKind;
  readonly since: number;
  /** What was written; of a line that may be repeated, its number. */
  readonly said: Set<string>;
  /** Whether the next minute, too, only counts what was said before. */
  readonly isLasting: boolean;
  omitted: number;
  last: CandidateLine['fields'];
}

const none: readonly OmittedLines[] = [];

export class Sampling {
  readonly #now: () => Date;
  readonly #windows = new Map<string, Window>();
  #endedAt = 0;

  constructor(now: () => Date) {
    this.#now = now;
  }

  /** Whether a line is to be written. */
  admit({ kind, fields, says }: CandidateLine): boolean {
    const key = JSON.stringify([kind.of, kind.credential, kind.object, kind.code]);
    const window = this.#windows.get(key) ?? {
      kind,
      since: this.#now().getTime(),
      said: new Set(),
      isLasting: says !== undefined,
      omitted: 0,
      last: fields,
    };
    this.#windows.set(key, window);
    const text = says ?? String(window.said.size);
    if (window.said.size < most && !window.said.has(text)) {
      window.said.add(text);
      return true;
    }
    window.omitted += 1;
    window.last = fields;
    return false;
  }

  /** Ends the minutes that are over, or all of them, and says which lines were left out. */
  end(isAll = false): readonly OmittedLines[] {
    if (this.#windows.size === 0) return none;
    const now = this.#now().getTime();
    // Once a second is often enough, however many events there are.
    if (!isAll && now >= this.#endedAt && now < this.#endedAt + 1000) return [];
    this.#endedAt = now;
    const ended: OmittedLines[] = [];
    for (const [key, window] of this.#windows) {
      const { kind, since, isLasting, omitted: lines, last } = window;
      // A clock that was set back ends it too.
      if (!isAll && now >= since && now < since + windowMilliseconds) continue;
      if (lines > 0) ended.push({ kind, lines, last });
      if (lines > 0 && isLasting) this.#windows.set(key, { ...window, since: now, omitted: 0 });
      else this.#windows.delete(key);
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

/**
 * Of an outcome of a reload, what tells it from the one before: a Secret or a mount may change ten times a second, between the same two
 * contents or among many. Times and durations are no news, nor is a generation after the first.
 */
export function whatItSays(event: Event): string | undefined {
  switch (event.type) {
    case 'swapped':
      return JSON.stringify([
        event.snapshotId,
        event.generation === 1,
        event.isRollback,
        event.warnings.map(({ message }) => message),
      ]);
    case 'rejected':
    case 'source-failed':
      return JSON.stringify([event.error.field, event.error.message]);
    case 'deferred':
      return JSON.stringify([event.error.field, event.error.message, event.isBridged]);
    case 'parts-unmatched':
      return JSON.stringify([event.changed, event.unchanged]);
    case 'unchanged':
    case 'found-by-poll':
      return event.type;
    default:
      return undefined;
  }
}
