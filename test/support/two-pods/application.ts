// An application that refuses, dies after it has acted, and hangs, at most three times for each notification, before it takes it.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Random } from '../../fuzz/random.ts';

export class FickleApplication {
  /** `CREDENTIAL ID` of all that it has acted on. */
  readonly handled = new Set<string>();
  /** How many came again after its 2xx. */
  again = 0;
  readonly #socket: string;
  readonly #taken = new Set<string>();
  /** Whose 2xx has not left yet, and whose caller is still there. */
  readonly #answering = new Set<ServerResponse>();
  readonly #troubles = new Map<string, number>();
  readonly #random = new Random('application');
  #server: Server | undefined;

  constructor(socket: string) {
    this.#socket = socket;
  }

  async start(): Promise<void> {
    this.#server = createServer((request, response) => this.#receive(request, response)).listen(this.#socket);
    await once(this.#server, 'listening');
  }

  /** What is under way has no response; a 2xx that was given arrives. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = once(server, 'close');
    server.close();
    await Promise.all([...this.#answering].map((response) => once(response, 'close')));
    server.closeAllConnections();
    await closed;
  }

  #receive(request: IncomingMessage, response: ServerResponse): void {
    const { 'paycert-credential': credential, 'paycert-id': id } = request.headers;
    for (const one of [request, response]) one.on('error', () => undefined);
    request.resume().once('end', () => this.#act(`${String(credential)} ${String(id)}`, response));
  }

  #act(name: string, response: ServerResponse): void {
    if (this.#taken.has(name)) this.again += 1;
    const before = this.#troubles.get(name) ?? 0;
    const fate = before < 3 ? fates[this.#random.below(20)] : undefined;
    if (fate !== undefined) this.#troubles.set(name, before + 1);
    if (fate === 'refuses') {
      response.writeHead(500).end();
      return;
    }
    this.handled.add(name);
    if (fate === 'hangs' && before === 0) return;
    if (fate !== undefined) {
      response.destroy();
      return;
    }
    this.#taken.add(name);
    this.#answering.add(response);
    response
      .once('close', () => this.#answering.delete(response))
      .writeHead(200)
      .end();
  }
}

/** Of twenty; the others are taken. */
const fates = ['refuses', 'refuses', 'refuses', 'dies', 'dies', 'dies', 'hangs'] as const;
