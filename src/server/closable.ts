// An HTTP server within limits that ends well: what is owed a response gets it, everything else closes at once.
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer, type Server as SecureServer } from 'node:https';
import { Server as NetServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SecureContextOptions } from 'node:tls';
import { boundPieces } from '../system/pieces.ts';
import { refuseBroken } from './client-errors.ts';
import { Connections } from './connections.ts';
import { Handshakes } from './handshakes.ts';
import type { Limits } from './limits.ts';
import { stopParsingWhenEnded } from './stop-parsing.ts';
import { refuseTunnel } from './tunnel.ts';

interface Closable<S> {
  readonly server: S;
  readonly close: () => Promise<void>;
}

/** A caller that never reads its response must not keep a process alive for ever. */
const closeTimeout = 10_000;

/**
 * Node's own close destroys connections whose response is still being read, and waits for ever for those that never said
 * a word. So this one knows which connections are owed a response: they end after it, all others at once.
 */
export function createHttpServer(
  listener: RequestListener,
  limits: Limits,
  goodbyeMilliseconds = closeTimeout,
): Closable<Server> {
  const connections = new Connections(limits);
  return finish(createServer(optionsOf(limits)), { listener, limits, connections, goodbyeMilliseconds });
}

/** The same over TLS; a handshake takes a place too, and no longer than a head. */
export function createHttpsServer(
  listener: RequestListener,
  limits: Limits,
  tls: SecureContextOptions,
): Closable<SecureServer> {
  const connections = new Connections(limits);
  const server = createSecureServer({ ...optionsOf(limits), ...tls, handshakeTimeout: limits.headMilliseconds });
  const handshakes = new Handshakes();
  // Node's own, which begins a handshake with each connection.
  const [begin] = server.listeners('connection') as [(socket: Socket) => void];
  server.off('connection', begin);
  server.on('connection', (socket: Socket) => handshakes.take(socket, () => begin.call(server, socket)));
  server.on('secureConnection', (socket) => {
    handshakes.over(socket);
    connections.secured(socket);
    stopParsingWhenEnded(socket);
  });
  // A peer that speaks no TLS, or breaks off, is no error of ours.
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  return finish(server, { listener, limits, connections, goodbyeMilliseconds: closeTimeout });
}

const optionsOf = (limits: Limits) => ({
  noDelay: true,
  maxHeaderSize: limits.headBytes,
  headersTimeout: limits.headMilliseconds,
  requestTimeout: limits.requestMilliseconds,
  keepAliveTimeout: limits.idleMilliseconds,
  connectionsCheckingInterval: limits.headMilliseconds / 2,
});

interface Parts {
  readonly listener: RequestListener;
  readonly limits: Limits;
  readonly connections: Connections;
  readonly goodbyeMilliseconds: number;
}

function finish<S extends Server | SecureServer>(
  server: S,
  { listener, limits, connections, goodbyeMilliseconds }: Parts,
): Closable<S> {
  let closed: Promise<void> | undefined;
  server.timeout = limits.stalledMilliseconds;
  server.maxRequestsPerSocket = limits.requestsPerConnection;

  server.on('connection', (socket: Socket) => {
    connections.accept(socket);
    stopParsingWhenEnded(socket);
  });
  server.on('clientError', refuseBroken);
  server.on('connect', (_, socket: Duplex) => refuseTunnel(socket));
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    boundPieces(request, limits.pieces);
    connections.take(request, response, () => {
      // Nobody on this machine needs it, and it costs a string per answer.
      response.sendDate = false;
      if (closed) response.setHeader('Connection', 'close');
      listener(request, response);
    });
  });

  const close = (): Promise<void> =>
    new Promise((resolve) => {
      const deadline = setTimeout(() => connections.destroyAll(), goodbyeMilliseconds);
      NetServer.prototype.close.call(server, () => {
        clearTimeout(deadline);
        resolve();
      });
      // Of several responses on one connection, the last one closes it.
      for (const response of connections.lastOwed())
        if (!response.headersSent) response.setHeader('Connection', 'close');
    });

  return {
    server,
    close() {
      closed ??= close();
      connections.endIdle();
      return closed;
    },
  };
}
