// Asks Pods in rounds, for the time of leading: those that are due, so many at once, with a pause after each round, or until one is due.
import { type Clock, pause } from '../../clock.ts';
import type { Observe } from '../../events.ts';
import type { Member } from './members.ts';
import { dueNow } from './turns.ts';

export interface RoundsOptions {
  /** Those that may be asked. */
  readonly members: () => readonly Member[];
  /** Whether it answered. */
  readonly ask: (member: Member, signal: AbortSignal) => Promise<boolean>;
  readonly ended: () => void;
  /** Whether PaymentCredentials wait to be looked at: a Pod that is asked before them is asked again for each. */
  readonly isBehind: () => boolean;
  readonly clock: Clock;
  readonly observe: Observe;
}

const askedAtOnce = 50;
/** Twenty seconds, if none of them answers. */
const mostInRound = 500;
const pauseMilliseconds = 1000;
/** What changes all the time holds nothing else up for longer. */
const longestBehind = 120_000;

export class Rounds {
  readonly #options: RoundsOptions;
  #wake: () => void = () => undefined;

  constructor(options: RoundsOptions) {
    this.#options = options;
  }

  /** One may be due sooner than was known. */
  wake(): void {
    this.#wake();
  }

  /** Until aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { members, clock } = this.#options;
    const isOver = () => signal.aborted;
    await this.#catchUp(signal);
    while (!isOver()) {
      const all = members();
      const due = dueNow(all, this.#now(), mostInRound);
      if (due.length > 0) {
        await this.#round(due, signal);
        await clock.sleep(pauseMilliseconds, signal);
        continue;
      }
      const next = Math.min(...all.map(({ nextAt }) => nextAt));
      const wait = pause(clock, next - this.#now(), signal);
      this.#wake = wait.end;
      await wait.over;
      wait.end();
    }
  }

  #now(): number {
    return this.#options.clock.now().getTime();
  }

  /** What is stored is learned first. In the first moment, nothing has even been added to what waits. */
  async #catchUp(signal: AbortSignal): Promise<void> {
    const { clock, isBehind } = this.#options;
    const latest = this.#now() + longestBehind;
    do await clock.sleep(pauseMilliseconds, signal);
    while (!signal.aborted && isBehind() && this.#now() < latest);
  }

  async #round(due: readonly Member[], signal: AbortSignal): Promise<void> {
    const { ask, ended, observe } = this.#options;
    const startedAt = this.#now();
    const waiting = due.values();
    let answered = 0;
    const work = async () => {
      for (const member of waiting) {
        if (await ask(member, signal)) answered += 1;
        if (signal.aborted) return;
      }
    };
    await Promise.all(Array.from({ length: Math.min(askedAtOnce, due.length) }, work));
    ended();
    const seconds = (this.#now() - startedAt) / 1000;
    observe({ type: 'fleet-asked', answered, unanswered: due.length - answered, seconds });
  }
}
