// A proxy that opens tunnels, as the test says.
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

export interface Proxy {
  readonly address: string;
  /** Head lines of each CONNECT. */
  readonly asked: { readonly target: string; readonly authorization: string | undefined }[];
}

/** Hands each tunnel on to `answer`, which writes what this proxy says. */
export async function startProxy(t: TestContext, answer: (client: Socket) => void): Promise<Proxy> {
  const asked: Proxy['asked'] = [];
  const clients = new Set<Socket>();
  const server: Server = createServer().on('connect', ({ url = '', headers }, client: Socket) => {
    asked.push({ target: url, authorization: headers['proxy-authorization'] });
    clients.add(client.on('error', () => undefined));
    answer(client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const client of clients) client.destroy();
    server.close();
  });
  return { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

export const tunnelTo =
  (port: number) =>
  (client: Socket): void => {
    const onward = connect(port, '127.0.0.1').on('error', () => undefined);
    client.write('HTTP/1.1 200 Connection established\r\n\r\n');
    client.pipe(onward).pipe(client);
  };
