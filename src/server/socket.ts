// The Unix socket of the local API: private from the moment it exists, one process's at a time, and put back when its file is lost.
import { randomBytes } from 'node:crypto';
import { watch } from 'node:fs';
import { chmod, chown, lstat, rename, rm } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { connect, Server as NetServer } from 'node:net';
import { basename, dirname } from 'node:path';
import { type Clock, systemClock } from '../clock.ts';
import { PaycertError } from '../errors.ts';
import type { Observe } from '../events.ts';
import { socketsLane } from '../system/lanes.ts';
import { runForeign } from '../system/threads.ts';
import { bind, type Listener } from './bind.ts';
import { createHttpServer } from './closable.ts';
import { type Limits, limitsOf } from './limits.ts';
import { lockSocket } from './socket-lock.ts';

export interface SocketListener extends Listener {
  /** Why callers cannot come in; undefined while they can. */
  readonly impediment: () => string | undefined;
}

interface SocketOptions {
  /** The group that may connect, by its id. Default: that of this process. */
  readonly group?: number | undefined;
  readonly clock?: Clock;
  readonly observe?: Observe;
  /** Default: as of the local API, where it is the only listener of this process. */
  readonly limits?: Limits;
}

/** A directory that does not answer for so long holds up the end of this process no longer. */
const leaveMilliseconds = 2000;

/** How often the file is looked for without an event: where there are no watches left, and on a volume without any. */
const pollMilliseconds = 10_000;

/** @throws PaycertError `listener-in-use`, `listener-unusable` */
export async function listenOnSocket(
  path: string,
  listener: RequestListener,
  { group, clock = systemClock, observe = () => undefined, limits = limitsOf('callers') }: SocketOptions = {},
): Promise<SocketListener> {
  const release = await lockSocket(path);
  const { server, close } = createHttpServer(listener, limits);
  const place = new Place(path, server, { backlog: limits.backlog, group });
  try {
    await place.take();
  } catch (error) {
    await close();
    await release();
    throw error;
  }
  const stop = new AbortController();
  const keeping = keep(place, { clock, observe }, stop.signal);
  return {
    address: path,
    impediment: () => place.impediment,
    async close() {
      stop.abort();
      const closing = close();
      const late = new AbortController();
      const left = Promise.all([place.leave(), keeping]).finally(() => late.abort());
      await Promise.all([closing, Promise.race([left, clock.sleep(leaveMilliseconds, late.signal)])]);
      await release();
    },
  };
}

/** The path, and the server's inode at it. */
class Place {
  readonly path: string;
  readonly #server: NetServer;
  readonly #backlog: number;
  readonly #group: number | undefined;
  #inode: bigint | undefined;
  isLeft = false;
  /** Why the path is not ours. */
  impediment: string | undefined;

  constructor(path: string, server: NetServer, { backlog, group }: { backlog: number; group: number | undefined }) {
    this.path = path;
    this.#server = server;
    this.#backlog = backlog;
    this.#group = group;
  }

  /**
   * Binds beside the path and renames into place: callers find the old file or a socket that accepts, never nothing.
   * Connections that are open stay so.
   */
  async take(): Promise<void> {
    await assertFree(this.path);
    if (this.isLeft) return;
    const beside = `${this.path}.${randomBytes(3).toString('hex')}`;
    if (this.#server.listening) NetServer.prototype.close.call(this.#server);
    await bind(this.#server, () => this.#bindPrivately(beside), this.path);
    const inode = await inodeOf(beside);
    try {
      // Before it is where callers look: no other group ever finds it.
      if (this.#group !== undefined) await this.#giveTo(this.#group, beside);
      await runForeign(socketsLane, () => rename(beside, this.path));
    } catch (error) {
      await remove(beside);
      if (error instanceof PaycertError) throw error;
      const { code = 'unknown' } = error as NodeJS.ErrnoException;
      throw new PaycertError('listener-unusable', `${this.path} cannot be put in place (${code})`, { field: 'listen' });
    }
    this.#inode = inode;
    this.impediment = undefined;
  }

  /** A process may give a file of its own only to a group that it is in. */
  async #giveTo(group: number, path: string): Promise<void> {
    const give = async () => {
      await chown(path, -1, group);
      await chmod(path, 0o660);
    };
    await runForeign(socketsLane, give).catch((error: unknown) => {
      const { code = 'unknown' } = error as NodeJS.ErrnoException;
      const message = `${this.path} cannot be given to group ${String(group)} (${code}): add it to the sidecar’s supplementalGroups`;
      throw new PaycertError('listener-unusable', message, { field: 'listen.sockets' });
    });
  }

  async isOurs(): Promise<boolean> {
    return this.#inode !== undefined && (await inodeOf(this.path)) === this.#inode;
  }

  /** Removes our own file, and no other process's. */
  async leave(): Promise<void> {
    this.isLeft = true;
    if (await this.isOurs()) await remove(this.path);
  }

  // bind(2) makes the file, inside this call, with the mode that the mask leaves: there is no moment in which it is open to others.
  #bindPrivately(path: string): void {
    // For another group: nobody but the owner until it is theirs.
    const mask = process.umask(this.#group === undefined ? 0o117 : 0o177);
    try {
      this.#server.listen({ path, backlog: this.#backlog });
    } finally {
      process.umask(mask);
    }
  }
}

const inodeOf = async (path: string): Promise<bigint | undefined> =>
  (await runForeign(socketsLane, () => lstat(path, { bigint: true })).catch(() => undefined))?.ino;

const remove = (path: string): Promise<void> => runForeign(socketsLane, () => rm(path, { force: true }));

/** Looks when the directory changes, and now and then. A file that is lost is put back; until then `impediment` says why. */
async function keep(
  place: Place,
  { clock, observe }: { readonly clock: Clock; readonly observe: Observe },
  signal: AbortSignal,
): Promise<void> {
  let wake = new AbortController();
  const look = () => wake.abort();
  const watching = watchFor(place.path, look);
  signal.addEventListener('abort', look);
  while (!signal.aborted) {
    await clock.sleep(pollMilliseconds, wake.signal);
    wake = new AbortController();
    if (!(await place.isOurs()) && !place.isLeft) await restore(place, observe);
  }
  watching.close();
}

/** Each reason is reported once, however often it is tried again. */
async function restore(place: Place, observe: Observe): Promise<void> {
  const { path } = place;
  if (place.impediment === undefined) {
    place.impediment = `the socket ${path} has been removed`;
    observe({ type: 'socket-lost', path });
  }
  try {
    await place.take();
    observe({ type: 'socket-restored', path });
  } catch (error) {
    if (!(error instanceof PaycertError)) throw error;
    if (error.message !== place.impediment) observe({ type: 'socket-lost', path, error });
    place.impediment = error.message;
  }
}

/** Without a watch, where the system has none left, the poll finds it. */
function watchFor(path: string, look: () => void): { close(): void } {
  try {
    return watch(dirname(path), (_, name) => {
      if (name === basename(path)) look();
    }).on('error', () => undefined);
  } catch {
    return { close: () => undefined };
  }
}

/** One left behind by a killed process is free; a socket that is served, or anything else, is not. */
async function assertFree(path: string): Promise<void> {
  const stats = await runForeign(socketsLane, () => lstat(path)).catch(() => undefined);
  if (stats === undefined) return;
  if (!stats.isSocket()) {
    throw new PaycertError('listener-unusable', `${path} is there already, and is not a socket`, {
      field: 'listen.socket',
    });
  }
  if (await isAbandoned(path)) return;
  throw new PaycertError('listener-in-use', `${path} is served by another process`, { field: 'listen.socket' });
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
