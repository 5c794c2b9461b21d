// Connections to platforms: one pool per origin, kept alive, TLS 1.2 or newer. Loads undici, on demand.
import type { Readable } from 'node:stream';
import type { buildConnector as Connector, Dispatcher, Pool } from 'undici';
import { membersWhere } from '../members.ts';
import { loadOptional } from '../optional-package.ts';
import type { TlsIdentity } from '../providers/shared/tls-identity.ts';
import { createLookup } from '../system/lookup.ts';
import { buildSecureContext } from '../tls/secure-context.ts';
import { goesDirect, openTunnel, type WayOut } from './way-out.ts';

/** What goes out, byte for byte. */
export interface Outgoing {
  readonly method: string;
  /** Path and query; never decoded, encoded or normalized. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** The head of a response, and its body while it arrives. */
export interface Incoming {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: Readable;
}

/** Why there is no response, and whether the platform may have the request all the same. */
export class NoResponse extends Error {
  override readonly name = 'NoResponse';
  readonly mayHaveLeft: boolean;
  /** Of the system or of undici: foreign text stays out of messages. */
  readonly code: string;

  constructor(code: string, mayHaveLeft: boolean) {
    super(code);
    this.code = code;
    this.mayHaveLeft = mayHaveLeft;
  }
}

export interface SendOptions {
  readonly signal: AbortSignal;
  readonly isFresh?: boolean;
  /** What is shown where the platform asks for a certificate, and whose it is. */
  readonly shown?: Shown | undefined;
}

export interface Shown {
  readonly credential: string;
  readonly identity: TlsIdentity;
}

export interface Connections {
  /** Redirects are not followed. `isFresh`: over a connection that was not used before. @throws NoResponse */
  send(origin: string, outgoing: Outgoing, options: SendOptions): Promise<Incoming>;
  close(): Promise<void>;
}

/** Per origin at once, for all credentials: more than one of them may have under way. More wait, within their deadline. */
const connectionsPerOrigin = 1024;
const connectMilliseconds = 5000;
/** Within a body: between one byte and the next. */
const silenceMilliseconds = 30_000;
const maxHeadBytes = 16 * 1024;

/** `wayOut`: the proxy on the way out, where there is one. @throws PaycertError `package-missing` */
export async function openConnections(wayOut?: WayOut): Promise<Connections> {
  const { Pool: PoolOf, buildConnector } = await loadOptional('undici', 'proxy', () => import('undici'));
  const lookup = createLookup();
  const connectorOf = (origin: string, shown?: Shown): Connector.connector => {
    const connect = buildConnector({
      ...{ lookup, minVersion: 'TLSv1.2', timeout: connectMilliseconds, allowH2: false },
      ...(shown && { secureContext: buildSecureContext(shown.identity) }),
    });
    if (wayOut === undefined || goesDirect(origin, wayOut.noProxy)) return connect;
    return (options, connected) => {
      openTunnel(wayOut, origin, { lookup, milliseconds: connectMilliseconds }).then(
        // TLS is with the platform: the proxy sees its name, and no byte of a request.
        (socket) => (options.protocol === 'https:' ? connect({ ...options, httpSocket: socket }, connected) : connected(null, socket)), // prettier-ignore
        (error: unknown) => connected(error instanceof Error ? error : new Error('the tunnel failed'), null),
      );
    };
  };
  const pools = new Map<string, Opened & { readonly shows: string | undefined }>();
  const open = (origin: string, shown?: Shown): Opened => {
    const pool = new PoolOf(origin, {
      connections: connectionsPerOrigin,
      pipelining: 1,
      allowH2: false,
      maxHeaderSize: maxHeadBytes,
      // The call has a deadline, from its first attempt on.
      headersTimeout: 0,
      bodyTimeout: silenceMilliseconds,
      connect: connectorOf(origin, shown),
    });
    return { pool, noting: pool.compose((dispatch) => (options, next) => dispatch(options, new Noted(options, next))) };
  };
  const poolOf = (origin: string, shown?: Shown): Opened => {
    const key = shown === undefined ? origin : `${origin} ${shown.credential}`;
    const known = pools.get(key);
    if (known !== undefined && known.shows === shown?.identity.id) return known;
    // With the certificate that was replaced: it ends with what is under way.
    void known?.pool.close();
    const opened = { ...open(origin, shown), shows: shown?.identity.id };
    pools.set(key, opened);
    return opened;
  };

  return {
    async send(origin, { method, target, headers, body }, { signal, isFresh = false, shown }) {
      let hasStarted = false;
      const { pool, noting } = isFresh ? open(origin, shown) : poolOf(origin, shown);
      const started: Started = () => (hasStarted = true);
      try {
        const sent = noting.request({
          method,
          path: target,
          headers,
          body: body.byteLength > 0 || !bodiless.has(method) ? Buffer.from(body.buffer, body.byteOffset, body.byteLength) : null, // prettier-ignore
          signal,
          opaque: started,
        });
        // It ends with what it was opened for.
        if (isFresh) void pool.close();
        const { statusCode, headers: received, body: stream } = await Promise.race([sent, calledOff(signal, sent)]);
        const known = membersWhere<string | string[] | undefined, string | string[]>(received, (value) => value !== undefined); // prettier-ignore
        return { status: statusCode, headers: known, body: stream };
      } catch (error) {
        throw new NoResponse(codeOf(error), hasStarted);
      }
    },
    async close() {
      await Promise.all([...pools.values()].map(async ({ pool }) => pool.destroy()));
    },
  };
}

/** undici ends a request that waits for a connection when it gets one; its caller hears at once. */
const calledOff = (signal: AbortSignal, sent: Promise<unknown>): Promise<never> =>
  new Promise((_, reject) => {
    const end = () => reject(new DOMException('called off', 'AbortError'));
    if (signal.aborted) end();
    else signal.addEventListener('abort', end);
    const forget = () => signal.removeEventListener('abort', end);
    sent.then(forget, forget);
  });

/** Methods that are sent without `Content-Length` when there is no body. */
const bodiless: ReadonlySet<string> = new Set(['GET', 'DELETE']);

/** Told when the first byte of a request may leave; comes with it as `opaque`. */
type Started = () => void;

interface Opened {
  readonly pool: Pool;
  /** The pool, which tells each request's own `Started`. One for all of them. */
  readonly noting: Dispatcher;
}

/** Between undici and who waits for a response. undici calls `onRequestStart` right before it writes. */
class Noted implements Dispatcher.DispatchHandler {
  readonly #started: Started | undefined;
  readonly #next: Dispatcher.DispatchHandler;

