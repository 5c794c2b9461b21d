// How many connections of a listener are in their handshake at once: each costs a signature in the event loop, and strangers can ask for hundreds together.
import type { Socket } from 'node:net';

interface Waiting {
  readonly peer: string;
  readonly address: string;
  readonly begin: () => void;
}

/** With an RSA key, each takes about a millisecond of the event loop. */
export const mostAtOnce = 32;
/** So that one address, which begins many and ends none, leaves places to others. */
export const mostPerAddress = 8;

/** They begin in the order in which they come, but for addresses that have enough under way. What waits is not looked at. */
export class Handshakes {
  /** Addresses, by peer. */
  readonly #underWay = new Map<string, string>();
  readonly #waiting = new Set<Waiting>();

  /** Calls `begin` when there is room, unless the connection has ended. */
  take(socket: Socket, begin: () => void): void {
    const waiting = { peer: peerOf(socket), address: socket.remoteAddress ?? '', begin };
    this.#waiting.add(waiting);
    socket.once('close', () => {
      this.#waiting.delete(waiting);
      this.#end(waiting.peer);
    });
    this.#beginNext();
  }

  /** It has succeeded. */
  over(socket: Socket): void {
    this.#end(peerOf(socket));
  }

  #end(peer: string): void {
    if (this.#underWay.delete(peer)) this.#beginNext();
  }

  #beginNext(): void {
    for (const waiting of this.#waiting) {
      if (this.#underWay.size >= mostAtOnce) return;
      if (!this.#hasRoomFor(waiting.address)) continue;
      this.#waiting.delete(waiting);
      this.#underWay.set(waiting.peer, waiting.address);
      waiting.begin();
    }
  }

  #hasRoomFor(address: string): boolean {
    return [...this.#underWay.values()].filter((other) => other === address).length < mostPerAddress;
  }
}

/** The socket of TLS is another one than that beneath, and has the same peer. */
const peerOf = ({ remoteAddress = '', remotePort = 0 }: Socket): string => `${remoteAddress} ${String(remotePort)}`;
