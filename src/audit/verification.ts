// Reads the lines of an audit in order, and says what of them was changed, removed, inserted or moved.
import { type Digest, type Head, isGenuine, type KnownEnd, type Linked, numberOf, readLine } from './chain.ts';

/**
 * `unreadable`: not a line of an audit. `changed`: it does not carry the digest of what it says. `missing`: lines before it are not there.
 * `again`: its number was there before. `unlinked`: it does not follow the line before it. `cut`: the end that is known is not there.
 * `other-end`: the line of that number is another one.
 */
export type FaultKind = 'unreadable' | 'changed' | 'missing' | 'again' | 'unlinked' | 'cut' | 'other-end';

export interface Fault {
  readonly kind: FaultKind;
  /** As it was given with the line; absent where it is about the whole. */
  readonly where?: string;
  /** The last line that was in order. */
  readonly after: number;
}

export interface Verdict {
  readonly lines: number;
  readonly first: number | undefined;
  /** The last line that is in order, and its time. */
  readonly last: (Head & { readonly time: string }) | undefined;
  readonly faults: readonly Fault[];
  /** Files that end with half a line, as a process leaves it that is killed. */
  readonly torn: readonly string[];
}

export interface VerificationOptions {
  /** One for each key that the chain had; the digest without a key, if it had none. */
  readonly digests: readonly Digest[];
  /** What a metric has shown of the chain, at some time. */
  readonly known?: KnownEnd | undefined;
}

/** Beyond these, faults are counted no further. */
const mostFaults = 100;

export class Verification {
  readonly #options: VerificationOptions;
  readonly #faults: Fault[] = [];
  readonly #torn: string[] = [];
  #lines = 0;
  #first: number | undefined;
  #last: (Head & { readonly time: string }) | undefined;
  /** Up to which line the audit itself says that it has removed them. */
  #removedThrough = 0;
  #isKnownSeen = false;

  constructor(options: VerificationOptions) {
    this.#options = options;
  }

  /** The next line of all files together. */
  take(line: string, where: string): void {
    const { digests, known } = this.#options;
    const linked = readLine(line);
    const isOurs = linked !== undefined && digests.some((digest) => isGenuine(line, linked, digest));
    if (!isOurs) {
      this.#fault(linked === undefined ? 'unreadable' : 'changed', where);
      return;
    }
    const { seq, record } = linked;
    const fault = this.#placeOf(linked);
    if (fault !== undefined) this.#fault(fault, where);
    // The line that was there before is the one that counts.
    if (fault === 'again') return;
    this.#lines += 1;
    this.#first ??= seq;
    this.#last = { seq, hash: linked.hash, time: String(record['time']) };
    if (record['type'] === 'removed') this.#removedThrough = Math.max(this.#removedThrough, Number(record['through']));
    if (known?.seq !== seq) return;
    this.#isKnownSeen = true;
    if (numberOf(linked) !== known.number) this.#fault('other-end', where);
  }

  /** A file ends with half a line. What follows it, if anything does, must follow the last whole one. */
  takeHalf(where: string): void {
    this.#torn.push(where);
  }

  end(): Verdict {
    const { known } = this.#options;
    const first = this.#first ?? 1;
    if (first > 1 && first > this.#removedThrough + 1) this.#faults.unshift({ kind: 'missing', after: 0 });
    if (known !== undefined && !this.#isKnownSeen && known.seq >= first) this.#fault('cut');
    return { lines: this.#lines, first: this.#first, last: this.#last, faults: this.#faults, torn: this.#torn };
  }

  /** What is wrong with where it stands. */
  #placeOf({ seq, previous }: Linked): FaultKind | undefined {
    const before = this.#last;
    if (before === undefined) return undefined;
    if (seq <= before.seq) return 'again';
    if (seq > before.seq + 1) return 'missing';
    return previous === before.hash ? undefined : 'unlinked';
  }

  #fault(kind: FaultKind, where?: string): void {
    const after = this.#last?.seq ?? 0;
    if (this.#faults.length < mostFaults) this.#faults.push({ kind, after, ...(where !== undefined && { where }) });
  }
}
