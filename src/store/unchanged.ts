// What was read is what is current already: nothing newer waits or is refused any more.
import type { Clock } from '../clock.ts';
import type { Observe } from '../events.ts';
import type { Store } from './store.ts';

/** `isRecovery`: something newer was refused before, or could not be read, and its writer has put the current one back. */
export function recordUnchanged(
  name: string,
  { store, clock, observe }: { readonly store: Store; readonly clock: Clock; readonly observe: Observe },
  isRecovery: boolean,
): void {
  store.update(name, ({ rejection, deferral, restored, ...entry }) => ({
    ...entry,
    lastReload: { at: clock.now(), outcome: 'unchanged' },
  }));
  observe({ type: 'unchanged', credential: name, isRecovery });
}
