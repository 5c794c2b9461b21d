// A plain HTTP server on loopback for the time of one test.
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

/** Its origin, such as `http://127.0.0.1:40001`. */
export async function listenFor(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  // A caller that is held up for five seconds finds its connection where it left it.
  server.keepAliveTimeout = 0;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}
