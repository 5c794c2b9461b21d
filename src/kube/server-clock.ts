// Compares the clock here with the API server's, by the Date of its responses: signatures of a wrong clock are refused by platforms.
import type { Clock } from '../clock.ts';
import { type Observe, tolerableSkewSeconds } from '../events.ts';

export class ServerClock {
  readonly #clock: Clock;
  readonly #observe: Observe;
  #wasOff = false;

  constructor(clock: Clock, observe: Observe) {
    this.#clock = clock;
    this.#observe = observe;
  }

  now(): Date {
    return this.#clock.now();
  }

  /** The server wrote its time, in whole seconds, between `sentAt` and now: within that nothing is off. */
  compare(sentAt: Date, date = ''): void {
    const theirs = Date.parse(date);
    if (Number.isNaN(theirs)) return;
    const [least, most] = [sentAt.getTime() - (theirs + 999), this.#clock.now().getTime() - theirs];
    const ahead = least > 0 ? least : Math.min(most, 0);
    const aheadSeconds = Math.round(ahead / 1000) + 0;
    const isOff = Math.abs(aheadSeconds) > tolerableSkewSeconds;
    this.#observe({ type: 'clock-compared', aheadSeconds, isNews: isOff !== this.#wasOff });
    this.#wasOff = isOff;
  }
}
