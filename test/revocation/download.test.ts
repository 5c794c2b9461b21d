// A download of a list: where it may lead, and that each connection is asked, not only the first.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, BlockList } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { refusedAddresses, refusedThoughConfigured } from '../../src/revocation/addresses.ts';
import { download, type Refused } from '../../src/revocation/download.ts';

const limits = { maxBytes: 1000, signal: new AbortController().signal };
const asConfigured = (): Refused => ({ configured: refusedThoughConfigured(), others: refusedAddresses() });

/** Serves `list` at /list, and redirects everything else to where `next` says. */
async function serve(t: TestContext, next: (path: string) => string = () => '/list', host = '127.0.0.1') {
  const state = { asked: [] as string[] };
  const server = createServer(({ url = '' }, response) => {
    state.asked.push(url);
    if (url === '/list') response.end('list');
    else response.writeHead(302, { Location: next(url) }).end();
  });
  server.listen(0, host);
  await once(server, 'listening');
  t.after(() => server.close().closeAllConnections());
  return { ...state, origin: `http://${host}:${(server.address() as AddressInfo).port}` };
}

const textOf = async (url: string, refused = asConfigured()) => (await download(url, refused, limits))?.toString();

describe('a list that the configuration names', () => {
  it('may be on this pod itself, which a user configures on purpose', async (t) => {
    const { origin } = await serve(t);
    assert.equal(await textOf(`${origin}/list`), 'list');
  });

  it('is none where the server switches to another protocol', async (t) => {
    const server = createServer(({ socket }) => {
      socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: other\r\n\r\n');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close().closeAllConnections());
    assert.equal(await textOf(`http://127.0.0.1:${(server.address() as AddressInfo).port}/list`), undefined);
  });

  it('is on no metadata service', async () => {
    for (const host of ['169.254.169.254', '100.100.100.200', '168.63.129.16', '192.0.0.192', '[fd00:ec2::254]'])
      assert.equal(await textOf(`http://${host}/list`), undefined, host);
  });
});

describe('a response that is large', () => {
  it('is read on when it may be, and never where that is refused', async (t) => {
    const server = createServer((_, response) => response.end(Buffer.alloc(500_000))).listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close().closeAllConnections());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    let waited = 0;
    const get = (bytes: number, wait: () => Promise<void>) =>
      download(url, asConfigured(), { ...limits, maxBytes: 1_000_000, large: { bytes, wait } });
    const count = () => Promise.resolve(void (waited += 1));
    assert.equal((await get(100_000, count))?.length, 500_000);
    assert.equal(waited, 1);
    assert.equal((await get(500_000, count))?.length, 500_000);
    assert.equal(waited, 1);
    const late = AbortSignal.abort(new DOMException('late', 'TimeoutError'));
    assert.equal(await get(100_000, async () => late.throwIfAborted()), undefined);
  });
});

describe('a redirect', () => {
  it('that stays with the host is followed, three times at most', async (t) => {
    const count = (path: string): string => {
      const left = Number(path.slice(1)) - 1;
      return left === 0 ? '/list' : `/${left}`;
    };
    const three = await serve(t, count);
    assert.equal(await textOf(`${three.origin}/3`), 'list');
    const four = await serve(t, count);
    assert.equal(await textOf(`${four.origin}/4`), undefined);
    assert.deepEqual(four.asked, ['/4', '/3', '/2', '/1']);
  });

  it('to this pod is not followed, however its address is written', async (t) => {
    const victim = await serve(t);
    const { port } = new URL(victim.origin);
    const hosts = ['127.0.0.1', 'localhost', '127.1', '2130706433', '0x7f000001', '0.0.0.0', '[::1]', '[::]', '[::ffff:127.0.0.1]', '[64:ff9b::7f00:1]', '127.255.0.9']; // prettier-ignore
    for (const host of hosts) {
      const { origin } = await serve(t, () => `http://${host}:${port}/list`);
      assert.equal(await textOf(`${origin}/`), undefined, host);
    }
    assert.deepEqual(victim.asked, []);
  });

  it('to a metadata service is not followed, however its address is written', async (t) => {
    const hosts = ['169.254.169.254', '169.254.170.2', '0xa9fea9fe', '2852039166', '[::ffff:169.254.169.254]', '[64:ff9b::a9fe:a9fe]', '[fe80::a9fe:a9fe]', '100.100.100.200', '168.63.129.16', '192.0.0.192', '[fd00:ec2::254]']; // prettier-ignore
    for (const host of hosts) {
      const { origin } = await serve(t, () => `http://${host}/latest/meta-data/`);
      assert.equal(await textOf(`${origin}/`), undefined, host);
    }
  });

  it('is asked for its address at each connection, and not only at the first', async (t) => {
    const third = await serve(t, undefined, '127.0.0.3');
    const second = await serve(t, () => `${third.origin}/list`, '127.0.0.2');
    const { origin } = await serve(t, () => `${second.origin}/`);
    const none = new BlockList();
    assert.equal(await textOf(`${origin}/`, { configured: none, others: none }), 'list');
    const others = new BlockList();
    others.addAddress('127.0.0.3');
    assert.equal(await textOf(`${origin}/`, { configured: none, others }), undefined);
    assert.deepEqual([second.asked.length, third.asked.length], [2, 1]);
  });

  it('to another scheme, with a password, or to nothing that is an address is not followed', async (t) => {
    const others = new BlockList();
    for (const location of [
      'file:///etc/passwd',
      'ftp://127.0.0.1/list',
      'http://user:pass@127.0.0.1/list',
      'http://',
    ]) {
      const { origin } = await serve(t, () => location);
      assert.equal(await textOf(`${origin}/`, { configured: others, others }), undefined, location);
    }
  });
});
