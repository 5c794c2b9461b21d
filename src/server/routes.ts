// Routes as rows, and the one matcher for all of them: the local API, health, the operator, and what comes.
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import type { TSchema } from 'typebox';
import { PaycertError } from '../errors.ts';
import type { Observe } from '../events.ts';
import { CallEnd } from '../store/call-end.ts';
import type { Alone, Ending, Gone } from '../store/call.ts';
import { BatchedWrites } from './batched-writes.ts';
import { owedConnections } from './owed.ts';
import { parametersIn } from './path-parameters.ts';
import { toPaycertError } from './problem.ts';
import { type Addition, endWith, sendProblem, sendStream, writeHead } from './respond.ts';

/** A request that a row has matched. */
export interface RouteCall {
  readonly request: IncomingMessage;
  /** What stands in the path for `{name}`, as it was sent. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Aborted when nobody waits for the response any more. Made when it is first asked for. */
  readonly signal: Ending;
  /** The same, to be looked at: a signal with its listeners costs more than reading a short request. */
  readonly gone: Gone;
  /** Whether it is the only request that this process owes a response. */
  readonly alone: Alone;
}

/** What a row answers; the status is 200 unless it says otherwise. */
export interface Reply {
  readonly status?: number;
  /** In place of the row's. */
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body: string | Uint8Array | Readable;
}

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Whether HEAD is answered too, without the body: `wget --spider` in a container's health check sends it. */
  readonly answersHead?: true;
  /** `{name}` stands for one segment, `{+name}` for all that is left (RFC 6570). */
  readonly path: `/${string}`;
  /** The media type of the response. */
  readonly type: string;
  /** What describes it in the OpenAPI document. */
  readonly operationId?: string;
  readonly summary: string;
  readonly request?: TSchema;
  readonly result?: TSchema;
  readonly run: (call: RouteCall) => Reply | Promise<Reply>;
}

/** What a listener says of itself where no row matches, and whom it tells of bugs. */
export interface RouteOptions {
  readonly where: string;
  readonly unknown: string;
  readonly observe: Observe;
  /** What each error says besides. */
  readonly addition?: Addition;
}

export const json = 'application/json';

export const jsonReply = (value: unknown): Reply => ({ body: JSON.stringify(value) });

/** The rows as a listener. */
export function serveRoutes(
  routes: readonly Route[],
  { where, unknown, observe, addition }: RouteOptions,
): RequestListener {
  const match = matcher(routes, unknown);
  const writes = new BatchedWrites();
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    try {
      const { route, parameters } = match(request, response);
      const reply = await route.run(new Matched(request, response, parameters));
      const { status = 200, type = route.type, headers, body } = reply;
      const head = { status, type, headers };
      if (body instanceof Readable) await sendStream(response, head, body);
      else {
        writeHead(response, head, body);
        writes.push(() => endWith(response, body));
      }
    } catch (error) {
      const known = toPaycertError(error);
      if (known.kind === 'internal' && !isHangUp(error)) observe({ type: 'internal-error', where, error });
      if (response.headersSent) response.destroy();
      else sendProblem(request, response, known, addition);
    }
  };
  return (request, response) => void answer(request, response);
}

/** A reader of a stream who leaves in the middle is no bug of ours. */
const isHangUp = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE';

class Matched implements RouteCall {
  readonly request: IncomingMessage;
  readonly parameters: Readonly<Record<string, string>>;
  readonly #response: ServerResponse;
  #signal: Ending | undefined;

  constructor(request: IncomingMessage, response: ServerResponse, parameters: Readonly<Record<string, string>>) {
    this.request = request;
    this.parameters = parameters;
    this.#response = response;
  }

  get signal(): Ending {
    return (this.#signal ??= endOf(this.request, this.#response));
  }

  get gone(): Gone {
    return this;
  }

  get alone(): Alone {
    return this;
  }

  /** Of `alone`. */
  get isAlone(): boolean {
    return owedConnections() === 1;
  }

  /** Of `gone`. */
  get aborted(): boolean {
    return hasGone(this.request, this.#response) && !this.#response.writableFinished;
  }
}

/** One for all: Node would make an error with its stack for each, and a stranger can leave a thousand times at once. */
const gone = new DOMException('the caller has gone', 'AbortError');

const hasGone = ({ socket }: IncomingMessage, response: ServerResponse): boolean =>
  response.destroyed || socket.destroyed || socket.readableEnded;

/** The end of a connection, or its reset, comes some turns of the event loop before its close, and no response is written after it. */
function endOf(request: IncomingMessage, response: ServerResponse): Ending {
  const { socket } = request;
  const ending = new CallEnd();
  const end = () => {
    ends.get(socket)?.delete(end);
    if (!response.writableFinished) ending.abort(gone);
  };
  if (hasGone(request, response)) end();
  else {
    endsOf(socket).add(end);
    // Not `once`, which costs more than it spares: a response closes once.
    response.on('close', end);
  }
  return ending;
}

/** Who hears of the end of a connection: it is listened to once, and not once more for each request. */
const ends = new WeakMap<Socket, Set<() => void>>();

function endsOf(socket: Socket): Set<() => void> {
  const known = ends.get(socket);
  if (known !== undefined) return known;
  const all = new Set<() => void>();
  const tell = () => {
    for (const end of all) end();
  };
  socket.once('end', tell).once('error', tell);
  ends.set(socket, all);
  return all;
}

type Match = { readonly route: Route; readonly parameters: Readonly<Record<string, string>> };

/** Of which it is remembered what they match: most callers ask for a few, thousands of times a second. */
const [mostKnown, longestKnown] = [256, 256];

/** @throws PaycertError `route-unknown`; `method-not-allowed`, with the header that says which is */
function matcher(
  routes: readonly Route[],
  unknown: string,
): (request: IncomingMessage, response: ServerResponse) => Match {
  const rows = routes.map((route) => ({ route, segments: route.path.slice(1).split('/') }));
  const find = (method: string | undefined, path: string): Match | undefined => {
    for (const { route, segments } of rows) {
      if (route.method !== method && !(method === 'HEAD' && route.answersHead)) continue;
      const parameters = parametersIn(segments, path);
      if (parameters !== undefined) return { route, parameters };
    }
    return undefined;
  };
  // Of POST alone, since that is what operations are.
  const known = new Map<string, Match>();
  return ({ url = '', method }, response) => {
    const before = method === 'POST' ? known.get(url) : undefined;
    if (before !== undefined) return before;
    const end = url.indexOf('?');
    const path = end < 0 ? url : url.slice(0, end);
    const found = find(method, path);
    if (found !== undefined) {
      if (method === 'POST' && url.length <= longestKnown && !found.route.path.includes('{+')) {
        if (known.size >= mostKnown) known.clear();
        known.set(url, found);
      }
      return found;
    }
    const allowed = rows
      .filter(({ segments }) => parametersIn(segments, path) !== undefined)
      .flatMap(({ route }) => [route.method, ...(route.answersHead ? ['HEAD'] : [])]);
    if (allowed.length === 0) throw new PaycertError('route-unknown', unknown);
    response.setHeader('Allow', allowed.join(', '));
    throw new PaycertError('method-not-allowed', `this route answers ${allowed.join(' and ')}`);
  };
}
