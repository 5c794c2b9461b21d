// Callers of the proxy that know a base path alone: each orders with a number of its own, queries, and remembers what it got to hear.
import { fork, type ChildProcess } from 'node:child_process';
import { Agent } from 'node:http';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { exchange } from '../support/http-client.ts';
import { forged } from './front.ts';

/** What a caller was told of an order: `refused` is a promise that it was not done. */
export type Heard = 'ok' | 'refused' | 'unknown';

export interface Payments {
  readonly requests: number;
  /** Successes that no application may see. */
  readonly unverified: number;
  /** By the number of the order. */
  readonly orders: Readonly<Record<string, Heard>>;
  /** How many responses there were of each status and code. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly keyIds: readonly string[];
}

interface Start {
  readonly socket: string;
  readonly merchantId: string;
  readonly callers: number;
}

type ToPayers = { readonly type: 'start'; readonly start: Start } | { readonly type: 'stop' };
type FromPayers = { readonly type: 'progress'; readonly requests: number } | { readonly type: 'stopped'; readonly payments: Payments }; // prettier-ignore

const progressEvery = 100;
/** Who is refused waits, as an application that reads Retry-After does, though not for so long. */
const pauseMilliseconds = 100;

async function pay({ socket, merchantId, callers }: Start, isOver: () => boolean, tell: (message: FromPayers) => void): Promise<Payments> {
  const agent = new Agent({ keepAlive: true, maxSockets: callers });
  const orders: Record<string, Heard> = {};
  const statuses = new Map<string, number>();
  const keyIds = new Set<string>();
  let [requests, unverified] = [0, 0];

  const send = async (method: string, target: string, body?: string): Promise<Heard> => {
    const headers = body === undefined ? {} : { 'Content-Type': 'application/json' };
    const { status, headers: received, text } = await exchange(socket, { method, path: `/shop${target}`, headers, body, agent });
    requests += 1;
    if (requests % progressEvery === 0) tell({ type: 'progress', requests });
    const isSuccess = status >= 200 && status < 300;
    if (isSuccess && (received['paycert-verified'] !== 'yes' || text.includes(forged))) unverified += 1;
    const problem = received['content-type'] === 'application/problem+json';
    const kind = `${String(status)}${problem ? ` ${(JSON.parse(text) as { title: string }).title}` : ''}`;
    statuses.set(kind, (statuses.get(kind) ?? 0) + 1);
    if (typeof received['paycert-key-id'] === 'string') keyIds.add(received['paycert-key-id']);
    if (status === 503) await sleep(pauseMilliseconds);
    return received['paycert-outcome'] as Heard;
  };
  const caller = async (index: number): Promise<void> => {
    for (let count = 0; !isOver(); count += 1) {
      const number = `${String(index)}-${String(count)}`;
      const amount = { total: 1, currency: 'CNY' };
      const order = { mchid: merchantId, out_trade_no: number, description: 'soak', amount };
      orders[number] = await send('POST', '/v3/pay/transactions/jsapi', JSON.stringify(order));
      await send('GET', `/v3/pay/transactions/out-trade-no/${number}?mchid=${merchantId}`);
    }
  };
  await Promise.all(Array.from({ length: callers }, (_, index) => caller(index)));
  agent.destroy();
  return { requests, unverified, orders, statuses: Object.fromEntries(statuses), keyIds: [...keyIds] };
} // prettier-ignore

/** In a process of their own. */
export class Payers {
  readonly #process: ChildProcess;
  #requests = 0;
  #waiting: { readonly requests: number; readonly resolve: () => void }[] = [];
  readonly #stopped = Promise.withResolvers<Payments>();

  constructor(start: Start) {
    this.#process = fork(import.meta.filename, ['payers']);
    this.#process.on('message', (message: FromPayers) => {
      if (message.type === 'stopped') {
        this.#stopped.resolve(message.payments);
        return;
      }
      this.#requests = message.requests;
      for (const { requests, resolve } of this.#waiting) if (requests <= this.#requests) resolve();
      this.#waiting = this.#waiting.filter(({ requests }) => requests > this.#requests);
    });
    this.#send({ type: 'start', start });
  }

  get requests(): number {
    return this.#requests;
  }

  /** When so many more have been made. */
  after(more: number): Promise<void> {
    return new Promise((resolve) => this.#waiting.push({ requests: this.#requests + more, resolve }));
  }

  stop(): Promise<Payments> {
    this.#send({ type: 'stop' });
    return this.#stopped.promise;
  }

  /** Ends them whatever they do. */
  kill(): void {
    this.#process.kill('SIGKILL');
  }

  #send(message: ToPayers): void {
    this.#process.send(message);
  }
}

/** What their own process does. */
function serve(): void {
  let isOver = false;
  process.on('message', (message: ToPayers) => {
    if (message.type === 'stop') isOver = true;
    else
      void pay(message.start, () => isOver, (progress) => process.send?.(progress)).then((payments) =>
        process.send?.({ type: 'stopped', payments }, () => process.disconnect()),
      );
  }); // prettier-ignore
}

if (process.argv[2] === 'payers') serve();
