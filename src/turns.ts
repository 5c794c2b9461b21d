// Long work in turns: after so many steps the event loop serves what else waits, and then the work continues.

/** Steps that take a few milliseconds. */
const stepsInTurn = 4000;

/** Counts steps. Await `step()` whenever it returns a promise: `const pause = turns.step(); if (pause) await pause;` */
export class Turns {
  #steps = 0;
  readonly #most: number;

  constructor(most = stepsInTurn) {
    this.#most = most;
  }

  step(steps = 1): Promise<void> | undefined {
    this.#steps += steps;
    if (this.#steps < this.#most) return undefined;
    this.#steps = 0;
    return new Promise((resolve) => setImmediate(resolve));
  }
}
