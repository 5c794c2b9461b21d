// An HTTP server that ends well: what is owed an answer gets it, everything else closes at once.
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';

/** Callers keep connections; closing one that they are about to use would be a failed request. */
const keepAliveMilliseconds = 10 * 60 * 1000;

interface Closable {
  readonly server: Server;
  readonly close: () => Promise<void>;
}

/** A caller that never reads its answer must not keep a process alive for ever. */
const closeTimeout = 10_000;

/**
 * Node's own close destroys connections whose answer is still being read, and waits for ever for those that never said
 * a word. So this one knows which connections are owed an answer: they end after it, all others at once.
 */
export function createHttpServer(listener: RequestListener, goodbyeMilliseconds = closeTimeout): Closable {
  const connections = new Set<Socket>();
  const unanswered = new Set<ServerResponse>();
  let closed: Promise<void> | undefined;
  const server = createServer({ keepAliveTimeout: keepAliveMilliseconds, noDelay: true });

  server.on('connection', (socket: Socket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  });
  server.on('request', (request, response) => {
    unanswered.add(response);
    // A response closes when the system has taken all of it, or when its connection is gone.
    response.once('close', () => {
      unanswered.delete(response);
      if (closed) endIdle();
    });
    // Nobody on this machine needs it, and it costs a string per answer.
    response.sendDate = false;
    if (closed) response.setHeader('Connection', 'close');
    listener(request, response);
  });

  const endIdle = (): void => {
    const owed = new Set([...unanswered].map(({ req }) => req.socket));
    for (const socket of connections) if (!owed.has(socket)) socket.destroySoon();
  };

  const close = (): Promise<void> =>
    new Promise((resolve) => {
      const deadline = setTimeout(() => connections.forEach((socket) => socket.destroy()), goodbyeMilliseconds);
      NetServer.prototype.close.call(server, () => {
        clearTimeout(deadline);
        resolve();
      });
      // Of several answers on one connection, the last one closes it.
      const last = new Map([...unanswered].map((response) => [response.req.socket, response]));
      for (const response of last.values()) if (!response.headersSent) response.setHeader('Connection', 'close');
    });

  return {
    server,
    close() {
      closed ??= close();
      endIdle();
      return closed;
    },
  };
}
