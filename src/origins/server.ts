// A server that keeps keys, as one or more nodes: bounded questions in JSON, the next node where one cannot answer, and a pause where none can.
import type { Agent, IncomingHttpHeaders } from 'node:http';
import type { Clock } from '../clock.ts';
import { PaycertError } from '../errors.ts';
import { parseModest, TooMuch } from '../system/modest-json.ts';
import { readBytes, readChunks, readLines, request, TooLarge, Unreachable } from '../system/request.ts';
import { Slots } from '../system/slots.ts';
import { TimeLimit } from '../system/time-limit.ts';
import { Connections, type TlsFiles } from './connections.ts';
import { Pause } from './pause.ts';

export interface ServerOptions {
  /** What people call it: Vault. */
  readonly name: string;
  /** Its nodes, as origins: `https://vault.example:8200`. */
  readonly addresses: readonly string[];
  readonly tls?: TlsFiles | undefined;
  /** What a reply says that another node may not say, such as "sealed"; undefined where it is what was asked for. */
  readonly troubleOf: (reply: Reply, what: string) => PaycertError | undefined;
  /** After a failure of all nodes; 0 where who asks has a breaker. */
  readonly longestPauseMilliseconds?: number;
  /** Connections for the responses that come at once. Default 8. */
  readonly maxSockets?: number;
  readonly clock: Clock;
  readonly random: () => number;
}

export interface Question {
  readonly method: 'GET' | 'POST' | 'PUT';
  /** With its query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON; a text as it is, with the Content-Type that the headers say. */
  readonly body?: object | string;
  /** `read secret/data/pay`: what is asked, for the person who must permit it. */
  readonly what: string;
  /** It changes nothing, whatever its method: it may be asked twice. */
  readonly isRead?: true;
  /** How long the server may keep it waiting on purpose, beyond what a response takes. */
  readonly waitMilliseconds?: number;
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** What the JSON says; undefined where there is none. */
  readonly content: unknown;
}

/** Of the responses that come at once, for all credentials together. What waits on purpose has connections of its own. */
const defaultSockets = 8;
const silenceMilliseconds = 10_000;
/** However slowly it comes, from its turn on. */
const wholeMilliseconds = 30_000;
const defaultPauseMilliseconds = 10_000;
/** As many as one set of files may hold. */
const maxBytes = 4 * 1024 * 1024;

const redirects: ReadonlySet<number> = new Set([301, 302, 307, 308]);

export class Server {
  readonly name: string;
  readonly #options: ServerOptions;
  readonly #nodes: readonly URL[];
  readonly #pause: Pause;
  readonly #connections: Connections;
  readonly #slots: Slots;
  /** The node that answered last. */
  #preferred = 0;

  constructor(options: ServerOptions) {
    this.name = options.name;
    this.#options = options;
    this.#nodes = options.addresses.map((address) => new URL(address));
    const { maxSockets = defaultSockets } = options;
    this.#connections = new Connections({ ...options, maxSockets });
    this.#slots = new Slots(maxSockets);
    const { longestPauseMilliseconds: longestMilliseconds = defaultPauseMilliseconds } = options;
    this.#pause = new Pause({ ...options, longestMilliseconds });
  }

  /**
   * What the first node says that can answer.
   * @throws PaycertError of kind source: what the last one had to say where none can, and for a while the same without asking
   */
  async ask(question: Question, signal: AbortSignal): Promise<Reply> {
    this.#pause.assertOver();
    let trouble: PaycertError | undefined;
    for (let tried = 0; tried < this.#nodes.length; tried++) {
      const index = (this.#preferred + tried) % this.#nodes.length;
      try {
        const reply = await this.#askLeader(index, question, signal);
        const found = this.#options.troubleOf(reply, question.what);
        if (found === undefined) {
          this.#preferred = index;
          this.#pause.end();
          return reply;
        }
        trouble = moreTelling(trouble, found);
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof Unreachable)) throw error;
        trouble = moreTelling(trouble, this.#unreachable(question, error.reason));
      }
    }
    const error = trouble ?? this.#unreachable(question, 'no address');
    this.#pause.begin(error);
    throw error;
  }