  constructor(options: Dispatcher.DispatchOptions, next: Dispatcher.DispatchHandler) {
    this.#started = (options as Dispatcher.RequestOptions<Started>).opaque;
    this.#next = next;
  }

  onRequestStart(...[controller, context]: Parameters<Handler['onRequestStart']>): void {
    this.#started?.();
    this.#next.onRequestStart?.(controller, context);
  }

  onResponseStart(...[controller, status, headers, text]: Parameters<Handler['onResponseStart']>): void {
    this.#next.onResponseStart?.(controller, status, headers, text);
  }

  onResponseData(...[controller, chunk]: Parameters<Handler['onResponseData']>): void {
    this.#next.onResponseData?.(controller, chunk);
  }

  onResponseEnd(...[controller, trailers]: Parameters<Handler['onResponseEnd']>): void {
    this.#next.onResponseEnd?.(controller, trailers);
  }

  onResponseError(...[controller, error]: Parameters<Handler['onResponseError']>): void {
    this.#next.onResponseError?.(controller, error);
  }

  onRequestUpgrade(...[controller, status, headers, socket]: Parameters<Handler['onRequestUpgrade']>): void {
    this.#next.onRequestUpgrade?.(controller, status, headers, socket);
  }
}

type Handler = Required<Dispatcher.DispatchHandler>;

const codeOf = (error: unknown): string => {
  const { code, name } = error as NodeJS.ErrnoException;
  return typeof code === 'string' ? code : name;
};
