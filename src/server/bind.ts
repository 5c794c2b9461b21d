// Binding a server to an address, and what it means when the system refuses.
import type { Server } from 'node:net';
import { PaycertError } from '../errors.ts';

export interface Listener {
  /** As a caller writes it: a path, or host:port with the port that was bound. */
  readonly address: string;
  /** Stops accepting, lets what is in flight finish, closes what is idle. */
  readonly close: () => Promise<void>;
}

/** By what the system says. */
const remedies: Readonly<Record<string, string>> = {
  ENOTFOUND: 'no address has this name here; write an address, such as 127.0.0.1',
  EAI_AGAIN: 'the name cannot be looked up now; write an address, such as 127.0.0.1',
  EADDRNOTAVAIL: 'the address is not one of this machine’s',
  ERR_SOCKET_BAD_PORT: 'a port is a number from 0 to 65535',
  EACCES:
    'ports below 1024 and other users’ directories need a permission; take a port above, or a directory of its own',
  ENOTDIR: 'a part of the path is a file and no directory',
  EINVAL: 'the path is longer than the 107 bytes that a socket’s may have',
  ENAMETOOLONG: 'the path is longer than the 107 bytes that a socket’s may have',
  EROFS: 'the file system is read-only; mount a volume there that can be written',
};

/** @throws PaycertError `listener-in-use`, `listener-unusable` */
export const bind = (server: Server, listen: () => void, address: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const fail = (cause: NodeJS.ErrnoException) => {
      server.off('listening', succeed);
      const { code: reason = 'unknown' } = cause;
      const who = reason === 'EACCES' ? ` by uid ${String(process.getuid?.() ?? '?')}` : '';
      const remedy = remedies[reason] === undefined ? '' : `: ${remedies[reason]}`;
      const message = `${address} cannot be bound${who} (${reason})${remedy}`;
      const code = cause.code === 'EADDRINUSE' ? 'listener-in-use' : 'listener-unusable';
      reject(new PaycertError(code, message, { field: 'listen', cause }));
    };
    const succeed = () => {
      server.off('error', fail);
      resolve();
    };
    // A connection that could not be accepted is its caller's error, and no reason to end everybody else's.
    if (server.listenerCount('error') === 0) server.on('error', () => undefined);
    server.once('error', fail);
    server.once('listening', succeed);
    try {
      listen();
    } catch (error) {
      server.off('error', fail);
      // Node throws for a port that no port can be.
      if (!(error instanceof RangeError)) throw error;
      fail(error);
    }
  });
