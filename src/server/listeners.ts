// Sockets and ports: bound safely, guarded where a browser could reach them, closed when nothing is in flight.
import { createHash, timingSafeEqual } from 'node:crypto';
import { lstat, unlink } from 'node:fs/promises';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { PaycertError } from '../errors.ts';
import { sendProblem } from './http.ts';

export interface Listener {
  /** As a caller writes it: a path, or host:port with the port that was bound. */
  readonly address: string;
  /** Stops accepting, lets what is in flight finish, closes what is idle. */
  close(): Promise<void>;
}

/** Callers keep connections; closing one that they are about to use would be a failed request. */
const keepAliveMilliseconds = 10 * 60 * 1000;

function createHttpServer(listener: RequestListener): Server {
  const server = createServer({ keepAliveTimeout: keepAliveMilliseconds, noDelay: true }, listener);
  // Nobody on this machine needs it, and it costs a string per answer.
  server.on('request', (_, response) => (response.sendDate = false));
  return server;
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
    // A kept connection becomes idle when its answer is out; it is told to close with that answer.
    server.on('request', (_, response) => response.setHeader('Connection', 'close'));
    const sweep = setInterval(() => server.closeIdleConnections(), 50);
    server.on('close', () => clearInterval(sweep));
  });
}

const listening = (server: Server, listen: () => void, address: string): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        new PaycertError('listener-in-use', `${address} cannot be bound (${error.code ?? 'unknown'})`, {
          field: 'listen',
        }),
      );
    });
    server.once('listening', resolve);
    listen();
  });

/** A Unix socket with mode 0660 from the moment it exists. One left behind by a killed process is replaced. */
export async function listenOnSocket(path: string, listener: RequestListener): Promise<Listener> {
  await removeStaleSocket(path);
  const server = createHttpServer(listener);
  await listening(server, () => bindPrivately(server, path), path);
  return { address: path, close: () => close(server) };
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
  if (await isAnswering(path)) throw inUse('is served by another process');
  await unlink(path);
}

const isAnswering = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
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
  const server = createHttpServer(listener);
  await listening(server, () => server.listen(host === '' ? { port } : { port, host }), address);
  const bound = server.address() as AddressInfo;
  return { address: `${host}:${bound.port}`, close: () => close(server) };
}

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
    if (!isExposed && !isLoopback(splitAddress(withPort(headers.host ?? '')).host)) {
      return new PaycertError('request-forwarded', 'the Host header names another host', { field: 'host' });
    }
    const [, sent] = /^Bearer (.+)$/i.exec(headers.authorization ?? '') ?? [];
    if (expected === undefined || (sent !== undefined && timingSafeEqual(digest(sent), expected))) return undefined;
    return new PaycertError('token-required', 'the bearer token is missing or wrong', { field: 'authorization' });
  };
}

const withPort = (host: string): string => (/:\d+$/.test(host) ? host : `${host}:0`);
