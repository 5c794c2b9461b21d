// What a context of Alipay signs: the double verifies every request; what the double cannot see is compared byte by byte.
import assert from 'node:assert/strict';
import { verify } from 'node:crypto';
import { after, describe, it } from 'node:test';
import { beijingTime } from '../../../src/providers/alipay/request.ts';
import { startAlipayGateway } from '../../../src/testing/index.ts';
import { appId, loadFit, makeMaterial, moment, now, refusal, send } from '../../support/alipay.ts';

const query = 'alipay.trade.query';
const bizContent = '{"out_trade_no":"1","subject":"手机 +%&="}';

for (const mode of ['certificate', 'key'] as const) {
  describe(`in ${mode} mode`, async () => {
    const material = await makeMaterial({ mode });
    const { app, files, alipayKeys } = material;
    const context = await loadFit(files, { mode });
    const gateway = await startAlipayGateway({ material, now: () => now });
    after(() => gateway.close());
    const keyId = mode === 'certificate' ? alipayKeys[0]!.serial : context.keys[1]!.keyId;

    for (const [what, call] of Object.entries({
      'business content': { bizContent },
      'neither content nor parameters': {},
      'plain parameters alone': { parameters: { grant_type: 'authorization_code', code: 'a b+c' } },
      'addresses, an empty parameter and a token': {
        bizContent,
        parameters: { notify_url: 'https://shop.example/n?a=1&b=2', return_url: '' },
        appAuthToken: 'token',
      },
    })) {
      it(`the v2 gateway accepts a request with ${what}, and its answer verifies`, async () => {
        const authorized = await context.authorize({ apiMethod: query, ...call }, moment);
        assert.equal(authorized.keyId, context.keys[0]!.keyId);
        const answer = await send(gateway.url, authorized);
        const received = { kind: 'response', body: Buffer.from(answer.text), apiMethod: query } as const;
        assert.deepEqual(await context.verify(received, now), { keyId }, answer.text);
      });
    }

    for (const [what, call] of Object.entries({
      'a body': { method: 'post', url: '/v3/alipay/trade/query', body: Buffer.from(bizContent) },
      'a query and no body': { method: 'GET', url: 'https://openapi.alipay.com/v3/alipay/a?b=%20c' },
      'a token': { method: 'POST', url: '/v3/a', body: Buffer.from('{}'), appAuthToken: 'token' },
    })) {
      it(`the v3 interface accepts a request with ${what}, and its answer verifies`, async () => {
        const { headers, text, status } = await send(gateway.url, await context.authorize(call, moment), call.body);
        assert.equal(status, 200, text);
        const answer = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
        const received = { kind: 'response', headers: answer, body: Buffer.from(text) } as const;
        assert.deepEqual(await context.verify(received, now), { keyId });
      });
    }

    it('a page of the browser is signed as a request is', async () => {
      const apiMethod = 'alipay.trade.page.pay';
      const forms = await context.paymentParameters({ apiMethod, bizContent }, moment);
      assert.deepEqual(Object.keys(forms), ['orderString', 'pageUrl', 'pageForm']);
      const before = gateway.counts.accepted;
      await send(gateway.url, { method: 'GET', url: forms['pageUrl']!, headers: {}, keyId: '' });
      const [, action = ''] = /action="([^"]*)"/.exec(forms['pageForm']!) ?? [];
      const unescape = (text: string) => text.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)));
      const inputs = [...forms['pageForm']!.matchAll(/name="([^"]*)" value="([^"]*)"/g)];
      const body = new URLSearchParams(
        inputs.map(([, name = '', value = '']): [string, string] => [name, unescape(value)]),
      ).toString();
      await send(gateway.url, {
        method: 'POST',
        url: unescape(action),
        headers: {},
        body: Buffer.from(body),
        keyId: '',
      });
      assert.deepEqual([gateway.counts.accepted, gateway.counts.refused], [before + 2, 0]);
      assert.equal(forms['pageUrl'], `https://openapi.alipay.com/gateway.do?${forms['orderString']!}`);
    });

    it('signs bytes with the application’s key', async () => {
      const { signature } = await context.sign(Buffer.from('x'));
      assert.ok(verify('sha256', Buffer.from('x'), app.publicKey, signature));
    });

    it('can sign, verify and decrypt until the certificates expire, and public keys do not', () => {
      const able = [...context.capabilities(now)].sort();
      assert.deepEqual(able, ['decrypt', 'sign', 'verify']);
      const late = [...context.capabilities(new Date('2040-01-01'))].sort();
      assert.deepEqual(late, mode === 'certificate' ? ['decrypt'] : able);
    });
  });
}

