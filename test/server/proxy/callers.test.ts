// Who may call the proxy, and for what: programs of this machine that know the token, and the routes that are allowed.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, it, type TestContext } from 'node:test';
import { startWechatpayGateway } from '../../../src/testing/wechatpay-gateway.ts';
import type { ProxyRoute } from '../../../src/server/proxy/allowed.ts';
import { makeMaterial, start } from '../../support/api-server.ts';
import { type Call, exchange } from '../../support/http-client.ts';
import { startProxied, token, wechatpayPolicy } from '../../support/proxied.ts';

const material = await makeMaterial();

async function serve(t: TestContext, routes?: readonly ProxyRoute[]) {
  const platform = await startWechatpayGateway({ now: () => start });
  t.after(() => platform.close());
  platform.admit(material);
  const proxied = await startProxied(t, { material, double: platform.url, ...(routes && { routes }) });
  const overTcp = async (call: Call) => {
    const answer = await exchange(proxied.tcp, call);
    const { title } = answer.status >= 400 ? (JSON.parse(answer.text) as { title?: string }) : {};
    return { ...answer, title };
  };
  return { platform, proxied, overTcp };
}

const path = '/shop/v3/certificates';
const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

describe('a caller over TCP', () => {
  it('shows the token in a header of its own, as a proxy’s, or in the path', async (t) => {
    const { overTcp, platform } = await serve(t);
    const calls: Call[] = [
      { path, headers: { 'Paycert-Token': token } },
      { path, headers: { 'Proxy-Authorization': `Bearer ${token}` } },
      { path, headers: { 'Proxy-Authorization': `bearer ${token}`, Authorization: 'WECHATPAY2-SHA256-RSA2048 x' } },
      { path, headers: { 'Proxy-Authorization': basic(`shop:${token}`) } },
      { path, headers: { 'Proxy-Authorization': basic(`:${token}`) } },
      { path: `/~${token}${path}` },
      { path: `/~${encodeURIComponent(token).replace('a', '%61')}${path}` },
    ];
    for (const call of calls) assert.equal((await overTcp(call)).status, 200, JSON.stringify(call));
    assert.equal(platform.counts.accepted, calls.length);
  });

  it('without it, or with another, is refused before anything is read', async (t) => {
    const { overTcp, platform } = await serve(t);
    const calls: Call[] = [
      { path },
      { path, headers: { Authorization: `Bearer ${token}` } },
      { path, headers: { 'Paycert-Token': `${token}x` } },
      { path, headers: { 'Paycert-Token': '' } },
      { path, headers: { 'Proxy-Authorization': token } },
      { path, headers: { 'Proxy-Authorization': basic(`shop:${token}x`) } },
      { path, headers: { 'Proxy-Authorization': basic(token) } },
      { path, headers: { 'Proxy-Authorization': `Basic ${token}` } },
      { path: `/~${token}x${path}` },
      { path: `/~${path}` },
      { path: `/~%zz${path}` },
      { path: `/~${token}` },
    ];
    for (const call of calls) {
      const { status, title, headers } = await overTcp(call);
      // Clients that send a password only when they are asked for one look for Basic.
      assert.deepEqual(
        [status, title, headers['proxy-authenticate']],
        [407, 'proxy-token-required', 'Basic realm="paycert", Bearer'],
        call.path,
      );
    }
    assert.deepEqual([platform.counts.accepted, platform.counts.refused], [0, 0]);
  });

  it('that is a browser, was forwarded, or names another host is refused, with the token too', async (t) => {
    const { overTcp, platform } = await serve(t);
    for (const headers of [
      { Origin: 'http://localhost:3000' },
      { Origin: 'null' },
      { 'X-Forwarded-For': '10.0.0.1' },
      { Forwarded: 'for=10.0.0.1' },
      { Host: 'api.mch.weixin.qq.com' },
      { Host: 'rebound.example.com:8011' },
    ]) {
      const { status, title } = await overTcp({ path, headers: { ...headers, 'Paycert-Token': token } });
      assert.deepEqual([status, title], [403, 'request-forwarded'], JSON.stringify(headers));
    }
    assert.equal(platform.counts.accepted, 0);
  });

  it('that wants a tunnel is told what to configure instead', async (t) => {
    const { proxied } = await serve(t);
    const port = Number(proxied.tcp.split(':').at(-1));
    for (const target of [port, proxied.socket]) {
      const socket = typeof target === 'number' ? connect(target, '127.0.0.1') : connect(target);
      socket.write('CONNECT api.mch.weixin.qq.com:443 HTTP/1.1\r\nHost: api.mch.weixin.qq.com:443\r\n\r\n\x16\x03\x01');
      const answer = await text(socket);
      assert.match(answer, /^HTTP\/1\.1 405 Method Not Allowed\r\n/);
      assert.match(answer, /"title":"connect-refused"/);
      assert.match(answer, /base URL/);
    }
  });
});

