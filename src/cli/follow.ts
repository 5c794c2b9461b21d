// Files of the process itself (paycert.yaml, the token) reload like material: valid whole, or the last good one stays.
import { isDeepStrictEqual } from 'node:util';
import { PaycertError } from '../errors.ts';
import type { FollowedFile, Observe } from '../events.ts';
import type { Source } from '../sources/source.ts';

export interface Subscription<T> {
  readonly file: FollowedFile;
  /** Of one file. */
  readonly source: Source;
  /** Throws a PaycertError for content that must not become current. */
  readonly parse: (text: string) => T | Promise<T>;
  /** What the process started with. */
  readonly initial: T;
  /** Called with content that differs from what is current; it is current once this has returned. */
  readonly apply: (next: T) => void;
  readonly observe: Observe;
}

/** Follows one file until aborted; a refusal is reported once, and nothing that the file holds ends it. */
export async function followFile<T>(
  { file, source, parse, initial, apply, observe }: Subscription<T>,
  signal: AbortSignal,
): Promise<void> {
  let current = initial;
  let seen: string | undefined;
  /** What was refused last time is news when it is repaired, even by putting the current content back. */
  let isRefused = false;
  let isFrozenTold = false;
  /** The same content, or the same failure, is news once. */
  const isNews = (what: string): boolean => {
    const isNew = what !== seen;
    seen = what;
    return isNew;
  };
  for await (const _ of source.changes(signal)) {
    try {
      const { revision, data, frozenPaths = [] } = await source.read(signal);
      if (frozenPaths.length > 0 && !isFrozenTold) observe({ type: 'mount-frozen', file, paths: frozenPaths });
      isFrozenTold = frozenPaths.length > 0;
      if (!isNews(revision)) continue;
      const [bytes] = data.values();
      const next = await parse(Buffer.from(bytes ?? []).toString());
      if (isDeepStrictEqual(next, current) && !isRefused) continue;
      isRefused = false;
      apply(next);
      current = next;
    } catch (error) {
      if (signal.aborted) return;
      isRefused = true;
      if (!(error instanceof PaycertError)) observe({ type: 'internal-error', where: 'config', error });
      else if (error.kind !== 'source' || isNews(error.code)) observe({ type: 'config-rejected', file, error });
    }
  }
}
