// Who waits for the next look at a credential's material: what was learned beside it counts only once that has been loaded.
import type { Event } from '../events.ts';

const looks: ReadonlySet<Event['type']> = new Set([
  ...(['swapped', 'unchanged', 'rejected', 'deferred', 'source-failed', 'credential-removed'] as const),
]);

export class ReloadNews {
  readonly #waiting = new Map<string, Set<(look: Event['type']) => void>>();

  noticed(event: Event): void {
    if (!looks.has(event.type) || !('credential' in event)) return;
    for (const tell of this.#waiting.get(event.credential) ?? []) tell(event.type);
  }

  /** Whether another set is current after the next look. */
  async next(credential: string): Promise<boolean> {
    const waiting = this.#waiting.get(credential) ?? new Set();
    this.#waiting.set(credential, waiting);
    const { promise, resolve } = Promise.withResolvers<boolean>();
    let unchanged = 0;
    const tell = (look: Event['type']) => {
      // The first may have begun before what was learned counted.
      if (look === 'unchanged' && ++unchanged < 2) return;
      waiting.delete(tell);
      if (waiting.size === 0) this.#waiting.delete(credential);
      resolve(look === 'swapped');
    };
    waiting.add(tell);
    return promise;
  }
}
