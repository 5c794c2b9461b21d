// The limits of every listener: what a stranger sends, holds or leaves unread costs little, and keeps nobody else out.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, describe, it, type TestContext } from 'node:test';
import fc from 'fast-check';
import { createHttpServer } from '../../src/server/closable.ts';
import { type Limits, type ListenerKind, shareOut } from '../../src/server/limits.ts';
import { exchange } from '../support/http-client.ts';

const directory = await mkdtemp(join(tmpdir(), 'paycert-'));
after(() => rm(directory, { recursive: true }));
let count = 0;

const kinds = shareOut(['admin', 'callers', 'callers', 'proxy', 'proxy'], 1024);

/** A server with limits of one kind, some of them smaller, on loopback or a socket. */
async function serve(t: TestContext, limits: Limits, listener: RequestListener, onSocket = false) {
  const { server, close } = createHttpServer(listener, limits, 100);
  const path = join(directory, `${String((count += 1))}.sock`);
  server.listen(onSocket ? { path } : { port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  t.after(close);
  const { port } = server.address() as AddressInfo;
  /** From another address of this machine, as kubelet's is another than a stranger's. */
  const dial = (localAddress?: string): Socket => {
    const socket = onSocket ? connect(path) : connect({ port, host: '127.0.0.1', ...(localAddress !== undefined && { localAddress }) }); // prettier-ignore
    return socket.on('error', () => undefined);
  };
  return { address: onSocket ? path : `127.0.0.1:${port}`, dial, server };
}

const ended = (socket: Socket): Promise<unknown> => new Promise((resolve) => socket.once('close', resolve));
const request = 'GET /metrics HTTP/1.1\r\nHost:\r\n\r\n';

/** What a listener is asked, on a port and on a socket alike. */
const places = [
  ['the admin port', kinds.admin, false],
  ['a port of the API', kinds.callers, false],
  ['the socket', kinds.callers, true],
  ['a port of the proxy', kinds.proxy, false],
  ['the socket of the proxy', kinds.proxy, true],
  ['the port for notifications', kinds.notifications, false],
  ['the port for reviews', kinds.admission, false],
] as const;

/** As long as refusing something costly takes. */
function work(milliseconds: number): void {
  for (const until = performance.now() + milliseconds; performance.now() < until;);
}

for (const [place, limits, onSocket] of places) {
  describe(place, { timeout: 900_000 }, () => {
    it('ends a connection that asks 2,031 times at once and reads nothing, after one answer is begun', async (t) => {
      let asked = 0;
      // Larger than what the kernel takes for a reader who does not read.
      const large = Buffer.alloc(8 * 1024 * 1024);
      const { address, dial, server } = await serve(t, limits, ({ url }, response) => {
        if (url === '/metrics') asked += 1;
        response.end(url === '/metrics' ? large : 'ok');
      }, onSocket); // prettier-ignore
      let parsed = 0;
      server.on('request', ({ url }) => (parsed += Number(url === '/metrics')));
      const flood = dial().pause();
      const over = ended(flood);
      flood.write(request.repeat(2031));
      assert.equal((await exchange(address, { path: '/livez' })).text, 'ok');
      flood.resume();
      await over;
      assert.equal(asked, 1);
      // The one that is answered, those that may wait, and the one that was too much: the rest is not even read.
      assert.equal(parsed, limits.pipelined + 2);
    });

    it('answers what a connection may ask at once, one after another and in order', async (t) => {
      let underWay = 0;
      let most = 0;
      const { dial } = await serve(t, limits, ({ url }, response) => {
        most = Math.max(most, (underWay += 1));
        setImmediate(() => {
          underWay -= 1;
          response.end(`<${String(url)}>`);
        });
      }, onSocket); // prettier-ignore
      const socket = dial();
      const paths = Array.from({ length: limits.pipelined }, (_, index) => `/${index}`);
      const last = { Connection: 'close' };
      const heads = paths.map((path, index) => `GET ${path} HTTP/1.1\r\nHost:\r\n${index === paths.length - 1 ? `Connection: ${last.Connection}\r\n` : ''}\r\n`); // prettier-ignore
      socket.write(heads.join(''));
      const answers = [...(await text(socket)).matchAll(/<(\/\d+)>/g)].map(([, path]) => path);
      assert.deepEqual([answers, most], [paths, 1]);
    });

    it('ends a connection whose body comes in pieces of a byte, and takes few of them', async (t) => {
      let taken = 0;
      const { dial } = await serve(t, limits, (incoming, response) => {
        incoming.on('data', () => (taken += 1)).on('error', () => undefined);
        incoming.on('end', () => response.end());
      }, onSocket); // prettier-ignore
      const socket = dial().resume();
      const over = ended(socket);
      socket.write(`POST / HTTP/1.1\r\nHost:\r\nTransfer-Encoding: chunked\r\n\r\n${'1\r\nx\r\n'.repeat(20_000)}`);
      await over;
      assert.ok(taken > 0 && taken < 1000, `${taken} pieces`);
    });

    it('hears what many send at once in several turns of the event loop, and all of it', async (t) => {
      const turns: number[] = [];
      let turn = 0;
      const { dial, server } = await serve(t, limits, (_, response) => {
        turns.push(turn);
        work(5);
        response.end('ok');
      }, onSocket); // prettier-ignore
      const sockets = [];
      for (let index = 0; index < 12; index += 1) {
        sockets.push(dial());
        await once(server, 'connection');
      }
      const answered = sockets.map((socket) => once(socket, 'data'));
      let counting = setImmediate(function count() {
        turn += 1;
        counting = setImmediate(count);
      });
      t.after(() => clearImmediate(counting));
      for (const socket of sockets) socket.write(request);
      await Promise.all(answered);
      const most = Math.max(...turns.map((one) => turns.filter((other) => other === one).length));
      assert.ok(most <= 3, turns.join());
      assert.equal(turns.length, 12);
    });

    it('takes a body in chunks as writers make them', async (t) => {
      const { dial } = await serve(t, limits, (incoming, response) => {
        let length = 0;
        incoming.on('data', (piece: Buffer) => (length += piece.byteLength));
        incoming.on('end', () => response.end(`<${length}>`));
      }, onSocket); // prettier-ignore
      const socket = dial();
      const chunk = (bytes: number) => `${bytes.toString(16)}\r\n${'x'.repeat(bytes)}\r\n`;
      const words = limits.pieces / 2;
      const body = `${chunk(8).repeat(words)}${chunk(100).repeat(2000)}${chunk(8192)}0\r\n\r\n`;
      socket.write(`POST / HTTP/1.1\r\nHost:\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n${body}`);
      assert.ok((await text(socket)).includes(`<${8 * words + 208_192}>`));
    });

    it('refuses a head that is too large', async (t) => {
      const { dial } = await serve(t, limits, () => assert.fail('it was heard'), onSocket);
      const socket = dial();
      socket.write(`GET / HTTP/1.1\r\nHost:\r\nX: ${'x'.repeat(limits.headBytes)}`);
      assert.match(await text(socket), /^HTTP\/1.1 431 /);
    });

    it('ends a connection whose head does not come, whole or at all', async (t) => {
      const { dial } = await serve(t, { ...limits, headMilliseconds: 40 }, () => assert.fail('it was heard'), onSocket);
      const sockets = ['', 'GET / HTTP/1.1\r\nX:'].map((said) => {
        const socket = dial().resume();
        socket.write(said);
        return socket;
      });
      await Promise.all(sockets.map(ended));
    });

    it('keeps no more connections than it may, and still answers a new one', async (t) => {
      const { address, dial, server } = await serve(t, { ...limits, connections: 4 }, (_, response) => void response.end('ok'), onSocket); // prettier-ignore
      const accepted: Socket[] = [];
      server.on('connection', (socket) => accepted.push(socket));
      for (let index = 0; index < 40; index += 1) {
        dial().resume();
        await once(server, 'connection');
        assert.ok(accepted.filter(({ destroyed }) => !destroyed).length <= 4);
      }
      assert.equal((await exchange(address, { path: '/' })).text, 'ok');
    });
  });
}

describe('the admin port, full of strangers', { timeout: 900_000 }, () => {
  const limits = { ...kinds.admin, connections: 8 };

  it('answers a probe from another address, whatever they leave half said or unread', async (t) => {
    const large = Buffer.alloc(8 * 1024 * 1024);
    const { dial, server } = await serve(t, limits, ({ url }, response) => void response.end(url === '/large' ? large : 'ok')); // prettier-ignore
    const probe = dial('127.0.0.2').resume();
    await once(server, 'connection');
    const isProbeOver = ended(probe).then(() => 'over');
    for (const said of ['', 'GET / HTTP/1.1\r\nX: half', 'GET /large HTTP/1.1\r\nHost:\r\n\r\n']) {
      for (let index = 0; index < 20; index += 1) {
        dial().pause().write(said);
        await once(server, 'connection');
      }
    }
    // It came first, and was not what had to go.
    const answer = once(probe, 'data');
    probe.write(request);
    assert.match(String(await Promise.race([answer, isProbeOver])), /^HTTP\/1.1 200 /);
  });
});

describe('the callers’ listener, full', { timeout: 900_000 }, () => {
  it('ends no call that is under way for another', async (t) => {
    const limits = { ...kinds.callers, connections: 2 };
    const arrivals: (() => void)[] = [];
    const { address, dial, server } = await serve(t, limits, (_, response) => void arrivals.push(() => void response.end('signed')), true); // prettier-ignore
    const calls = [0, 1].map(() => exchange(address, { path: '/' }));
    while (arrivals.length < 2) await once(server, 'request');
    await ended(dial().resume());
    for (const answer of arrivals) answer();
    assert.deepEqual((await Promise.all(calls)).map(({ text: body }) => body), ['signed', 'signed']); // prettier-ignore
  });
});

describe('file descriptors', () => {
  /** What the process opens itself. */
  const own = 48;
  const costs = { admin: 1, admission: 1, callers: 1, notifications: 2, proxy: 2 } as const;
  const listeners = fc
    .record({ sockets: fc.nat(8), ports: fc.nat(1), proxies: fc.nat(2), notified: fc.nat(1) })
    .map(({ sockets, ports, proxies, notified }): ListenerKind[] => [
      'admin',
      ...Array.from({ length: sockets + ports }, () => 'callers' as const),
      ...Array.from({ length: proxies }, () => 'proxy' as const),
      ...Array.from({ length: notified }, () => 'notifications' as const),
    ]);

  it('are enough for every connection that all listeners of a process and its proxy may have', () => {
    fc.assert(
      fc.property(listeners, fc.integer({ min: 96, max: 8192 }), (all, descriptors) => {
        const limits = shareOut(all, descriptors);
        const most = all.reduce((sum, kind) => sum + costs[kind] * limits[kind].connections, 0);
        assert.ok(own + most <= descriptors, `${own + most} of ${descriptors}`);
        assert.ok(all.every((kind) => limits[kind].connections >= (kind === 'admin' ? 4 : 1)));
      }),
    );
  });

  it('are the callers’ first where there are few: strangers get a quarter at most', () => {
    for (const descriptors of [64, 128, 256]) {
      const { admin, callers } = shareOut(['admin', 'callers'], descriptors);
      assert.ok(4 * admin.connections <= admin.connections + callers.connections, String(descriptors));
      assert.ok(own + admin.connections + callers.connections <= descriptors, String(descriptors));
    }
  });

  it('that one kind of listener cannot use are the others’', () => {
    const { admin, callers, proxy } = shareOut(['admin', 'callers', 'proxy'], 1024);
    assert.equal(admin.connections, 64);
    assert.ok(own + 64 + callers.connections + 2 * proxy.connections >= 1020);
  });

  it('do not matter where there are many', () => {
    const { admin, callers, proxy } = shareOut(['admin', 'callers', 'proxy'], Infinity);
    assert.deepEqual([admin, callers, proxy].map(({ connections }) => connections), [64, 4096, 2048]); // prettier-ignore
  });
});
