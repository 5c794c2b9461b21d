// The right to serve a socket's path: held by one process at a time, and released by the kernel when that process ends.
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { basename, dirname } from 'node:path';
import { PaycertError } from '../errors.ts';
import { socketsLane } from '../system/lanes.ts';
import { runForeign } from '../system/threads.ts';
import { bind } from './bind.ts';

/**
 * An abstract socket: a name in the kernel, of the network namespace, that no file and no number of a process outlives. In a
 * pod every container may be process 1, and its volume survives all of them. The name is that of the directory's inode, so
 * that pods in the host's network with equal paths do not exclude each other.
 */
export async function lockSocket(path: string): Promise<() => Promise<void>> {
  // Elsewhere there are no abstract sockets; asking whether the path is served has to do.
  if (process.platform !== 'linux') return async () => undefined;
  const find = () => stat(dirname(path), { bigint: true });
  const directory = await runForeign(socketsLane, find).catch((error: unknown) => {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    const where = dirname(path);
    const message =
      code === 'ENOENT'
        ? `the directory ${where} does not exist: create it, or mount a volume there`
        : `the directory ${where} cannot be read by uid ${String(process.getuid?.() ?? '?')} (${code})`;
    throw new PaycertError('listener-unusable', message, { field: 'listen' });
  });
  const name = createHash('sha256')
    .update(`${directory.dev}/${directory.ino}/${basename(path)}`)
    .digest('hex');
  const server = createServer((socket) => socket.destroy());
  await bind(server, () => server.listen({ path: `\0paycert/${name.slice(0, 32)}` }), path).catch((error: unknown) => {
    if (!(error instanceof PaycertError) || error.code !== 'listener-in-use') throw error;
    throw new PaycertError('listener-in-use', `${path} is served by another process`, { field: 'listen.socket' });
  });
  return () => new Promise((resolve) => server.close(() => resolve()));
}
