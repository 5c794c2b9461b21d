// HTTP servers on loopback for the time of one test.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { Server as SecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { TestContext } from 'node:test';

/** A port of that host that was free, until the test ends: then the server is closed, and all its connections. */
export async function listen(t: TestContext, server: Server | SecureServer, host: string): Promise<number> {
  server.listen(0, host);
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Its origin, such as `http://127.0.0.1:40001`. */
export async function listenFor(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  // A caller that is held up for five seconds finds its connection where it left it.
  server.keepAliveTimeout = 0;
  return `http://127.0.0.1:${String(await listen(t, server, '127.0.0.1'))}`;
}

/** A proxy before a server of a test. Its connections can be broken. */
export abstract class Listening {
  readonly #server = createServer((question, answer) => void this.answer(question, answer));
  readonly #sockets = new Set<Socket>();
  /** The most connections that were open at once. */
  mostSockets = 0;

  protected abstract answer(question: IncomingMessage, answer: ServerResponse): void | Promise<void>;

  protected async listen(t: TestContext): Promise<void> {
    // Real servers keep a connection for minutes: one that ends while it is used again is another test's matter.
    this.#server.keepAliveTimeout = 0;
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      this.mostSockets = Math.max(this.mostSockets, this.#sockets.size);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    t.after(async () => {
      this.cut();
      this.#server.close();
      await once(this.#server, 'close');
    });
  }

  /** Such as `http://127.0.0.1:40001`. */
  get url(): string {
    return `http://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}`;
  }

  /** Breaks every connection. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}