describe('authorize', async () => {
  const material = await makeMaterial();
  const context = await loadFit(material.files);

  it('puts the serial numbers among the system parameters, with and without business content', async () => {
    for (const call of [{}, { bizContent }]) {
      const { url, body } = await context.authorize({ apiMethod: query, ...call }, moment);
      const { searchParams, origin, pathname } = new URL(url);
      assert.equal(origin + pathname, 'https://openapi.alipay.com/gateway.do');
      const { sign, ...system } = Object.fromEntries(searchParams);
      assert.ok(sign);
      assert.deepEqual(system, {
        app_id: appId,
        method: query,
        format: 'JSON',
        charset: 'utf-8',
        sign_type: 'RSA2',
        timestamp: '2026-03-02 00:30:00',
        version: '1.0',
        app_cert_sn: material.appSerial,
        alipay_root_cert_sn: material.rootSerial,
      });
      assert.equal(new URLSearchParams(Buffer.from(body!).toString()).get('biz_content'), call.bizContent ?? null);
    }
  });

  it('sends sandbox requests to the sandbox', async () => {
    const { files } = await makeMaterial({ environment: 'sandbox' });
    const { authorize } = await loadFit(files, { gateway: 'sandbox' });
    const { url } = await authorize({ apiMethod: query }, moment);
    assert.ok(url.startsWith('https://openapi-sandbox.dl.alipaydev.com/gateway.do?'));
  });

  for (const name of ['sign', 'app_id', 'biz_content', 'alipay_root_cert_sn', 'app_auth_token']) {
    it(`refuses a caller’s ${name}`, async () => {
      const call = { apiMethod: query, parameters: { [name]: 'x' } };
      await assert.rejects(context.authorize(call, moment), refusal('request-invalid', `parameters.${name}`));
    });
  }

  it('refuses half a v2 and half a v3 request, and what it misses, by name', async () => {
    for (const [field, call] of Object.entries({
      url: { apiMethod: query, url: '/v3/a' },
      body: { apiMethod: query, body: Buffer.alloc(0) },
      bizContent: { method: 'GET', url: '/v3/a', bizContent },
      encryptionKeyId: { method: 'GET', url: '/v3/a', encryptionKeyId: 'x' },
      method: { url: '/v3/a' },
      apiMethod: { bizContent },
    })) {
      await assert.rejects(context.authorize(call, moment), refusal('request-invalid', field));
    }
    await assert.rejects(context.paymentParameters({}, moment), refusal('request-invalid', 'apiMethod'));
    const jsapi = { apiMethod: query, prepayId: 'x' };
    await assert.rejects(context.paymentParameters(jsapi, moment), refusal('request-invalid', 'prepayId'));
  });

  it('keeps the headers of a v3 request, and sets its own once whatever their case', async () => {
    const headers = { authorization: 'mine', 'X-Trace': 'a', 'alipay-request-id': 'r' };
    const { headers: sent } = await context.authorize({ method: 'GET', url: '/v3/a', headers }, moment);
    const { Authorization, ...rest } = sent;
    assert.match(Authorization!, new RegExp(`^ALIPAY-SHA256withRSA app_id=${appId},app_cert_sn=[0-9a-f]{32},nonce=`));
    assert.deepEqual(rest, {
      Accept: 'application/json',
      'User-Agent': 'paycert',
      'X-Trace': 'a',
      'alipay-request-id': 'r',
      'alipay-root-cert-sn': material.rootSerial,
    });
  });
});

