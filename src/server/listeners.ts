// Sockets and ports: bound safely, guarded where a browser could reach them, closed when nothing is in flight.
import { createHash, timingSafeEqual } from 'node:crypto';
import { lstat, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, Server as NetServer, type Socket } from 'node:net';
import { PaycertError } from '../errors.ts';
import { sendProblem } from './http.ts';

export interface Listener {
  /** As a caller writes it: a path, or host:port with the port that was bound. */
  readonly address: string;
  /** Stops accepting, lets what is in flight finish, closes what is idle. */
  readonly close: () => Promise<void>;
}

/** Callers keep connections; closing one that they are about to use would be a failed request. */
const keepAliveMilliseconds = 10 * 60 * 1000;

interface Closable {
  readonly server: Server;
  readonly close: () => Promise<void>;
}

/**
 * Node's own close destroys connections whose answer is still being read, and waits for ever for those that never said
 * a word. So this one knows which connections are owed an answer: they end after it, all others at once.
 */
function createHttpServer(listener: RequestListener): Closable {
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
      NetServer.prototype.close.call(server, () => resolve());
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

const listening = (server: Server, listen: () => void, address: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const fail = (cause: NodeJS.ErrnoException) => {
      const message = `${address} cannot be bound (${cause.code ?? 'unknown'})`;
      reject(new PaycertError('listener-in-use', message, { field: 'listen', cause }));
    };
    server.once('error', fail);
    server.once('listening', () => {
      server.off('error', fail);
      // A connection that could not be accepted is its caller's error, and no reason to end everybody else's.
      server.on('error', () => undefined);
      resolve();
    });
    try {
      listen();
    } catch (error) {
      // Node throws for a port that no port can be.
      if (!(error instanceof RangeError)) throw error;
      fail(error);
    }
  });

/** A Unix socket with mode 0660 from the moment it exists. One left behind by a killed process is replaced. */
export async function listenOnSocket(path: string, listener: RequestListener): Promise<Listener> {
  await removeStaleSocket(path);
  const { server, close } = createHttpServer(listener);
  await listening(server, () => bindPrivately(server, path), path);
  return { address: path, close };
}

// bind(2) makes the file, inside this call, with the mode that the mask leaves: there is no moment in which it is open to others.
function bindPrivately(server: Server, path: string): void {
  const mask = process.umask(0o117);
  try {
    server.listen({ path });
  } finally {
    process.umask(mask);
  }
}

async function removeStaleSocket(path: string): Promise<void> {
  const stats = await lstat(path).catch(() => undefined);
  if (stats === undefined) return;
  const inUse = (what: string) => new PaycertError('listener-in-use', `${path} ${what}`, { field: 'listen.socket' });
  if (!stats.isSocket()) throw inUse('is there already, and is not a socket');
  if (!(await isAbandoned(path))) throw inUse('is served by another process');
  await rm(path, { force: true });
}

/** Only a refusal says that nobody serves it: too busy to accept (EAGAIN), or another user's (EACCES), is alive. */
const isAbandoned = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(false);
    });
    probe.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code === 'ECONNREFUSED' || code === 'ENOENT'));
  });

export interface TcpOptions {
  /** host:port; an empty host means every address. */
  readonly address: string;
  /** What callers must send as a bearer token; none when the configuration says `insecure`. */
  readonly token: string | undefined;
  readonly isExposed: boolean;
}

export function splitAddress(address: string): { host: string; port: number } {
  const at = address.lastIndexOf(':');
  return { host: address.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(address.slice(at + 1)) };
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);

/** The local API over TCP: loopback unless exposed, and only for callers that know the token. */
export async function listenOnTcp(
  { address, token, isExposed }: TcpOptions,
  listener: RequestListener,
): Promise<Listener> {
  const { host } = splitAddress(address);
  if (!isExposed && !isLoopback(host)) {
    throw new PaycertError('listener-exposed', `${address} is not a loopback address`, { field: 'listen.tcp.address' });
  }
  const guard = createGuard(token, isExposed);
  return listenOnPort(address, (request, response) => {
    const error = guard(request);
    if (error === undefined) listener(request, response);
    else sendProblem(request, response, error);
  });
}

/** Any listener on a port; the admin endpoints use it as it is. */
export async function listenOnPort(address: string, listener: RequestListener): Promise<Listener> {
  const { host, port } = splitAddress(address);
  const { server, close } = createHttpServer(listener);
  await listening(server, () => server.listen(host === '' ? { port } : { port, host }), address);
  const bound = server.address() as AddressInfo;
  return { address: `${host.includes(':') ? `[${host}]` : host}:${bound.port}`, close };
}

/** A Host header, as RFC 9110 §7.2 writes it: any case, IPv6 in brackets, with a port or without. */
const namesThisMachine = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d*)?$/i;

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** A browser (a page that rebinds its name to 127.0.0.1) or a forwarded request must not reach the keys, token or not. */
function createGuard(
  token: string | undefined,
  isExposed: boolean,
): (request: IncomingMessage) => PaycertError | undefined {
  const expected = token === undefined ? undefined : digest(token);
  return ({ headers }) => {
    if (headers['x-forwarded-for'] !== undefined || headers.forwarded !== undefined || headers.origin !== undefined) {
      return new PaycertError('request-forwarded', 'the request was forwarded, or comes from a browser');
    }
    if (!isExposed && !namesThisMachine.test(headers.host ?? '')) {
      return new PaycertError('request-forwarded', 'the Host header names another host', { field: 'host' });
    }
    const [, sent] = /^Bearer (.+)$/i.exec(headers.authorization ?? '') ?? [];
    if (expected === undefined || (sent !== undefined && timingSafeEqual(digest(sent), expected))) return undefined;
    return new PaycertError('token-required', 'the bearer token is missing or wrong', { field: 'authorization' });
  };
}
