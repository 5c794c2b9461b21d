// How the platform takes the next of two staged sets in this process: what it refused of what that set signed, and when that is too much.
export interface TrialLimits {
  /** It ends when that many of a hundred signatures were refused. */
  readonly failurePercent: number;
  /** It continues while fewer than that were judged. */
  readonly minimumCalls: number;
}

/** The last ones: a key that failed an hour ago and works now is not refused for that. */
const mostRemembered = 200;

export class Trial {
  readonly #limits: TrialLimits;
  readonly #ended: () => void;
  /** The set and the activation that it is about; undefined while the next set does not sign by a share. */
  #about: string | undefined;
  #rejected: string | undefined;
  #refusals: boolean[] = [];
  #rejections = 0;

  /** `ended`: called when the set that is tried is rejected. */
  constructor(limits: TrialLimits, ended: () => void) {
    this.#limits = limits;
    this.#ended = ended;
  }

  /** The next set signs by its share, unless this very one was rejected. Another set, and another share, are another trial. */
  mayBegin(about: string): boolean {
    if (this.#rejected === about) return false;
    if (this.#about !== about) this.#refusals = [];
    [this.#about, this.#rejected] = [about, undefined];
    return true;
  }

  /** The next set does not sign now. */
  end(): void {
    this.#about = undefined;
  }

  /** The activation is another one: what was rejected may be tried again. */
  forget(): void {
    [this.#about, this.#rejected] = [undefined, undefined];
  }

  /** What the platform said of a signature of the next set. */
  note(isRefused: boolean): void {
    if (this.#about === undefined || this.#rejected === this.#about) return;
    this.#refusals.push(isRefused);
    if (this.#refusals.length > mostRemembered) this.#refusals.shift();
    const refused = this.#refusals.filter(Boolean).length;
    const { failurePercent, minimumCalls } = this.#limits;
    if (this.#refusals.length < minimumCalls || refused * 100 < failurePercent * this.#refusals.length) return;
    this.#rejected = this.#about;
    this.#rejections += 1;
    this.#ended();
  }

  /** How many were rejected so far. */
  get rejections(): number {
    return this.#rejections;
  }
}
