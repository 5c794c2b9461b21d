// The limits of a listener that speaks TLS: a handshake takes a place like a connection, and keeps nobody out.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { connect as connectSecurely } from 'node:tls';
import { createHttpsServer } from '../../src/server/closable.ts';
import { mostPerAddress } from '../../src/server/handshakes.ts';
import { type Limits, limitsOf } from '../../src/server/limits.ts';
import { createAuthority } from '../../src/testing/index.ts';

const authority = await createAuthority({ now: new Date() });
const { certificate: cert, privateKey } = await authority.issue({
  commonName: 'a',
  hostNames: ['a.test'],
  notBefore: new Date(Date.now() - 60_000),
  notAfter: new Date(Date.now() + 86_400_000),
});
const key = privateKey.export({ type: 'pkcs8', format: 'pem' });
const limits = limitsOf('admin');

/** Also where it is reset, which `once` would call an error. */
const closed = (socket: Socket): Promise<unknown> => new Promise((resolve) => socket.once('close', resolve));

async function serve(t: TestContext, changed: Partial<Limits> = {}) {
  const { server, close } = createHttpsServer(
    (_, response) => response.end('ok'),
    { ...limits, ...changed },
    { cert, key },
  );
  server.listen({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  t.after(close);
  const { port } = server.address() as AddressInfo;
  const dial = (localAddress = '127.0.0.2') =>
    connect({ port, host: '127.0.0.1', localAddress }).on('error', () => undefined);
  const probe = (): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port, ca: authority.certificate, servername: 'a.test', agent: false };
      request(options, (response) => resolve(response.resume().statusCode))
        .on('error', reject)
        .end();
    });
  return { server, close, port, dial, probe };
}

describe('a listener over TLS', { timeout: 900_000 }, () => {
  it('answers a probe while strangers hold every place with handshakes that they never end', async (t) => {
    const { server, dial, probe } = await serve(t);
    const strangers = Array.from({ length: limits.connections }, () => dial());
    t.after(() => strangers.forEach((socket) => socket.destroy()));
    await Promise.all(strangers.map((socket) => once(socket, 'connect')));
    assert.equal(await probe(), 200);
    const held = await new Promise<number>((resolve) => server.getConnections((_, count) => resolve(count)));
    assert.ok(held <= limits.connections, String(held));
  });

  it('counts a connection once: as many as the limit are served side by side', async (t) => {
    const { port } = await serve(t, { connections: 8 });
    const open = async () => {
      const socket = connectSecurely({ port, host: '127.0.0.1', ca: authority.certificate, servername: 'a.test' });
      await once(socket, 'secureConnect');
      return socket;
    };
    const sockets = await Promise.all(Array.from({ length: 8 }, open));
    t.after(() => sockets.forEach((socket) => socket.destroy()));
    for (const socket of sockets) {
      socket.write('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n');
      const [answer] = (await once(socket, 'data')) as [Buffer];
      assert.match(answer.toString(), /^HTTP\/1\.1 200/);
    }
  });

  it('lets callers in while one address has begun as many handshakes as it may, and ends none, and then its own', async (t) => {
    const { dial, probe, port } = await serve(t);
    const strangers = Array.from({ length: 2 * mostPerAddress }, () => dial());
    t.after(() => strangers.forEach((socket) => socket.destroy()));
    await Promise.all(strangers.map((socket) => once(socket, 'connect')));
    assert.equal(await probe(), 200);
    const options = {
      port,
      host: '127.0.0.1',
      localAddress: '127.0.0.2',
      ca: authority.certificate,
      servername: 'a.test',
    };
    const honest = connectSecurely(options);
    t.after(() => honest.destroy());
    strangers.forEach((socket) => socket.destroy());
    // What it sent while it waited was kept.
    await once(honest, 'secureConnect');
  });

  it('ends a handshake that lasts longer than a head may, and one that is none', async (t) => {
    const { dial } = await serve(t, { headMilliseconds: 100 });
    const silent = dial();
    await closed(silent);
    const plain = dial();
    plain.write('GET /metrics HTTP/1.1\r\n\r\n');
    await closed(plain.resume());
  });

  it('closes at once what is owed nothing', async (t) => {
    const { close, dial, port } = await serve(t);
    const waiting = dial();
    const idle = connectSecurely({ port, host: '127.0.0.1', ca: authority.certificate, servername: 'a.test' });
    await once(idle, 'secureConnect');
    idle.on('error', () => undefined).resume();
    const ended = Promise.all([closed(waiting.resume()), closed(idle)]);
    await close();
    await ended;
  });
});
