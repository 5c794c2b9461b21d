// Binding a server to an address, and what it means when the system refuses.
import type { Server } from 'node:net';
import { PaycertError } from '../errors.ts';

export interface Listener {
  /** As a caller writes it: a path, or host:port with the port that was bound. */
  readonly address: string;
  /** Stops accepting, lets what is in flight finish, closes what is idle. */
  readonly close: () => Promise<void>;
}

/** @throws PaycertError `listener-in-use`, `listener-unusable` */
export const bind = (server: Server, listen: () => void, address: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const fail = (cause: NodeJS.ErrnoException) => {
      server.off('listening', succeed);
      const who = cause.code === 'EACCES' ? ` by uid ${String(process.getuid?.() ?? '?')}` : '';
      const message = `${address} cannot be bound${who} (${cause.code ?? 'unknown'})`;
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
