// An HTTP server within limits that ends well: what is owed a response gets it, everything else closes at once.
import { createServer, type RequestListener, type Server } from 'node:http';
import { Server as NetServer } from 'node:net';
import { Connections } from './connections.ts';
import type { Limits } from './limits.ts';
import { stopParsingWhenEnded } from './stop-parsing.ts';

interface Closable {
  readonly server: Server;
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
): Closable {
  const connections = new Connections(limits);
  let closed: Promise<void> | undefined;
  const server = createServer({
    noDelay: true,
    maxHeaderSize: limits.headBytes,
    headersTimeout: limits.headMilliseconds,
    requestTimeout: limits.requestMilliseconds,
    keepAliveTimeout: limits.idleMilliseconds,
    connectionsCheckingInterval: limits.headMilliseconds / 2,
  });
  server.timeout = limits.stalledMilliseconds;
  server.maxRequestsPerSocket = limits.requestsPerConnection;

  server.on('connection', (socket) => {
    connections.accept(socket);
    stopParsingWhenEnded(socket);
  });
  server.on('request', (request, response) => {
    connections.take(request, response, () => {
      // Nobody on this machine needs it, and it costs a string per answer.
      response.sendDate = false;
      if (closed) response.setHeader('Connection', 'close');
      listener(request, response);
    });
    response.once('close', () => {
      if (closed) connections.endIdle();
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
