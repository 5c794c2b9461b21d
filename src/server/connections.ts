// The connections of one listener: how many there may be, which one ends for another, and whose turn it is to be read and answered.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Limits } from './limits.ts';
import { owe, settle } from './owed.ts';
import { ReadTurns } from './read-turns.ts';

interface Connection {
  readonly socket: Socket;
  readonly address: string;
  /** Whether it has ever got what it asked for. */
  isServed: boolean;
  /** The response that is being made or sent. */
  owed: ServerResponse | undefined;
  /** Requests that wait for that, in their order. Made for the first of them: most connections have none. */
  waiting: Owed[] | undefined;
}

interface Owed {
  readonly response: ServerResponse;
  readonly start: () => void;
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
  /** How many of them each address has. */
  readonly #perAddress = new Map<string, number>();
  #endsIdle = false;
  readonly #turns = new ReadTurns(() => this.#inTurn());

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  accept(socket: Socket): void {
    // Also when nobody reads any more: the address is that of the peer, and gone with it.
    const address = socket.remoteAddress ?? '';
    this.#all.set(socket, { socket, address, isServed: false, owed: undefined, waiting: undefined });
    this.#perAddress.set(address, this.#countOf(address) + 1);
    // Not `once`, which costs more than it spares: a connection closes once, and so does a response.
    socket.on('close', () => this.#forget(socket));
    this.#turns.follow(socket);
    if (this.#all.size > this.#limits.connections) this.#leastImportant(socket).destroy();
  }

  /** The handshake is over: what was counted by the socket beneath is now counted by this one. */
  secured(socket: TLSSocket): void {
    const isBeneath = ({ remoteAddress, remotePort }: Socket) =>
      remoteAddress === socket.remoteAddress && remotePort === socket.remotePort;
    const beneath = [...this.#all.keys()].find(isBeneath);
    if (beneath !== undefined) this.#forget(beneath);
    this.accept(socket);
  }

  /** Calls `start` when every request before it on that connection is answered, and reads no more until then. */
  take({ socket }: IncomingMessage, response: ServerResponse, start: () => void): void {
    const connection = this.#all.get(socket);
    // What its parser still finds in the bytes of a connection that has ended.
    if (connection === undefined || socket.destroyed) return;
    const { owed, waiting = [] } = connection;
    if (owed !== undefined && waiting.length >= this.#limits.pipelined) {
      socket.destroy();
      return;
    }
    this.#all.delete(socket);
    this.#all.set(socket, connection);
    // A response closes when the system has taken all of it, or when its connection is gone.
    response.on('close', () => this.#answered(connection, response));
    owe(connection);
    if (owed === undefined) {
      connection.owed = response;
      start();
    } else {
      connection.waiting = waiting;
      waiting.push({ response, start });
      socket.pause();
    }
  }

  /** The responses that are owed, the last one of each connection. */
  lastOwed(): readonly ServerResponse[] {
    return [...this.#all.values()].flatMap(({ owed, waiting }) => waiting?.at(-1)?.response ?? owed ?? []);
  }

  /** From now on: a connection that is owed nothing, or nothing any more, ends. */
  endIdle(): void {
    this.#endsIdle = true;
    for (const { socket, owed } of this.#all.values()) if (owed === undefined) socket.destroySoon();
  }

  destroyAll(): void {
    for (const socket of this.#all.keys()) socket.destroy();
  }

  #answered(connection: Connection, { statusCode }: ServerResponse): void {
    const next = connection.waiting?.shift();
    connection.owed = next?.response;
    connection.isServed ||= statusCode < 400;
    if (next === undefined) {
      settle(connection);
      connection.socket.resume();
    } else if (!connection.socket.destroyed) next.start();
    if (this.#endsIdle) this.endIdle();
  }

  /** First those that wait for a response: what they may still say is that they leave, before work begins for them. */
  *#inTurn(): Generator<Socket> {
    for (const waits of [true, false])
      for (const { socket, owed } of this.#all.values()) if ((owed !== undefined) === waits) yield socket;
  }

  #countOf(address: string): number {
    return this.#perAddress.get(address) ?? 0;
  }

  #forget(socket: Socket): void {
    const connection = this.#all.get(socket);
    if (connection === undefined) return;
    const { address } = connection;
    settle(connection);
    this.#all.delete(socket);
    const left = this.#countOf(address) - 1;
    if (left === 0) this.#perAddress.delete(address);
    else this.#perAddress.set(address, left);
  }

  /** Asked for each connection of a flood: one look at each of those that there are. */
  #leastImportant(newest: Socket): Socket {
    let [found, highest] = [newest, -1];
    for (const { socket, address, isServed, owed } of this.#all.values()) {
      if (socket === newest || (owed !== undefined && !this.#limits.endsUnanswered)) continue;
      const rank = this.#countOf(address) * 4 + (isServed ? 0 : 2) + (owed === undefined ? 1 : 0);
      if (rank > highest) [found, highest] = [socket, rank];
    }
    return found;
  }
}
