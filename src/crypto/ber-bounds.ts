// How much work BER would be for a reader that makes an object of everything: counted without one, before it is read.
import { DerError } from './der.ts';

/** Of real files: a few hundred elements, a dozen deep, a few kilobytes. */
export const berLimits = { bytes: 1024 * 1024, elements: 10_000, depth: 40 } as const;

const bitString = 0x03;
const constructed = 0x20;

/** What may still be read of one file: every pass over a part of it takes from the same budget. */
export class BerBudget {
  #bytes = 0;
  #elements = 0;

  get elements(): number {
    return this.#elements;
  }

  /**
   * Counts what a reader makes of these bytes, as leniently as one reads that takes what is cut off. Bits are tried as elements,
   * as node-forge does. `depth`: of what they are in.
   * @throws DerError where it is more than any real file has
   */
  spend(bytes: Uint8Array, depth = 0): void {
    this.#bytes += bytes.byteLength;
    if (this.#bytes > berLimits.bytes) throw new DerError('more bytes than a file may have');
    let at = 0;
    while (at < bytes.byteLength) at = this.#element(bytes, at, bytes.byteLength, depth);
  }

  /** Where it ends. */
  #element(bytes: Uint8Array, at: number, end: number, depth: number): number {
    this.#elements += 1;
    if (depth > berLimits.depth || this.#elements > berLimits.elements)
      throw new DerError('more elements, or deeper ones, than a file may have');
    const tag = bytes[at] ?? 0;
    const first = bytes[at + 1] ?? 0;
    if (first === 0x80) return this.#indefinite(bytes, at + 2, end, depth);
    const octets = first < 0x80 ? 0 : first & 0x7f;
    const start = Math.min(at + 2 + octets, end);
    let length = octets === 0 ? first : 0;
    for (let i = at + 2; i < start; i++) length = Math.min(length * 256 + (bytes[i] ?? 0), bytes.byteLength);
    const inside = Math.min(start + length, end);
    if ((tag & constructed) !== 0) this.#inside(bytes, start, inside, depth + 1);
    // Its first octet says how many bits are unused.
    else if (tag === bitString) this.#inside(bytes, start + 1, inside, depth + 1);
    return inside;
  }

  #inside(bytes: Uint8Array, start: number, end: number, depth: number): void {
    for (let at = start; at < end;) at = this.#element(bytes, at, end, depth);
  }

  /** Elements up to one that is empty and has no tag. */
  #indefinite(bytes: Uint8Array, start: number, end: number, depth: number): number {
    let next = start;
    while (next < end && !(bytes[next] === 0 && bytes[next + 1] === 0))
      next = this.#element(bytes, next, end, depth + 1);
    return Math.min(next + 2, end);
  }
}
