// A proxy before a real API server that does to answers what networks and other proxies do, in the order that a test wants.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { request } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import type { ControlPlane } from './control-plane.ts';

export class FaultProxy {
  /** What becomes of each line of a watch; undefined swallows it. */
  rewrite: (line: string) => string | undefined = (line) => line;
  /** Answers every request with this status, when it is set. */
  status: number | undefined;
  /** Ends each watch as soon as it is accepted. */
  endsWatches = false;
  /** Every request, as `list` or `watch`. */
  readonly calls: string[] = [];
  /** The most of them that were under way at once. */
  readonly most = { list: 0, watch: 0 };
  readonly #open = { list: 0, watch: 0 };
  readonly #plane: ControlPlane;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #muted = new Set<ServerResponse>();
  readonly #watching = new Set<ServerResponse>();

  private constructor(plane: ControlPlane) {
    this.#plane = plane;
    this.#server = createServer((question, answer) => void this.#forward(question, answer));
    // Real servers keep a connection for minutes: one that ends while it is used again is another test's matter.
    this.#server.keepAliveTimeout = 0;
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  static async start(t: TestContext, plane: ControlPlane): Promise<FaultProxy> {
    const proxy = new FaultProxy(plane);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    t.after(async () => {
      proxy.cut();
      proxy.#server.close();
      await once(proxy.#server, 'close');
    });
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}`;
  }

  /** Breaks every connection. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Nothing comes on the watches that stand, and they stay open. */
  mute(): void {
    this.#muted = new Set(this.#watching);
  }

  async #forward(question: IncomingMessage, answer: ServerResponse): Promise<void> {
    const kind = question.url?.includes('watch=true') === true ? 'watch' : 'list';
    this.calls.push(kind);
    this.#open[kind] += 1;
    this.most[kind] = Math.max(this.most[kind], this.#open[kind]);
    answer.on('close', () => (this.#open[kind] -= 1));
    if (this.status !== undefined) {
      answer.writeHead(this.status).end('a page for people');
      return;
    }
    const { method, url, headers } = question;
    const ca = await this.#plane.ca();
    const port = this.#plane.port;
    const onward = request({ host: '127.0.0.1', port, ca, method, path: url, headers, agent: false });
    question.pipe(onward);
    answer.on('close', () => onward.destroy());
    onward.on('error', () => answer.destroy());
    onward.on('response', (response) => {
      answer.writeHead(response.statusCode ?? 0, response.headers);
      response.on('error', () => answer.destroy());
      if (kind === 'list') response.pipe(answer);
      else if (this.endsWatches) answer.end();
      else this.#forwardLines(response, answer);
    });
  }

  #forwardLines(response: IncomingMessage, answer: ServerResponse): void {
    this.#watching.add(answer);
    answer.flushHeaders();
    answer.on('close', () => this.#watching.delete(answer));
    const lines = createInterface(response);
    lines.on('error', () => answer.destroy());
    lines.on('line', (line) => {
      const passed = this.#muted.has(answer) ? undefined : this.rewrite(line);
      if (passed !== undefined) answer.write(`${passed}\n`);
    });
    lines.on('close', () => {
      if (!this.#muted.has(answer)) answer.end();
    });
  }
}
