// Ports that no other test takes before the program that they are for does: below those that the system gives out by itself.
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:net';

/** 20000 to 29999: below the ports of connections and of `listen(0)`, and below those of a cluster's nodes. */
const [first, perProcess, processes] = [20_000, 50, 200];

/** The ports of this process that were given longest ago, or never, first. */
let own: Promise<number[]> | undefined;

/**
 * A port on loopback where nobody listens. Each process has 49 of its own, so that two tests that run at once are never given
 * the same one, however late its program comes; the same process gives it again only after all others.
 */
export async function freePort(): Promise<number> {
  const ports = await (own ??= claim());
  for (let tries = 0; tries < ports.length; tries += 1) {
    const port = ports.shift()!;
    ports.push(port);
    const server = await listenAt(port);
    if (server === undefined) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
  return assert.fail('every port of this process is in use');
}

/** It listens on the first of them to its end, so that a process whose id has the same rest takes others. */
async function claim(): Promise<number[]> {
  for (let tries = 0; tries < processes; tries += 1) {
    const held = first + ((process.pid + tries) % processes) * perProcess;
    const server = await listenAt(held);
    if (server === undefined) continue;
    server.unref();
    return Array.from({ length: perProcess - 1 }, (_, index) => held + 1 + index);
  }
  return assert.fail('as many processes as may have ports of their own have them');
}

/** Undefined: somebody else does. */
const listenAt = (port: number): Promise<Server | undefined> =>
  new Promise((resolve) => {
    const server = createServer().on('error', () => resolve(undefined));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => resolve(server));
  });
