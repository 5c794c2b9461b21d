// Partners through the proxy: requests signed again with the secret or the key of that moment, for the partner's host alone.
import assert from 'node:assert/strict';
import { constants, createHmac, generateKeyPairSync, verify } from 'node:crypto';
import { describe, it, type TestContext } from 'node:test';
import { hmac } from '../../../src/providers/hmac/provider.ts';
import { pss } from '../../../src/providers/pss/provider.ts';
import type { Provider } from '../../../src/providers/provider.ts';
import type { PlatformConfig } from '../../../src/providers/registry.ts';
import { schemes, type Scheme } from '../../../src/providers/hmac/schemes.ts';
import { start as now } from '../../support/api-server.ts';
import { flatten } from '../../support/flatten.ts';
import { shopAt, startProxied } from '../../support/proxied.ts';
import { startRawPlatform } from '../../support/raw-platform.ts';

const secret = 's'.repeat(40);
const filesOf = (texts: Readonly<Record<string, string>>) =>
  new Map(Object.entries(texts).map(([name, text]) => [name, Buffer.from(text)]));

async function serve(t: TestContext, config: PlatformConfig, texts: Readonly<Record<string, string>>) {
  const platform = await startRawPlatform(t);
  platform.respond('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}');
  const shop = shopAt(config);
  const proxied = await startProxied(t, { material: { files: filesOf(texts) }, shop, double: platform.origin });
  return { platform, proxied, host: new URL(platform.origin).host };
} // prettier-ignore

/** The partner's side: a credential of its own with the same secret, or with our public key. */
async function partner(provider: Provider, texts: Readonly<Record<string, string>>) {
  const { verify: accept, problems } = flatten(await provider.load(filesOf(texts)));
  assert.ok(accept && problems.length === 0);
  return accept;
}

const origin = 'https://partner.example';
const form = { 'Content-Type': 'application/x-www-form-urlencoded' };

describe('a request to a partner with a shared secret', () => {
  for (const scheme of Object.keys(schemes) as Scheme[])
    for (const method of ['GET', 'POST'] as const)
      it(`is accepted by that partner: scheme ${scheme}, ${method}`, async (t) => {
        const config = { hmac: { keyId: 'shop-1', scheme, origin } } as const;
        const { platform, proxied } = await serve(t, config, { key: secret });
        const { names } = schemes[scheme];
        const own = { [names.keyId]: 'shop-1', [names.timestamp]: '1', [names.nonce]: 'theirs', ...(names.signature && { [names.signature]: 'theirs' }) }; // prettier-ignore
        const sent = new URLSearchParams({ amount: '100', note: '手 机/+', ...own }).toString();
        const { status, headers } = await proxied.call({
          method,
          path: `/shop/v1/pay${method === 'GET' ? `?${sent.replaceAll('+', '%20')}` : ''}`,
          headers: { ...form, Authorization: 'Signature theirs', 'X-Order': '1' },
          ...(method === 'POST' && { body: sent }),
        });
        assert.deepEqual([status, headers['paycert-verified'], headers['paycert-outcome']], [200, 'none', 'ok']);
        const [request] = platform.requests;
        assert.ok(request);
        const [, url = ''] = request.line.split(' ');
        const accept = await partner(hmac(config.hmac), { key: secret });
        const http = { kind: 'notification' as const, headers: request.headers, body: request.body, url };
        await accept(scheme === 'request' ? { ...http, method } : http, now);
        const arrived = new URLSearchParams(method === 'GET' ? url.split('?')[1] : request.body.toString());
        assert.deepEqual([arrived.get('note'), arrived.get('amount'), request.headers['x-order']], ['手 机/+', '100', '1']);
        assert.notEqual(arrived.get(names.nonce), 'theirs');
      }); // prettier-ignore

  it('is signed with the secret of that moment, as the scheme says in plain words', async (t) => {
    const { platform, proxied } = await serve(t, { hmac: { keyId: 'shop-1', scheme: 'sorted', origin } }, { key: secret }); // prettier-ignore
    const next = 'n'.repeat(40);
    assert.equal(await proxied.load('shop', filesOf({ key: next, 'key.previous': secret })), undefined);
    await proxied.call({ path: '/shop/v1/pay', headers: form, body: 'b=2&a=1' });
    const { signature, ...rest } = Object.fromEntries(new URLSearchParams(platform.requests[0]?.body.toString()));
    const text = Object.entries(rest).map((pair) => pair.join('=')).sort().join('&'); // prettier-ignore
    assert.equal(signature, createHmac('sha256', next).update(text).digest('hex'));
  });

  for (const [what, call, field] of [
    ['names another key', { path: '/shop/pay', headers: form, body: 'app_id=shop-2' }, 'app_id'],
    ['has a parameter in its address and in its form', { path: '/shop/pay?a=1', headers: form, body: 'a=2' }, 'parameters'],
    ['has a body that is no form', { path: '/shop/pay', body: '{"a":1}' }, 'headers.content-type'],
    ['has a + in its address', { path: '/shop/pay?a=1+2' }, 'url'],
  ] as const)
    it(`that ${what} is refused by name, and nothing is sent`, async (t) => {
      const { platform, proxied } = await serve(t, { hmac: { keyId: 'shop-1', scheme: 'sorted', origin } }, { key: secret }); // prettier-ignore
      const { status, problem } = await proxied.call(call);
      assert.deepEqual([status, problem?.field, problem?.outcome, platform.requests.length], [400, field, 'refused', 0]);
    }); // prettier-ignore
});

