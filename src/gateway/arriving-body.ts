// The body of a response while it arrives: whole, or as a stream that is no faster than its reader.
import { Readable } from 'node:stream';
import { passedOnBytes } from '../system/young-garbage.ts';

/** To be taken once, in one of three ways. */
export interface IncomingBody {
  /** All of it, joined. `take` hears of each piece before it is kept; what it throws ends the connection. Rejects when it is cut off. */
  whole(take: (bytes: number) => void): Promise<Buffer>;
  stream(): Readable;
  /** Nobody wants it: its connection ends. */
  drop(): void;
}

/** What undici lets a reader do with the connection. */
export interface Control {
  abort(reason: Error): void;
  pause(): void;
  resume(): void;
}

interface Reader {
  readonly push: (piece: Uint8Array) => void;
  readonly end: () => void;
  readonly fail: (error: Error) => void;
}

/** What waits for its reader at most, but for the piece that is one too many. */
const mostWaiting = 64 * 1024;

/** One for all: Node would make an error with its stack for each. */
const unread = new DOMException('nobody reads the response', 'AbortError');

export class ArrivingBody implements IncomingBody {
  readonly #controller: Control;
  #reader: Reader | undefined;
  /** Until somebody reads. */
  readonly #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #end: 'ended' | Error | undefined;

  constructor(controller: Control) {
    this.#controller = controller;
  }

  push(piece: Uint8Array): void {
    if (this.#reader !== undefined) {
      this.#reader.push(piece);
      return;
    }
    this.#waiting.push(piece);
    this.#waitingBytes += piece.byteLength;
    if (this.#waitingBytes >= mostWaiting) this.#controller.pause();
  }

  end(): void {
    this.#end ??= 'ended';
    this.#reader?.end();
  }

  fail(error: Error): void {
    this.#end ??= error;
    this.#reader?.fail(error);
  }

  whole(take: (bytes: number) => void): Promise<Buffer> {
    // As nearly all that platforms send: in the packet of its head.
    if (this.#end === 'ended') return this.#wholeNow(take);
    return new Promise((resolve, reject) => {
      const pieces: Uint8Array[] = [];
      this.#readBy({
        push: (piece) => {
          try {
            take(piece.byteLength);
            pieces.push(piece);
          } catch (error) {
            // undici hands it on to `fail`.
            this.#abort(error as Error);
          }
        },
        // Copied: a piece is part of the buffer that was read from the connection, which is longer.
        end: () => resolve(Buffer.concat(pieces)),
        fail: reject,
      });
    });
  }

  async #wholeNow(take: (bytes: number) => void): Promise<Buffer> {
    const pieces = this.#waiting.splice(0);
    for (const { byteLength } of pieces) take(byteLength);
    return Buffer.concat(pieces);
  }

  stream(): Readable {
    const stream = new Readable({
      highWaterMark: mostWaiting,
      read: () => this.#controller.resume(),
      destroy: (error, destroyed) => {
        this.#abort(error ?? unread);
        destroyed(error);
      },
    });
    this.#readBy({
      push: (piece) => {
        passedOnBytes(piece.byteLength);
        if (!stream.push(piece)) this.#controller.pause();
      },
      end: () => stream.push(null),
      fail: (error) => stream.destroy(error),
    });
    return stream;
  }

  drop(): void {
    this.#abort(unread);
  }

  #readBy(reader: Reader): void {
    this.#reader = reader;
    for (const piece of this.#waiting.splice(0)) reader.push(piece);
    if (this.#end === 'ended') reader.end();
    else if (this.#end !== undefined) reader.fail(this.#end);
    else this.#controller.resume();
  }

  #abort(reason: Error): void {
    if (this.#end === undefined) this.#controller.abort(reason);
  }
}
