// The doubles of partners accept what paycert signs, refuse what others do, and misbehave by the same words as every other.
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { schemes, type Scheme } from '../../src/providers/hmac/schemes.ts';
import { type HmacAccount, startHmacPartner, startPssPartner } from '../../src/testing/index.ts';
import { generateKeyPair, toPkcs8Pem, toSpkiPem } from '../../src/testing/key-pair.ts';
import { start as now } from '../support/api-server.ts';
import { shopAt, startProxied } from '../support/proxied.ts';

const secret = 's'.repeat(40);
const origin = 'https://partner.example';
const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
const filesOf = (texts: Readonly<Record<string, string>>) =>
  new Map(Object.entries(texts).map(([name, text]) => [name, Buffer.from(text)]));

async function serve(t: TestContext, account: HmacAccount) {
  const partner = await startHmacPartner({ account, now: () => now, respond: ({ url }) => ({ asked: url.split('?')[0] }) });
  t.after(() => partner.close());
  const { secret: _, ...options } = account;
  const shop = shopAt({ hmac: { ...options, origin } });
  const proxied = await startProxied(t, { material: { files: filesOf({ key: secret }) }, shop, double: partner.url });
  return { partner, proxied };
} // prettier-ignore

describe('a partner with a shared secret', () => {
  for (const scheme of Object.keys(schemes) as Scheme[])
    for (const slash of ['keep', 'encode'] as const)
      it(`takes what is signed by ${scheme} (${slash} slashes), in the address or in a form`, async (t) => {
        const { partner, proxied } = await serve(t, { keyId: 'shop-1', scheme, secret, slash });
        const sent = new URLSearchParams({ note: "手 机/+~*'", amount: '100', empty: '' }).toString();
        for (const call of [
          { path: `/shop/v1/pay?${sent.replaceAll('+', '%20')}` },
          { path: '/shop/v1/pay', headers: form, body: sent },
        ]) {
          const { status, text } = await proxied.call(call);
          assert.deepEqual([status, text], [200, '{"asked":"/v1/pay"}']);
        }
        assert.deepEqual(partner.counts, { accepted: 2, refused: 0 });
        assert.deepEqual(partner.received.map(({ method }) => method), ['GET', 'POST']);
        partner.admit({ keyId: 'shop-1', scheme, secret: 'n'.repeat(40), slash });
        const { status, text } = await proxied.call({ path: '/shop/v1/pay', headers: form, body: sent });
        assert.deepEqual([status, (JSON.parse(text) as { code: string }).code], [401, 'INVALID_SIGNATURE']);
      }); // prettier-ignore

  it('refuses what has nothing, another key, another time and what it has had, each by its code', async (t) => {
    const { partner, proxied } = await serve(t, { keyId: 'shop-1', scheme: 'sorted', secret });
    const codeOf = async (path: string) => ((await (await fetch(`${partner.url}${path}`)).json()) as { code: string }).code;
    const time = String(Math.floor(now.getTime() / 1000));
    assert.equal(await codeOf('/pay'), 'MISSING_HEADER');
    assert.equal(await codeOf(`/pay?app_id=shop-2&timestamp=${time}&nonce=1&signature=x`), 'UNKNOWN_KEY');
    assert.equal(await codeOf('/pay?app_id=shop-1&timestamp=1&nonce=1&signature=x'), 'TIMESTAMP_EXPIRED');
    assert.equal((await proxied.call({ path: '/shop/v1/pay' })).status, 200);
    assert.equal(await codeOf(partner.received[0]?.url ?? ''), 'DUPLICATE_NONCE');
    assert.deepEqual(partner.counts, { accepted: 1, refused: 4 });
  }); // prettier-ignore

  it('misbehaves when it is asked to, and has had the request by then', async (t) => {
    const { partner, proxied } = await serve(t, { keyId: 'shop-1', scheme: 'request', secret });
    partner.misbehave({ do: 'reset' });
    const { status, problem } = await proxied.call({ path: '/shop/v1/pay', headers: form, body: 'a=1' });
    assert.deepEqual([status, problem?.outcome, partner.received.length], [502, 'unknown', 1]);
  });
});

describe('a partner that has our public key', () => {
  it('takes what is signed with it, under any query and body, and nothing else', async (t) => {
    const [own, other] = [await generateKeyPair(2048), await generateKeyPair(2048)];
    const account = { appId: 'shop-1', publicKey: toSpkiPem(own.publicKey) };
    const partner = await startPssPartner({ account, now: () => now });
    t.after(() => partner.close());
    const shop = shopAt({ pss: { appId: 'shop-1', origin } });
    const files = filesOf({ 'private_key.pem': toPkcs8Pem(own.privateKey) });
    const proxied = await startProxied(t, { material: { files }, shop, double: partner.url });
    for (const path of ['/shop/v1/a%20b?z=1&a=%E5&b&b=', '/shop/v1/pay'])
      assert.equal((await proxied.call({ path, headers: { 'Content-Type': 'application/json' }, body: '{"b": "手机"}' })).status, 200); // prettier-ignore
    partner.admit({ appId: 'shop-1', publicKey: other.publicKey });
    assert.equal((await proxied.call({ path: '/shop/v1/pay' })).status, 401);
    partner.admit({ appId: 'shop-2', publicKey: own.publicKey });
    assert.match((await proxied.call({ path: '/shop/v1/pay' })).text, /UNKNOWN_KEY/);
    assert.deepEqual(partner.counts, { accepted: 2, refused: 2 });
  });
});
