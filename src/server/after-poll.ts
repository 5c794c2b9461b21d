// When the system has been asked once more what has come, work begins: for callers that have not left by then, and a few milliseconds of it in each turn.

import type { IncomingMessage } from 'node:http';
import type { Server, Socket } from 'node:net';
import { turnMilliseconds } from '../turns.ts';

/** Which server accepted it: Node says so, and its documentation does not. */
type Accepted = Socket & { readonly server?: Server };

/** So many polls that are cut short are waited through: a flood that cuts every one must not keep work from beginning. */
const mostCut = 4;

/**
 * All who ask in the same turn share one poll, and then begin in the order in which they asked. A stranger's two hundred bodies may be
 * whole in one turn; together they would hold the event loop for as long as they all take.
 */
export class Polls {
  readonly #milliseconds: () => number;
  #asking: (() => void)[] | undefined;
  readonly #polled: (() => void)[] = [];
  #isBeginning = false;
  #cuts = 0;

  /** `milliseconds`: a clock that never goes back. */
  constructor(milliseconds: () => number) {
    this.#milliseconds = milliseconds;
  }

  /**
   * Calls `begin`, which throws nothing, after the event loop has polled every connection once since the call. A body and the end of its
   * connection may be there together, after a pause of this process or at once, and Node reads the end later.
   */
  after(begin: () => void): void {
    if (this.#asking === undefined) this.#poll();
    this.#asking?.push(begin);
  }

  /** The poll that is under way ends before every connection was asked: it tells nobody's end, or not every one's. */
  cut(): void {
    this.#cuts += 1;
  }

  #poll(): void {
    const asking: (() => void)[] = [];
    this.#asking = asking;
    // It may come at the end of the poll that is under way.
    setImmediate(() => {
      this.#asking = undefined;
      this.#beginAfterNext(asking, mostCut);
    });
  }

  /** Between this and the immediate lies a whole poll, unless that is cut short. */
  #beginAfterNext(asking: readonly (() => void)[], mayWait: number): void {
    const cuts = this.#cuts;
    setImmediate(() => {
      if (this.#cuts !== cuts && mayWait > 0) {
        this.#beginAfterNext(asking, mayWait - 1);
        return;
      }
      this.#polled.push(...asking);
      if (!this.#isBeginning) void this.#begin();
    });
  }

  async #begin(): Promise<void> {
    this.#isBeginning = true;
    while (this.#polled.length > 0) {
      const started = this.#milliseconds();
      while (this.#polled.length > 0 && this.#milliseconds() - started < turnMilliseconds) {
        this.#polled.shift()?.();
        // Its work is done meanwhile; where that begins a few promises later, so many more are begun before its time is known.
        await Promise.resolve();
      }
      if (this.#polled.length > 0) await new Promise((resolve) => setImmediate(resolve));
    }
    this.#isBeginning = false;
  }
}

const makePolls = () => new Polls(() => performance.now());
const ofListeners = new WeakMap<Server, Polls>();

/** As of `Polls.cut`, for the listener that accepted it. */
export function cutPoll(socket: Socket): void {
  const { server } = socket as Accepted;
  if (server !== undefined) ofListeners.get(server)?.cut();
}

/** As of `Polls.after`. Each listener has turns of its own: strangers at one port do not stand before the callers of another. */
export function afterPoll({ socket }: Partial<Pick<IncomingMessage, 'socket'>>, begin: () => void): void {
  pollsOf((socket as Accepted | undefined)?.server).after(begin);
}

function pollsOf(server: Server | undefined): Polls {
  const known = server && ofListeners.get(server);
  if (known !== undefined) return known;
  const polls = makePolls();
  if (server !== undefined) ofListeners.set(server, polls);
  return polls;
}
