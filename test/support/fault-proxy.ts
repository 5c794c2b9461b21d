// A proxy before a real API server that does to answers what networks and other proxies do, in the order that a test wants.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { request } from 'node:https';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import type { ControlPlane } from './control-plane.ts';
import { Listening } from './listening.ts';

export class FaultProxy extends Listening {
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
  #muted = new Set<ServerResponse>();
  readonly #watching = new Set<ServerResponse>();

  private constructor(plane: ControlPlane) {
    super();
    this.#plane = plane;
  }

  static async start(t: TestContext, plane: ControlPlane): Promise<FaultProxy> {
    const proxy = new FaultProxy(plane);
    await proxy.listen(t);
    return proxy;
  }

  /** Nothing comes on the watches that stand, and they stay open. */
  mute(): void {
    this.#muted = new Set(this.#watching);
  }

  protected async answer(question: IncomingMessage, answer: ServerResponse): Promise<void> {
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