describe('a request to a partner that has our public key', () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = { private: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), public: publicKey.export({ type: 'spki', format: 'pem' }).toString() }; // prettier-ignore
  const config = { pss: { appId: 'shop-1', origin } } as const;
  const material = { 'private_key.pem': pem.private };

  it('arrives byte for byte, under a signature over its path, query, host and body', async (t) => {
    const { platform, proxied, host } = await serve(t, config, material);
    const body = '{"b": 1, "a":"手机"}';
    const headers = { 'Content-Type': 'application/json', 'X-App-Id': 'shop-1', 'X-Ts': '1', 'X-Nonce': 'theirs', 'X-Signature': 'theirs' }; // prettier-ignore
    const { status } = await proxied.call({ method: 'PUT', path: '/shop/v1/a%20b?z=1&a=%E5', headers, body });
    const [request] = platform.requests;
    assert.ok(status === 200 && request);
    assert.deepEqual([request.line, request.body.toString()], ['PUT /v1/a%20b?z=1&a=%E5 HTTP/1.1', body]);
    const { 'x-ts': time = '', 'x-nonce': nonce = '', 'x-signature': signature = '' } = request.headers;
    const text = `PUT\n/v1/a%20b\na=%E5&z=1\nhost: ${host}\nx-ts: ${time}\nx-nonce: ${nonce}\n${body}`;
    const padding = { key: publicKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
    assert.ok(verify('sha256', Buffer.from(text), padding, Buffer.from(signature, 'base64')));
    assert.deepEqual([request.headers['host'], nonce === 'theirs'], [host, false]);
    const accept = await partner(pss({ appId: 'them' }), { 'public_key.pem': pem.public });
    await accept({ kind: 'notification', headers: request.headers, body: request.body, url: '/v1/a%20b?z=1&a=%E5', method: 'PUT' }, now);
  }); // prettier-ignore

  it('that names another app is refused by name, and nothing is sent', async (t) => {
    const { platform, proxied } = await serve(t, config, material);
    const { status, problem } = await proxied.call({ path: '/shop/v1/pay', headers: { 'X-App-Id': 'shop-2' } });
    assert.deepEqual([status, problem?.field, platform.requests.length], [400, 'headers.x-app-id', 0]);
  });
});

describe('a partner', () => {
  it('is sent nothing twice, whatever the method and the response', async (t) => {
    const { platform, proxied } = await serve(t, { hmac: { keyId: 'shop-1', scheme: 'sorted', origin } }, { key: secret }); // prettier-ignore
    for (const response of ['', 'HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n']) {
      platform.respond(response);
      await proxied.call({ path: '/shop/v1/orders' });
    }
    assert.equal(platform.requests.length, 2);
  });

  it('whose address nothing says is refused, and the refusal says where to write it', async (t) => {
    const shop = shopAt({ hmac: { keyId: 'shop-1', scheme: 'sorted' } });
    const proxied = await startProxied(t, { material: { files: filesOf({ key: secret }) }, shop, double: '', routes: [{ credential: 'shop' }] }); // prettier-ignore
    const { status, problem } = await proxied.call({ path: '/shop/v1/pay' });
    assert.deepEqual([status, problem?.title], [403, 'route-refused']);
    assert.match(problem?.detail ?? '', /set `origin` under `provider`/);
  });
});
