// An observer that remembers, and that a test can wait for instead of sleeping.
import type { Event } from '../../src/events.ts';

type OfType<T extends Event['type']> = Extract<Event, { type: T }>;

export class Recorder {
  readonly events: Event[] = [];
  #waiting: { readonly accepts: (event: Event) => boolean; readonly resolve: (event: Event) => void }[] = [];

  readonly observe = (event: Event): void => {
    this.events.push(event);
    const [woken, waiting] = [this.#waiting.filter((w) => w.accepts(event)), this.#waiting];
    this.#waiting = waiting.filter((w) => !woken.includes(w));
    for (const { resolve } of woken) resolve(event);
  };

  of<T extends Event['type']>(type: T): OfType<T>[] {
    return this.events.filter((event): event is OfType<T> => event.type === type);
  }

  /** The next such event from now on. */
  next<T extends Event['type']>(type: T, accepts: (event: OfType<T>) => boolean = () => true): Promise<OfType<T>> {
    return new Promise((resolve) => {
      this.#waiting.push({
        accepts: (event) => event.type === type && accepts(event as OfType<T>),
        resolve: (event) => resolve(event as OfType<T>),
      });
    });
  }
}
