// How far away a key service is: as far as its fastest response of the last minutes, which no crowd makes faster.

const windowMilliseconds = 5 * 60_000;
/** A signature takes a service in the same datacenter 2 to 5 ms, the way there and back included. */
const farMilliseconds = 10;

export class Distance {
  readonly #milliseconds: () => number;
  #from: number;
  #fastest = Infinity;
  #fastestBefore = Infinity;

  constructor(milliseconds: () => number) {
    this.#milliseconds = milliseconds;
    this.#from = milliseconds();
  }

  /** A response, after so long. */
  note(milliseconds: number): void {
    if (this.#milliseconds() - this.#from > windowMilliseconds) {
      this.#from = this.#milliseconds();
      [this.#fastestBefore, this.#fastest] = [this.#fastest, Infinity];
    }
    this.#fastest = Math.min(this.#fastest, milliseconds);
  }

  /** Whether the way there takes more than the work does. False before the first response. */
  get isFar(): boolean {
    const fastest = Math.min(this.#fastest, this.#fastestBefore);
    return fastest !== Infinity && fastest > farMilliseconds;
  }
}