describe('a refusal', () => {
  it('says that nothing was sent, whatever it is that refuses', async (t) => {
    const { proxied, overTcp, platform } = await serve(t);
    const shown = { 'Paycert-Token': token };
    const refused: readonly Call[] = [
      { path },
      { path, headers: { ...shown, Origin: 'null' } },
      { path: '/nobody/v3/certificates', headers: shown },
      { path: '/', headers: shown },
      { path, method: 'OPTIONS', headers: shown },
      { path: 'http://169.254.169.254/x', headers: { ...shown, Host: '169.254.169.254' } },
      { path: '/shop/v3/x', body: 'x'.repeat(1024 * 1024 + 1), headers: shown },
      { path: '/shop/secapi', headers: shown },
    ];
    for (const call of refused) {
      const { status, headers, text } = await overTcp(call);
      const { outcome } = JSON.parse(text) as { readonly outcome?: string };
      const said = [headers['paycert-outcome'], headers['paycert-attempts'], outcome];
      assert.deepEqual(said, ['refused', '0', 'refused'], `${String(status)} ${text}`);
    }
    const unready = await proxied.call({ path: '/nobody/v3/certificates' });
    assert.equal(unready.problem?.outcome, 'refused');
    assert.equal(platform.counts.accepted, 0);
  });

  it('of a path with an empty segment names it, and not what is allowed', async (t) => {
    const { proxied } = await serve(t);
    // A base URL with a slash at its end, and a path that begins with one.
    const { status, problem } = await proxied.call({ path: '/shop//v3/certificates' });
    assert.deepEqual([status, problem?.title, problem?.field], [400, 'request-invalid', 'url']);
    assert.match(problem?.detail ?? '', /empty/);
  });

  it('names the calls that are allowed, the first of them where they are many', async (t) => {
    const allow = ['GET /v3/certificates', 'POST /v3/pay/*'];
    const { proxied } = await serve(t, [{ credential: 'shop', double: 'http://127.0.0.1:9', allow }]);
    const { problem } = await proxied.call({ path: '/shop/v3/refund' });
    assert.equal(
      problem?.detail,
      'GET of this path is not among what is allowed: GET /v3/certificates, POST /v3/pay/*',
    );
    const many = Array.from({ length: 9 }, (_, at) => `GET /v3/${String(at)}`);
    const other = await serve(t, [{ credential: 'shop', double: 'http://127.0.0.1:9', allow: many }]);
    const answer = await other.proxied.call({ path: '/shop/v3/refund' });
    assert.match(answer.problem?.detail ?? '', /allowed: GET \/v3\/0, .*GET \/v3\/4, …$/);
  });

  it('of a body that is too large names the limit of this listener', async (t) => {
    const { proxied } = await serve(t);
    const { problem } = await proxied.call({ path: '/shop/v3/x', body: 'x'.repeat(1024 * 1024 + 1) });
    assert.match(problem?.hint ?? '', /`proxy\.maxBodyBytes`/);
  });
});

describe('a call', () => {
  it('of a credential that is unknown, not loaded or of no platform that is forwarded is told so', async (t) => {
    const { proxied } = await serve(t, undefined);
    const verdict = async (name: string) => {
      const { status, problem } = await proxied.call({ path: `/${name}/v3/certificates` });
      return [status, problem?.title];
    };
    assert.deepEqual(await verdict('nobody'), [404, 'credential-unknown']);
    const open = await startProxied(t, {
      material,
      double: '',
      routes: [{ credential: 'other' }, { credential: 'empty' }],
    });
    open.store.declare('empty', { provider: 'wechatpay', isRequired: false, requires: [], ...wechatpayPolicy });
    const answers = await Promise.all(
      ['other', 'empty'].map((name) => open.call({ path: `/${name}/v3/certificates` })),
    );
    assert.deepEqual(
      answers.map(({ status, problem }) => [status, problem?.title]),
      [
        [404, 'operation-unsupported'],
        [503, 'credential-not-loaded'],
      ],
    );
  });

  it('outside the platform’s API is refused, whatever its method', async (t) => {
    const { proxied, platform } = await serve(t);
    for (const outside of ['/shop/secapi/pay/refund', '/shop/', '/shop/v3', '/shop/V3/certificates']) {
      const { status, problem } = await proxied.call({ path: outside });
      assert.deepEqual([status, problem?.title], [403, 'route-refused'], outside);
    }
    assert.equal(platform.counts.accepted, 0);
  });

  it('goes where the configuration allows, and nowhere else', async (t) => {
    const platform = await startWechatpayGateway({ now: () => start });
    t.after(() => platform.close());
    platform.admit(material);
    const routes = [{ credential: 'shop', double: platform.url, allow: ['GET /v3/certificates', 'POST /v3/pay/*'] }];
    const proxied = await startProxied(t, { material, double: platform.url, routes });
    const statusOf = async (call: Call) => (await proxied.call(call)).status;
    const body = '{"mchid":"1900000001"}';
    assert.equal(await statusOf({ path }), 200);
    assert.equal(await statusOf({ path: `${path}?algorithm_type=RSA` }), 200);
    assert.equal(await statusOf({ path: '/shop/v3/pay/transactions/jsapi', body }), 200);
    assert.equal(await statusOf({ path: '/shop/v3/certificates/x' }), 403);
    assert.equal(await statusOf({ path: '/shop/v3/pay/transactions/jsapi' }), 403);
    assert.equal(await statusOf({ path: '/shop/v3/refund', body }), 403);
    assert.equal(await statusOf({ path: '/other/v3/certificates' }), 403);
  });

  it('never leaves for an origin that is not the platform’s', async (t) => {
    const routes = [{ credential: 'shop', origin: 'https://api.mch.weixin.qq.com.example.com' }];
    const proxied = await startProxied(t, { material, double: '', routes });
    const { status, problem } = await proxied.call({ path });
    assert.deepEqual([status, problem?.title], [403, 'route-refused']);
  });

  it('whose path begins with no credential is told how the base URL is written', async (t) => {
    const { proxied } = await serve(t);
    for (const target of ['/', '*', '/shop', '/v3']) {
      const { status, problem } = await proxied.call({ path: target, method: 'GET' });
      assert.deepEqual([status, problem?.title], [404, 'route-unknown'], target);
      assert.match(problem?.detail ?? '', /base URL/);
    }
  });

  it('that is larger than it may be is refused, and so is a method that no platform has', async (t) => {
    const { proxied } = await serve(t);
    const { status, problem } = await proxied.call({ path: '/shop/v3/x', body: 'x'.repeat(1024 * 1024 + 1) });
    assert.deepEqual([status, problem?.title], [413, 'body-too-large']);
    const head = await proxied.call({ path, method: 'OPTIONS' });
    assert.deepEqual([head.status, head.problem?.title], [405, 'method-not-allowed']);
  });
});

