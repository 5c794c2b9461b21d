// Sockets and ports, bound safely.
import { lstat, rm } from 'node:fs/promises';
import type { RequestListener, Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { splitAddress } from '../address.ts';
import { PaycertError } from '../errors.ts';
import { createHttpServer } from './closable.ts';
import { createGuard } from './guard.ts';
import { sendProblem } from './http.ts';

export interface Listener {
  /** As a caller writes it: a path, or host:port with the port that was bound. */
  readonly address: string;
  /** Stops accepting, lets what is in flight finish, closes what is idle. */
  readonly close: () => Promise<void>;
}

const listening = (server: Server, listen: () => void, address: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const fail = (cause: NodeJS.ErrnoException) => {
      const message = `${address} cannot be bound (${cause.code ?? 'unknown'})`;
      const code = cause.code === 'EADDRINUSE' ? 'listener-in-use' : 'listener-unusable';
      reject(new PaycertError(code, message, { field: 'listen', cause }));
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
  if (!stats.isSocket()) {
    throw new PaycertError('listener-unusable', `${path} is there already, and is not a socket`, {
      field: 'listen.socket',
    });
  }
  if (!(await isAbandoned(path))) {
    throw new PaycertError('listener-in-use', `${path} is served by another process`, { field: 'listen.socket' });
  }
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
  /** host:port; the configuration has seen to it that others reach it only where that is asked for. */
  readonly address: string;
  /** What callers must send as a bearer token, asked at each request; none when the configuration says `insecure`. */
  readonly token: () => string | undefined;
  readonly isExposed: boolean;
}

/** The local API over TCP, only for callers that know the token. */
export async function listenOnTcp(
  { address, token, isExposed }: TcpOptions,
  listener: RequestListener,
): Promise<Listener> {
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
