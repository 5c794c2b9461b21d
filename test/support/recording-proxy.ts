// A proxy before a server of a test: it counts what is asked, and answers in its place what a test wants.
import { Agent, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { TestContext } from 'node:test';
import { Listening } from './listening.ts';

/** What is answered instead of the server: a status, headers, a body. */
interface Instead {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export class RecordingProxy extends Listening {
  /** `GET /v1/secret/data/a 200`, in order. */
  readonly exchanges: string[] = [];
  /** `GET /v1/secret/data/a`, in order: those that still wait for their answer too. */
  readonly asked: string[] = [];
  /** Headers of each request, in order. */
  readonly headers: Readonly<Record<string, unknown>>[] = [];
  /** The body of each request that the server was sent, in order. */
  readonly bodies: string[] = [];
  /** Undefined for what the server itself answers. */
  instead: (path: string) => Instead | undefined = () => undefined;
  readonly #target: URL;
  readonly #agent = new Agent({ keepAlive: true });
  #waiting: (() => void)[] = [];

  private constructor(target: string) {
    super();
    this.#target = new URL(target);
  }

  static async start(t: TestContext, target: string): Promise<RecordingProxy> {
    const proxy = new RecordingProxy(target);
    await proxy.listen(t);
    t.after(() => proxy.#agent.destroy());
    return proxy;
  }

  protected answer(question: IncomingMessage, answer: ServerResponse): void {
    const { hostname, port } = this.#target;
    const { method = '', url = '', headers } = question;
    const record = (status: number) => {
      this.exchanges.push(`${method} ${url} ${String(status)}`);
      this.headers.push(headers);
      for (const wake of this.#waiting.splice(0)) wake();
    };
    this.asked.push(`${method} ${url}`);
    for (const wake of this.#waiting.splice(0)) wake();
    const instead = this.instead(url);
    if (instead !== undefined) {
      record(instead.status);
      answer.writeHead(instead.status, instead.headers).end(instead.body);
      return;
    }
    const call = request({ host: hostname, port, method, path: url, headers, agent: this.#agent });
    call
      .on('error', () => answer.destroy())
      .on('response', (response) => {
        record(response.statusCode ?? 0);
        answer.writeHead(response.statusCode ?? 0, response.headers);
        response.on('error', () => answer.destroy()).pipe(answer);
      });
    answer.on('close', () => call.destroy());
    question.pipe(call);
    const chunks: Buffer[] = [];
    question.on('data', (chunk: Buffer) => chunks.push(chunk));
    question.on('end', () => this.bodies.push(Buffer.concat(chunks).toString()));
  }

  count(pattern: RegExp): number {
    return this.exchanges.filter((exchange) => pattern.test(exchange)).length;
  }

  /** Resolves when that many exchanges fit. */
  async until(pattern: RegExp, times: number): Promise<void> {
    while (this.count(pattern) < times) await this.#next();
  }

  /** Resolves when that many requests fit, whether or not they are answered yet. */
  async untilAsked(pattern: RegExp, times: number): Promise<void> {
    while (this.asked.filter((request) => pattern.test(request)).length < times) await this.#next();
  }

  /** Of requests and answers. */
  #next(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