  /** A stand-by may send us to the leader: followed once, and only to a node that the configuration names. Our token goes nowhere else. */
  async #askLeader(index: number, question: Question, signal: AbortSignal): Promise<Reply> {
    const node = this.#nodes[index] ?? new URL('http://invalid');
    const reply = await this.#exchange(node, question, signal);
    if (!redirects.has(reply.status)) return reply;
    const target = URL.parse(reply.headers.location ?? '', node.href)?.origin;
    const leader = this.#nodes.find(({ origin }) => origin === target && origin !== node.origin);
    if (leader !== undefined) return this.#exchange(leader, question, signal);
    const where = target === undefined ? 'nowhere' : `to ${target}, which is not among the addresses configured`;
    throw new PaycertError('origin-refused', `${question.what}: ${this.name} at ${node.origin} redirects ${where}`);
  }

  async #exchange(node: URL, question: Question, signal: AbortSignal): Promise<Reply> {
    const { what, waitMilliseconds = 0, method, isRead = false } = question;
    // What the server keeps waiting has a connection of its own.
    using turn = waitMilliseconds > 0 ? undefined : await this.#slots.take(signal);
    // All nodes may have failed meanwhile: not everybody who waited finds that out by a time of its own.
    if (turn !== undefined) this.#pause.assertOver();
    const agent = await this.#connections.agentFor(node, waitMilliseconds > 0 ? 'waiting' : 'quick');
    using limit = new TimeLimit(signal, wholeMilliseconds + waitMilliseconds);
    const { body, options } = toRequest(question, agent);
    const sending = {
      body,
      silenceMilliseconds: silenceMilliseconds + waitMilliseconds,
      mayRepeat: method === 'GET' || isRead,
    };
    try {
      const response = await request(node, options, sending, limit.signal);
      const bytes = await readBytes(response, maxBytes, limit.signal);
      return { status: response.statusCode ?? 0, headers: response.headers, content: parse(bytes) };
    } catch (error) {
      signal.throwIfAborted();
      if (limit.isLate) throw new Unreachable(`no whole response within ${wholeMilliseconds / 1000} s`);
      if (error instanceof TooLarge)
        throw new PaycertError(
          'source-too-large',
          `${what}: the response of ${this.name} is larger than ${maxBytes} bytes`,
        );
      if (error instanceof TooMuch)
        throw new PaycertError('source-too-large', `${what}: the response of ${this.name} has more than ${error.most}`);
      throw error;
    }
  }

  /**
   * The lines of a response that does not end by itself, from the node that answered last.
   * @throws PaycertError of kind source, or the signal's reason
   */
  async *follow(question: Question, signal: AbortSignal): AsyncGenerator<string> {
    const node = this.#nodes[this.#preferred] ?? new URL('http://invalid');
    const { body, options } = toRequest(question, await this.#connections.agentFor(node, 'waiting'));
    try {
      const response = await request(node, options, { body, silenceMilliseconds, mayRepeat: true }, signal);
      const { statusCode: status = 0, headers } = response;
      if (status !== 200) {
        response.destroy();
        const trouble = this.#options.troubleOf({ status, headers, content: undefined }, question.what);
        throw trouble ?? new PaycertError('origin-refused', `${question.what}: ${this.name} refuses it (${status})`);
      }
      // Quiet is normal from here on; who follows it has a limit of its own.
      response.socket.setTimeout(0);
      const tooLong = () =>
        new PaycertError('source-too-large', `${question.what}: a line of ${this.name} is too long`);
      for await (const line of readLines(readChunks(response, signal), maxBytes, tooLong))
        yield line.toString('latin1');
    } catch (error) {
      signal.throwIfAborted();
      throw error instanceof Unreachable ? this.#unreachable(question, error.reason) : error;
    }
  }

  #unreachable({ what }: Question, reason: string): PaycertError {
    const why = reason === 'EPROTO' ? `${reason}: it does not speak TLS, or no version of it that we do` : reason;
    return new PaycertError('origin-unreachable', `${what}: ${this.name} cannot be reached (${why})`);
  }
}

function toRequest(question: Question, agent: Agent) {
  const { method, path, headers = {} } = question;
  const { body: content } = question;
  const body = typeof content === 'object' ? JSON.stringify(content) : content;
  const about = {
    ...(typeof content === 'object' && { 'Content-Type': 'application/json' }),
    ...(body !== undefined && { 'Content-Length': Buffer.byteLength(body) }),
  };
  return {
    body,
    options: {
      agent,
      method,
      path,
      headers: { ...headers, Accept: 'application/json', 'User-Agent': 'paycert', ...about },
    },
  };
}

/** What a node said counts for more than that another is silent. */
const moreTelling = (one: PaycertError | undefined, other: PaycertError): PaycertError =>
  one === undefined || one.code === 'origin-unreachable' ? other : one;

function parse(bytes: Buffer): unknown {
  try {
    return parseModest(bytes);
  } catch (error) {
    if (error instanceof TooMuch) throw error;
    // A page for people, from a proxy; what may be missing is for its reader to say.
    return undefined;
  }
}
