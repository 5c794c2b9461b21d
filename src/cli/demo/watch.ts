// What the demo learns from the sidecar's own events.
import type { Event } from '../../events.ts';

export type ReloadEvent = Extract<Event, { type: 'swapped' | 'rejected' }>;

export class ReloadWatch {
  readonly addresses = new Map<string, string>();
  generation = 0;
  keyId: string | undefined;
  notAfter: Date | undefined;
  #waiting: ((event: ReloadEvent) => void)[] = [];

  readonly observe = (event: Event): void => {
    if (event.type === 'listening') this.addresses.set(event.listener, event.address);
    if (event.type === 'swapped') {
      this.generation = event.generation;
      this.keyId = event.keyId;
      this.notAfter = event.notAfter;
    }
    if (event.type !== 'swapped' && event.type !== 'rejected') return;
    // What was refused is tried again now and then: no response to what is being written meanwhile.
    if (event.type === 'rejected' && !event.isNew) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve(event);
  };

  /** The next time that something new becomes current or is refused. */
  next(): Promise<ReloadEvent> {
    const { promise, resolve } = Promise.withResolvers<ReloadEvent>();
    this.#waiting.push(resolve);
    return promise;
  }
}
