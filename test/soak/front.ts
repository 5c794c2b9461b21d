// One host of a platform in front of its double: it keeps the ledger of what was accepted, and goes away, fails, lies or hangs up on demand.
import { once } from 'node:events';
import {
  Agent,
  createServer,
  request as send,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

/** How often the double accepted each order, whatever its caller got to hear. */
export type Ledger = Map<string, number>;

/** `fails`: 500 before anything is done. */
export type Mood = 'works' | 'fails';

export interface FrontOptions {
  /** Of the double. */
  readonly url: string;
  readonly ledger: Ledger;
  /** The platform's clock. */
  readonly now: () => Date;
  /** From 0 to 1, as Math.random. */
  readonly random: () => number;
}

/** Of all requests, how many each of these happens to, also while all is well. */
const share = 0.004;

const kinds = ['forged', 'truncated', 'unsigned', 'cut before', 'cut after', 'probe', 'busy'] as const;
type Trouble = (typeof kinds)[number];

/** What no application may ever see under a 2xx. */
export const forged = '"prepay_id":"forged"';

export class Front {
  mood: Mood = 'works';
  readonly troubles = new Map<Trouble, number>();
  readonly #options: FrontOptions;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 256 });
  #server: Server | undefined;
  #port = 0;

  constructor(options: FrontOptions) {
    this.#options = options;
  }

  get origin(): string {
    return `http://127.0.0.1:${String(this.#port)}`;
  }

  async open(): Promise<this> {
    const server = createServer((incoming, outgoing) => {
      this.#serve(incoming, outgoing).catch(() => outgoing.destroy());
    }).listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
    return this;
  }

  /** Nobody can connect to it any more. What was accepted stays in the ledger. */
  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  }

  async end(): Promise<void> {
    await this.close();
    this.#agent.destroy();
  }

  #trouble(): Trouble | undefined {
    const chance = this.#options.random();
    const kind = kinds[Math.floor(chance / share)];
    if (kind !== undefined) this.troubles.set(kind, (this.troubles.get(kind) ?? 0) + 1);
    return kind;
  }

  async #serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    outgoing.setHeader('Date', this.#options.now().toUTCString());
    const body = Buffer.concat((await incoming.toArray()) as Buffer[]);
    if (this.mood === 'fails') return void outgoing.writeHead(500).end('{"code":"SYSTEM_ERROR"}');
    const trouble = this.#trouble();
    if (trouble === 'cut before') return void outgoing.destroy();
    if (trouble === 'busy') return void outgoing.writeHead(429, { 'Retry-After': '0' }).end('{"code":"FREQUENCY_LIMITED"}'); // prettier-ignore
    const { status, headers, content } = await this.#ask(incoming, body);
    if (status === 200 && incoming.method === 'POST') this.#note(body);
    if (trouble === 'cut after') return void outgoing.destroy();
    for (const [name, value] of Object.entries(headers))
      if (value !== undefined && name !== 'date' && !(trouble === 'unsigned' && name.startsWith('wechatpay-')))
        outgoing.setHeader(name, value);
    if (trouble === 'probe')
      outgoing.setHeader('Wechatpay-Signature', `WECHATPAY/SIGNTEST/${String(headers['wechatpay-signature']).slice(19)}`); // prettier-ignore
    const told = trouble === 'forged' ? Buffer.from(`{${forged}}`) : content;
    outgoing.setHeader('Content-Length', String(told.length));
    outgoing.writeHead(status);
    if (trouble !== 'truncated') return void outgoing.end(told);
    outgoing.write(told.subarray(0, told.length >> 1));
    outgoing.destroy();
  }

  #note(body: Buffer): void {
    const { out_trade_no: number } = JSON.parse(body.toString()) as { readonly out_trade_no?: string };
    const { ledger } = this.#options;
    if (number !== undefined) ledger.set(number, (ledger.get(number) ?? 0) + 1);
  }

  async #ask({ method, url = '', headers }: IncomingMessage, body: Buffer) {
    const outgoing = send(`${this.#options.url}${url}`, { method, headers, agent: this.#agent });
    outgoing.end(body);
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    const content = Buffer.concat((await response.toArray()) as Buffer[]);
    return { status: response.statusCode ?? 0, headers: response.headers, content };
  }
}
