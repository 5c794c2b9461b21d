// Long work in turns: after so many steps the event loop serves what else waits, and then the work continues.

/** Where time is measured: what waits longer than this in one turn is done in the next. */
export const turnMilliseconds = 8;

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

/** So many bytes are digested or copied in a millisecond or two. */
const bytesInTurn = 1024 * 1024;

/** Bytes in pieces, one of them in each turn. */
export async function* piecesOf(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  const turns = new Turns(bytesInTurn);
  for (let at = 0; at < bytes.byteLength; at += bytesInTurn) {
    const piece = bytes.subarray(at, at + bytesInTurn);
    yield piece;
    const pause = turns.step(piece.byteLength);
    if (pause) await pause;
  }
}

/** Chunks as one, copied in turns. */
export async function joinInTurns(chunks: readonly Uint8Array[], length: number): Promise<Buffer> {
  const whole = Buffer.alloc(length);
  const turns = new Turns(bytesInTurn);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
    const pause = turns.step(chunk.byteLength);
    if (pause) await pause;
  }
  return whole;
}
