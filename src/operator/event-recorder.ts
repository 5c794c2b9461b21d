// Records Events at most once a minute for each object and reason, with how many they were, and tries again what could not be recorded.
import type { Clock } from '../clock.ts';
import { PaycertError } from '../errors.ts';
import type { Observe } from '../events.ts';
import type { Leadership } from './leadership.ts';
import { recordEvent, type RecordOptions, type Regarded } from './record-events.ts';
import type { Notice } from './status/events.ts';

export interface EventRecorderOptions extends RecordOptions {
  readonly leadership: Leadership;
  readonly clock: Clock;
  readonly observe: Observe;
}

/** A Secret that flaps ten times a second would fill etcd, and hide every other Event. */
const pauseMilliseconds = 60_000;

interface Waiting {
  readonly resource: Regarded;
  readonly notice: Notice;
  readonly count: number;
  readonly since: Date;
}

export class EventRecorder {
  readonly #options: EventRecorderOptions;
  /** By object and reason, for a minute after each Event: what has come since. */
  readonly #recent = new Map<string, Waiting | undefined>();
  #lost: string | undefined;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
  }

  /** At once, unless there was one like it within the last minute: then when that is over. */
  async record(resource: Regarded, notice: Notice, signal: AbortSignal): Promise<void> {
    const id = `${resource.uid} ${notice.reason}`;
    const since = this.#options.clock.now();
    if (this.#recent.has(id)) {
      const { count = 0, since: first = since } = this.#recent.get(id) ?? {};
      this.#recent.set(id, { resource, notice, count: count + 1, since: first });
      return;
    }
    await this.#write(id, { resource, notice, count: 1, since }, signal);
  }

  async #write(id: string, waiting: Waiting, signal: AbortSignal): Promise<void> {
    const { leadership, observe } = this.#options;
    const { resource, notice, count, since } = waiting;
    const object = `${resource.namespace}/${resource.name}`;
    const note = count === 1 ? notice.note : `${count} times since ${since.toISOString()}, last: ${notice.note}`;
    this.#recent.set(id, undefined);
    try {
      const written = await leadership.write(async (leading) => {
        await recordEvent(resource, { ...notice, note }, this.#options, leading);
        return true;
      });
      if (written === true) observe({ type: 'event-recorded', object });
      this.#lost = undefined;
    } catch (error) {
      // The status says it too, and stays.
      if (!(error instanceof PaycertError)) throw error;
      observe({ type: 'event-lost', object, error, isNew: this.#lost !== error.code });
      this.#lost = error.code;
      const newer = this.#recent.get(id);
      this.#recent.set(id, newer ? { ...newer, count: count + newer.count, since } : waiting);
    }
    void this.#writeLater(id, signal);
  }

  async #writeLater(id: string, signal: AbortSignal): Promise<void> {
    const { clock, observe } = this.#options;
    await clock.sleep(pauseMilliseconds, signal);
    const waiting = this.#recent.get(id);
    if (signal.aborted || waiting === undefined) {
      this.#recent.delete(id);
      return;
    }
    await this.#write(id, waiting, signal).catch((error: unknown) => {
      observe({ type: 'internal-error', where: 'operator', error });
    });
  }
}
