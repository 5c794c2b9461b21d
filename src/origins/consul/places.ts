// The connections on which an agent keeps questions waiting. Where more follow it than it takes connections of one client, they take turns on those there are.
import { Slots } from '../../system/slots.ts';

/** How long a question waits for a change where nobody waits for its place: what is missed by whatever means is seen by then. */
const longestMilliseconds = 60_000;
/** Everybody who takes turns has had one within so long: a change is found by then. */
const roundMilliseconds = 10_000;
const shortestMilliseconds = 100;

/** Of one agent, for all that follow something there. */
export class Places {
  readonly #count: number;
  readonly #slots: Slots;
  #followers = 0;

  constructor(count: number) {
    this.#count = count;
    this.#slots = new Slots(count);
  }

  /** Counts somebody who will ask until it is disposed of. */
  follow(): Disposable {
    this.#followers += 1;
    return { [Symbol.dispose]: () => (this.#followers -= 1) };
  }

  /** Resolves with a place: dispose of it once the question has been answered. @throws the signal's reason */
  enter(signal: AbortSignal): Promise<Disposable> {
    return this.#slots.take(signal);
  }

  /** How long a question may wait on its place: an index that it missed meanwhile is answered at once at its next turn. */
  get waitMilliseconds(): number {
    if (this.#followers <= this.#count) return longestMilliseconds;
    return Math.max(Math.floor((roundMilliseconds * this.#count) / this.#followers), shortestMilliseconds);
  }
}
