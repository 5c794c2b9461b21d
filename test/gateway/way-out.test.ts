// The proxy on the way out: which hosts it is for, and what is known when it opens no tunnel.
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { NoResponse, openConnections } from '../../src/gateway/connections.ts';
import { goesDirect, type WayOut } from '../../src/gateway/way-out.ts';
import { startRawPlatform } from '../support/raw-platform.ts';
import { startProxy, tunnelTo } from '../support/tunnels.ts';

const outgoing = { method: 'POST', target: '/v3/x', headers: { 'X-A': '1' }, body: Buffer.from('{}') };

/** In clear text, which platforms never are: what a tunnel carries is then visible here. */
async function send(t: TestContext, wayOut: WayOut, origin = 'http://platform.example') {
  const connections = await openConnections(wayOut);
  t.after(() => connections.close());
  return connections.send(origin, outgoing, { signal: new AbortController().signal });
}

const notSent = (code: string) => (error: unknown) =>
  error instanceof NoResponse && !error.mayHaveLeft && error.code === code;

describe('a call through the proxy on the way out', () => {
  it('reaches a host whose name only the proxy knows, exactly as it was to be sent', async (t) => {
    const platform = await startRawPlatform(t);
    platform.respond('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    const proxy = await startProxy(t, tunnelTo(Number(new URL(platform.origin).port)));
    const { status } = await send(t, { proxy: proxy.address });
    assert.equal(status, 200);
    assert.deepEqual(proxy.asked, [{ target: 'platform.example:80', authorization: undefined }]);
    const [{ line, headers, body } = assert.fail()] = platform.requests;
    assert.deepEqual([line, headers['host'], body.toString()], ['POST /v3/x HTTP/1.1', 'platform.example', '{}']);
  });

  it('names its user, as the file has it at each tunnel', async (t) => {
    const platform = await startRawPlatform(t);
    platform.respond('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    const proxy = await startProxy(t, tunnelTo(Number(new URL(platform.origin).port)));
    const passwords = ['first', 'second'];
    const wayOut = { proxy: proxy.address, user: () => Promise.resolve(`shop:${passwords.shift()}`) };
    const connections = await openConnections(wayOut);
    t.after(() => connections.close());
    const signal = new AbortController().signal;
    for (let call = 0; call < 2; call += 1) {
      const { body } = await connections.send('http://platform.example:8443', outgoing, { signal, isFresh: true });
      await body.stream().toArray();
    }
    const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
    assert.deepEqual(proxy.asked, [
      { target: 'platform.example:8443', authorization: basic('shop:first') },
      { target: 'platform.example:8443', authorization: basic('shop:second') },
    ]);
  });

  it('has sent nothing where the proxy refuses, speaks out of turn or is not there', async (t) => {
    for (const [said, code] of [
      ['HTTP/1.1 407 Proxy Authentication Required\r\n\r\n', 'PROXY_407'],
      ['HTTP/1.1 502 Bad Gateway\r\n\r\n', 'PROXY_502'],
      ['HTTP/1.1 302 Found\r\nLocation: http://elsewhere.example\r\n\r\n', 'PROXY_302'],
      ['HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n\r\n', 'PROXY_EARLY_BYTES'],
      [`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(9000)}\r\n\r\n`, 'PROXY_HPE_HEADER_OVERFLOW'],
    ] as const) {
      const proxy = await startProxy(t, (client) => client.end(said));
      await assert.rejects(send(t, { proxy: proxy.address }), notSent(code), code);
      assert.equal(proxy.asked.length, 1);
    }
    await assert.rejects(send(t, { proxy: 'http://127.0.0.1:1' }), notSent('PROXY_ECONNREFUSED'));
  });

  it('has sent nothing where its user cannot be read', async (t) => {
    const proxy = await startProxy(t, () => assert.fail());
    const user = () => Promise.reject(Object.assign(new Error(), { code: 'source-unreadable' }));
    await assert.rejects(send(t, { proxy: proxy.address, user }), notSent('source-unreadable'));
  });
});

describe('a host that is called without the proxy', () => {
  const direct: readonly [origin: string, noProxy: readonly string[]][] = [
    ['http://localhost:8080', []],
    ['http://127.0.0.1:9000', []],
    ['https://partner.example', ['partner.example']],
    ['https://api.partner.example', ['partner.example']],
    ['https://api.partner.example', ['.partner.example']],
    ['https://api.partner.example', ['*.partner.example']],
    ['https://api.partner.example', ['other.example', 'partner.example:443']],
    ['https://partner.example:8443', ['partner.example:8443']],
    ['https://api.mch.weixin.qq.com', ['*']],
  ];
  for (const [origin, noProxy] of direct)
    it(`is ${origin} for ${JSON.stringify(noProxy)}`, () => assert.ok(goesDirect(origin, noProxy)));

  const through: readonly [origin: string, noProxy: readonly string[]][] = [
    ['https://api.mch.weixin.qq.com', []],
    ['https://badpartner.example', ['partner.example']],
    ['https://partner.example', ['api.partner.example']],
    ['https://partner.example', ['partner.example:8443']],
    ['https://partner.example.evil.example', ['partner.example']],
    ['https://localhost.example', []],
  ];
  for (const [origin, noProxy] of through)
    it(`is not ${origin} for ${JSON.stringify(noProxy)}`, () => assert.ok(!goesDirect(origin, noProxy)));
});
