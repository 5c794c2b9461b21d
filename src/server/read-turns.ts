// How much of what the connections of one listener send is read in one turn of the event loop: some milliseconds' worth, the rest in the next.
import type { Socket } from 'node:net';
import { turnMilliseconds } from '../turns.ts';
import { cutPoll } from './after-poll.ts';

/** What Node's connection has, and its documentation does not: a test says so when that changes. */
interface Connected {
  readonly parser?: (Record<number, unknown> & { readonly constructor: { readonly kOnExecute?: number } }) | null;
  /** `reading`: whether what comes is wanted. Kept by Node, and by nobody here. */
  readonly _handle?: { readonly reading?: boolean; readStop(): void; readStart(): void } | null;
}

/** What Node calls for each packet, when it has been parsed. */
type Executed = (...result: readonly unknown[]) => void;

/**
 * The event loop reads from every connection that has something before it does anything else. A packet costs little, and a thousand of
 * them at once, with what they make begin, would hold it for as long as they all take. So those that are left are asked in the next turn.
 */
export class ReadTurns {
  readonly #sockets: () => Iterable<Socket>;
  readonly #milliseconds: () => number;
  #startedAt: number | undefined;
  #isOver = false;

  /** `sockets`: all of the listener, in the order in which they are read again. `milliseconds`: a clock that never goes back. */
  constructor(sockets: () => Iterable<Socket>, milliseconds: () => number = () => performance.now()) {
    this.#sockets = sockets;
    this.#milliseconds = milliseconds;
  }

  /** To be called before anything is read from it. A connection that is accepted takes time, too, and one that ends. */
  follow(socket: Socket): void {
    this.#spend(socket);
    socket.on('end', () => this.#spend(socket));
    const { parser } = socket as Connected;
    const place = parser?.constructor.kOnExecute;
    if (!parser || place === undefined) return;
    const executed = parser[place] as Executed;
    parser[place] = (...result: readonly unknown[]) => {
      executed(...result);
      this.#spend(socket);
    };
  }

  #spend(last: Socket): void {
    const now = this.#milliseconds();
    if (this.#startedAt === undefined) {
      this.#startedAt = now;
      // Immediates come after everything that is read in a turn.
      setImmediate(() => this.#begin());
    } else if (!this.#isOver && now - this.#startedAt >= turnMilliseconds) {
      this.#isOver = true;
      for (const socket of this.#sockets()) (socket as Connected)._handle?.readStop();
      cutPoll(last);
    }
  }

  #begin(): void {
    this.#startedAt = undefined;
    if (!this.#isOver) return;
    this.#isOver = false;
    for (const socket of this.#sockets()) {
      const { _handle: handle } = socket as Connected;
      // Not one that waits for its response meanwhile.
      if (handle?.reading === true) handle.readStart();
    }
  }
}
