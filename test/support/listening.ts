// HTTP servers on loopback for the time of one test.
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { Server as SecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

/** A port of that host that was free, until the test ends: then the server is closed, and all its connections. */
export async function listen(t: TestContext, server: Server | SecureServer, host: string): Promise<number> {
  server.listen(0, host);
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Its origin, such as `http://127.0.0.1:40001`. */
export async function listenFor(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  // A caller that is held up for five seconds finds its connection where it left it.
  server.keepAliveTimeout = 0;
  return `http://127.0.0.1:${String(await listen(t, server, '127.0.0.1'))}`;
}
