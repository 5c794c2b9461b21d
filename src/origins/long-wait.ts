// The wait of one who renews ahead: longer than a timer can, and over at once where there is something else to renew.
import { type Clock, longestSleep, pause } from '../clock.ts';

export class LongWait {
  readonly #clock: Clock;
  #end: () => void = () => undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Ends the wait that is under way. */
  end(): void {
    this.#end();
  }

  /** For ever where no time is given. Never rejects. */
  async wait(milliseconds = Infinity, signal: AbortSignal): Promise<void> {
    const ended = { isOver: false };
    for (let left = milliseconds; left > 0 && !ended.isOver && !signal.aborted; left -= longestSleep) {
      const part = pause(this.#clock, Math.min(left, longestSleep), signal);
      this.#end = () => {
        ended.isOver = true;
        part.end();
      };
      await part.over;
      part.end();
    }
  }
}