describe('content encryption', async () => {
  // Not random: one key in 256 opens what another one sealed, as far as its padding goes.
  const files = new Map((await makeMaterial()).files).set('aes_key', Buffer.from('aa4BtZ4tspm2wnXLb1ThQA=='));
  const context = await loadFit(files);
  const open = async (algorithm: string, ciphertext: string) =>
    Buffer.from((await context.decrypt({ algorithm, ciphertext })).plaintext).toString();

  for (const kind of ['AES', 'AES_V2']) {
    it(`of kind ${kind} replaces the content before it is signed, in v2 and v3, and opens again`, async () => {
      const { body } = await context.authorize(
        { apiMethod: query, bizContent, parameters: { encrypt_type: kind } },
        moment,
      );
      const sealed = new URLSearchParams(Buffer.from(body!).toString()).get('biz_content')!;
      assert.equal(await open(kind, sealed), bizContent);
      const call = { method: 'POST', url: '/v3/a', body: Buffer.from(bizContent) };
      const rest = await context.authorize({ ...call, headers: { 'alipay-encrypt-type': kind } }, moment);
      assert.equal(rest.headers['Content-Type'], 'text/plain');
      assert.equal(await open(kind, Buffer.from(rest.body!).toString()), bizContent);
    });
  }

  it('with a random vector depends on the nonce, and with zeros does not', async () => {
    const sealedWith = async (kind: string, nonce: string) =>
      (await context.authorize({ apiMethod: query, bizContent, parameters: { encrypt_type: kind } }, { now, nonce }))
        .body;
    assert.deepEqual(await sealedWith('AES', 'a'), await sealedWith('AES', 'b'));
    assert.notDeepEqual(await sealedWith('AES_V2', 'a'), await sealedWith('AES_V2', 'b'));
  });

  it('of another kind is refused, and so is any without a key', async () => {
    const call = { apiMethod: query, bizContent };
    for (const kind of ['SM4', '__proto__', 'aes']) {
      await assert.rejects(
        context.authorize({ ...call, parameters: { encrypt_type: kind } }, moment),
        refusal('request-invalid', 'parameters.encrypt_type'),
      );
      await assert.rejects(context.decrypt({ algorithm: kind, ciphertext: '' }), refusal('request-invalid'));
    }
    const bare = await loadFit(new Map([...files].filter(([name]) => name !== 'aes_key')));
    const sealing = { ...call, parameters: { encrypt_type: 'AES' } };
    await assert.rejects(bare.authorize(sealing, moment), refusal('no-aes-key'));
    await assert.rejects(bare.decrypt({ algorithm: 'AES', ciphertext: 'AAAA' }), refusal('no-aes-key'));
    await assert.rejects(context.decrypt({ ciphertext: 'AAAA' }), refusal('request-invalid', 'algorithm'));
  });

  it('that does not open says so in one way, whatever the cause', async () => {
    const messages = new Set<string>();
    for (const ciphertext of ['', 'AAAA', 'A'.repeat(64), 'A'.repeat(20)]) {
      await assert.rejects(context.decrypt({ algorithm: 'AES', ciphertext }), (error: Error & { code: string }) => {
        messages.add(error.message);
        return error.code === 'decryption-failed';
      });
    }
    assert.equal(messages.size, 1);
  });

  it('opens with the previous key too', async () => {
    const { body } = await context.authorize(
      { apiMethod: query, bizContent, parameters: { encrypt_type: 'AES' } },
      moment,
    );
    const ciphertext = new URLSearchParams(Buffer.from(body!).toString()).get('biz_content')!;
    const rotated = new Map(files)
      .set('aes_key.previous', files.get('aes_key')!)
      .set('aes_key', Buffer.from('A'.repeat(22) + '=='));
    const { decrypt } = await loadFit(rotated);
    assert.equal((await decrypt({ algorithm: 'AES', ciphertext })).role, 'aes-previous');
  });
});

describe('Beijing time', () => {
  it('is eight hours ahead of UTC, over the ends of days and years', () => {
    assert.equal(beijingTime(new Date('2025-12-31T16:00:00.999Z')), '2026-01-01 00:00:00');
    assert.equal(beijingTime(new Date('2024-02-28T15:59:59Z')), '2024-02-28 23:59:59');
  });
});