describe('a call in absolute form, as to an HTTP proxy', () => {
  const address = 'http://api.mch.weixin.qq.com/v3/certificates';
  const shown = { 'Paycert-Token': token, Host: 'api.mch.weixin.qq.com' };

  it('finds its credential by the platform’s host, with http and https, and is signed as any other', async (t) => {
    const { overTcp, proxied, platform } = await serve(t);
    for (const target of [address, address.replace('http:', 'https:'), address.replace('.com/', '.com:443/')]) {
      const host = new URL(target.replace('https:', 'http:')).host;
      const { status, headers } = await overTcp({ path: target, headers: { ...shown, Host: host } });
      assert.deepEqual([status, headers['paycert-verified']], [200, 'yes'], target);
    }
    assert.equal((await proxied.call({ path: address })).status, 200);
    assert.equal(platform.counts.accepted, 4);
  });

  it('names the credential where several have that platform', async (t) => {
    const { proxied } = await serve(t);
    proxied.store.declare('second', { provider: 'wechatpay', isRequired: false, requires: [], ...wechatpayPolicy });
    const verdict = async (headers: Record<string, string>) => {
      const { status, problem } = await proxied.call({ path: address, headers });
      return [status, problem?.field ?? problem?.title];
    };
    assert.deepEqual(await verdict({}), [400, 'paycert-credential']);
    assert.deepEqual(await verdict({ 'Paycert-Credential': 'nobody' }), [400, 'paycert-credential']);
    assert.deepEqual(await verdict({ 'Paycert-Credential': 'shop' }), [200, undefined]);
  });

  it('to any other host, port or address is refused, with the token too', async (t) => {
    const { overTcp, proxied, platform } = await serve(t);
    for (const target of [
      'http://169.254.169.254/latest/meta-data',
      'http://127.0.0.1:9464/metrics',
      'http://api.mch.weixin.qq.com.example.com/v3/certificates',
      'http://api.mch.weixin.qq.com:8443/v3/certificates',
      'http://API.ALIPAY.COM/v3/certificates',
    ]) {
      const { host } = new URL(target);
      const { status, title } = await overTcp({ path: target, headers: { ...shown, Host: host } });
      assert.deepEqual([status, title], [403, 'route-refused'], target);
    }
    for (const target of ['http://user@api.mch.weixin.qq.com/v3/certificates', 'http://api.mch.weixin.qq.com'])
      assert.equal((await proxied.call({ path: target })).status, 404, target);
    assert.equal(platform.counts.accepted, 0);
  });

  it('whose Host is another than its address, or without the token, is refused', async (t) => {
    const { overTcp } = await serve(t);
    const other = await overTcp({ path: address, headers: { ...shown, Host: 'rebound.example.com' } });
    assert.deepEqual([other.status, other.title], [403, 'request-forwarded']);
    const open = await overTcp({ path: address, headers: { Host: shown.Host } });
    assert.deepEqual([open.status, open.title], [407, 'proxy-token-required']);
  });
});
