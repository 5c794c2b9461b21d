// Ports that no other test takes before the program that they are for does: below those that the system gives out by itself.
import { createServer } from 'node:net';

/** 20000 to 29999: below the ports of connections and of `listen(0)`, and below those of a cluster's nodes. */
const [first, perProcess, processes] = [20_000, 50, 200];

let taken = 0;

/**
 * A port on loopback where nobody listens. Each process has fifty of its own, by its id, so that two tests that run at once are
 * never given the same one; the same process gives it again only after all others.
 */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < perProcess; tries += 1) {
    const port = first + (process.pid % processes) * perProcess + (taken++ % perProcess);
    if (await isFree(port)) return port;
  }
  throw new Error('every port of this process is in use');
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer().on('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
