// The connections of one listener: how many there may be, which one ends for another, and whose turn it is to be answered.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Limits } from './limits.ts';

interface Connection {
  readonly socket: Socket;
  readonly address: string;
  /** Whether it has ever got what it asked for. */
  isServed: boolean;
  /** In the order of the requests; the first is being made or sent. */
  readonly owed: { readonly response: ServerResponse; readonly start: () => void }[];
}

/**
 * A listener that is full ends a connection for the next one, and does not refuse the next one: strangers who hold all
 * places would otherwise keep kubelet's probe out, and so restart the process. What ends comes from the address with
 * most connections, since kubelet and Prometheus have few; of these, the one that was never served, or was served
 * longest ago.
 */
export class Connections {
  readonly #limits: Limits;
  /** Those used longest ago first. */
  readonly #all = new Map<Socket, Connection>();

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  accept(socket: Socket): void {
    // Also when nobody reads any more: the address is that of the peer, and gone with it.
    this.#all.set(socket, { socket, address: socket.remoteAddress ?? '', isServed: false, owed: [] });
    socket.once('close', () => this.#all.delete(socket));
    if (this.#all.size > this.#limits.connections) this.#leastImportant(socket).destroy();
  }

  /** The handshake is over: what was counted by the socket beneath is now counted by this one. */
  secured(socket: TLSSocket): void {
    const isBeneath = ({ remoteAddress, remotePort }: Socket) =>
      remoteAddress === socket.remoteAddress && remotePort === socket.remotePort;
    const beneath = [...this.#all.keys()].find(isBeneath);
    if (beneath !== undefined) this.#all.delete(beneath);
    this.accept(socket);
  }

  /** Calls `start` when every request before it on that connection is answered, and reads no more until then. */
  take({ socket }: IncomingMessage, response: ServerResponse, start: () => void): void {
    const connection = this.#all.get(socket);
    // What its parser still finds in the bytes of a connection that has ended.
    if (connection === undefined || socket.destroyed) return;
    if (connection.owed.length > this.#limits.pipelined) {
      socket.destroy();
      return;
    }
    connection.owed.push({ response, start });
    this.#all.delete(socket);
    this.#all.set(socket, connection);
    // A response closes when the system has taken all of it, or when its connection is gone.
    response.once('close', () => this.#answered(connection, response));
    if (connection.owed.length === 1) start();
    else socket.pause();
  }

  /** The responses that are owed, the last one of each connection. */
  lastOwed(): readonly ServerResponse[] {
    return [...this.#all.values()].flatMap(({ owed }) => owed.at(-1)?.response ?? []);
  }

  endIdle(): void {
    for (const { socket, owed } of this.#all.values()) if (owed.length === 0) socket.destroySoon();
  }

  destroyAll(): void {
    for (const socket of this.#all.keys()) socket.destroy();
  }

  #answered(connection: Connection, { statusCode }: ServerResponse): void {
    connection.owed.shift();
    connection.isServed ||= statusCode < 400;
    const [next] = connection.owed;
    if (next === undefined) connection.socket.resume();
    else if (!connection.socket.destroyed) next.start();
  }

  #leastImportant(newest: Socket): Socket {
    const perAddress = new Map<string, number>();
    for (const { address } of this.#all.values()) perAddress.set(address, (perAddress.get(address) ?? 0) + 1);
    const rank = ({ address, isServed, owed }: Connection): number =>
      (perAddress.get(address) ?? 0) * 4 + (isServed ? 0 : 2) + (owed.length === 0 ? 1 : 0);
    let found: Connection | undefined;
    for (const connection of this.#all.values()) {
      if (connection.socket === newest || (connection.owed.length > 0 && !this.#limits.endsUnanswered)) continue;
      if (found === undefined || rank(connection) > rank(found)) found = connection;
    }
    return found?.socket ?? newest;
  }
}
