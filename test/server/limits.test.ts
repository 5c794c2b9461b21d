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
import { createHttpServer } from '../../src/server/closable.ts';
import { type Limits, limitsOf } from '../../src/server/limits.ts';
import { exchange } from '../support/http-client.ts';

const directory = await mkdtemp(join(tmpdir(), 'paycert-'));
after(() => rm(directory, { recursive: true }));
let count = 0;

const kinds = { admin: limitsOf('admin', 1024), callers: limitsOf('callers', 1024), proxy: limitsOf('proxy', 1024) };

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
] as const;

for (const [place, limits, onSocket] of places) {
  describe(place, { timeout: 60_000 }, () => {
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

describe('the admin port, full of strangers', { timeout: 60_000 }, () => {
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

describe('the callers’ listener, full', { timeout: 60_000 }, () => {
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

describe('few file descriptors', () => {
  it('are kept for callers: strangers get a quarter, and every listener some', () => {
    for (const descriptors of [0, 32, 64, 128, 256, 1024, Infinity]) {
      const [admin, callers] = [
        limitsOf('admin', descriptors).connections,
        limitsOf('callers', descriptors).connections,
      ];
      assert.ok(admin >= 4 && callers > admin, String(descriptors));
      // The admin port, the socket and the port of the API, beside what the process opens itself.
      if (descriptors >= 64)
        assert.ok(admin + 2 * callers + 48 <= Math.max(descriptors, 64) || descriptors === Infinity);
    }
    assert.deepEqual([limitsOf('admin', Infinity).connections, limitsOf('callers', Infinity).connections], [64, 4096]);
  });

  it('leave a caller of the proxy one for itself and one for its platform', () => {
    for (const descriptors of [0, 64, 256, 1024]) {
      const [proxy, callers] = [
        limitsOf('proxy', descriptors).connections,
        limitsOf('callers', descriptors).connections,
      ];
      assert.ok(proxy >= 2 && 2 * proxy <= callers, String(descriptors));
    }
    assert.equal(limitsOf('proxy', Infinity).connections, 2048);
  });
});
