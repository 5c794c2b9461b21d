// Connections to platforms: one pool per origin, kept alive, TLS 1.2 or newer. Loads undici, on demand.
import type { buildConnector as Connector, Pool } from 'undici';
import { bufferOf } from '../bytes.ts';
import { loadOptional } from '../optional-package.ts';
import type { TlsIdentity } from '../providers/shared/tls-identity.ts';
import { createLookup } from '../system/lookup.ts';
import { buildSecureContext } from '../tls/secure-context.ts';
import type { Ending } from '../store/call.ts';
import { type Incoming, Receiving } from './receiving.ts';
import { goesDirect, openTunnel, type WayOut } from './way-out.ts';

/** What goes out, byte for byte. */
export interface Outgoing {
  readonly method: string;
  /** Path and query; never decoded, encoded or normalized. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
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
  readonly signal: Ending;
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
  const pools = new Map<string, Opened>();
  const open = (origin: string, shown?: Shown): Pool =>
    new PoolOf(origin, {
      connections: connectionsPerOrigin,
      pipelining: 1,
      allowH2: false,
      maxHeaderSize: maxHeadBytes,
      // The call has a deadline, from its first attempt on.
      headersTimeout: 0,
      bodyTimeout: silenceMilliseconds,
      connect: connectorOf(origin, shown),
    });
  const poolOf = (origin: string, shown?: Shown): Pool => {
    const key = shown === undefined ? origin : `${origin} ${shown.credential}`;
    const known = pools.get(key);
    if (known !== undefined && known.shows === shown?.identity.id) return known.pool;
    // With the certificate that was replaced: it ends with what is under way.
    void known?.pool.close();
    const pool = open(origin, shown);
    pools.set(key, { pool, shows: shown?.identity.id });
    return pool;
  };

  return {
    send(origin, { method, target, headers, body }, { signal, isFresh = false, shown }) {
      return new Promise((resolve, reject) => {
        const pool = isFresh ? open(origin, shown) : poolOf(origin, shown);
        const refuse = (error: unknown) => reject(new NoResponse(codeOf(error), receiving.hasStarted));
        const receiving = new Receiving(signal, { resolve, reject: refuse });
        const content = body.byteLength > 0 || !bodiless.has(method) ? bufferOf(body) : null;
        if (signal.aborted) receiving.handleEvent();
        else pool.dispatch({ method, path: target, headers, body: content }, receiving);
        // It ends with what it was opened for.
        if (isFresh) void pool.close();
      });
    },
    async close() {
      await Promise.all([...pools.values()].map(async ({ pool }) => pool.destroy()));
    },
  };
}

/** Methods that are sent without `Content-Length` when there is no body. */
const bodiless: ReadonlySet<string> = new Set(['GET', 'DELETE']);

interface Opened {
  readonly pool: Pool;
  /** Whose certificate, by its id. */
  readonly shows: string | undefined;
}

const codeOf = (error: unknown): string => {
  const { code, name } = error as NodeJS.ErrnoException;
  return typeof code === 'string' ? code : name;
};
