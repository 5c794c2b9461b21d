// Alipay through the proxy: the platform's own SDK, which knows only base URLs and a key that it made up, in v2 and in v3.
import assert from 'node:assert/strict';
import { verify } from 'node:crypto';
import { describe, it, type TestContext } from 'node:test';
import { AlipayFormData, AlipaySdk } from 'alipay-sdk';
import fc from 'fast-check';
import type { Event } from '../../../src/events.ts';
import { startAlipayGateway } from '../../../src/testing/alipay-gateway.ts';
import { type AlipayMaterial, createAlipayMaterial, rotateAlipayApp } from '../../../src/testing/alipay-material.ts';
import { makeGatewayResponse, makeRestResponse } from '../../../src/testing/alipay-message.ts';
import { toPkcs8Pem, toSpkiPem } from '../../../src/testing/key-pair.ts';
import { listenOnLoopback, type ReceivedRequest } from '../../../src/testing/loopback.ts';
import { type Proxied, shopAt, startProxied, token } from '../../support/proxied.ts';
import { startRawPlatform } from '../../support/raw-platform.ts';

// The SDK has no clock but the machine's, and writes local time where Beijing's belongs.
process.env['TZ'] = 'Asia/Shanghai';
const now = new Date();
const appId = '2021000000000001';
const material = await createAlipayMaterial({ appId, now });
const keyed = await createAlipayMaterial({ appId, now, mode: 'key' });
const throwAway = await createAlipayMaterial({ appId, now });

const start = (t: TestContext, double: string, of: AlipayMaterial = material): Promise<Proxied> =>
  startProxied(t, { material: of, shop: shopAt({ alipay: { appId, mode: of.mode } }), double, now });

/** Alipay's public halves are the real ones, since the SDK verifies again; everything else of the application is made up. */
function sdkFor(proxied: Proxied, of: AlipayMaterial = material, made: AlipayMaterial = throwAway): AlipaySdk {
  const base = `http://${proxied.tcp}/~${token}/shop`;
  const [alipayKey] = of.alipayKeys;
  assert.ok(alipayKey);
  const common = { appId: made.appId, privateKey: toPkcs8Pem(made.app.privateKey), keyType: 'PKCS8' as const };
  return new AlipaySdk({
    ...{ ...common, gateway: `${base}/gateway.do`, endpoint: base },
    ...(of.mode === 'key'
      ? { alipayPublicKey: toSpkiPem(alipayKey.publicKey) }
      : {
          appCertContent: made.app.certificate,
          alipayRootCertContent: made.authority.certificate,
          alipayPublicCertContent: alipayKey.issued.certificate,
        }),
  });
}

const forwarded = ({ events }: Proxied) =>
  events.filter((event): event is Extract<Event, { type: 'forwarded' }> => event.type === 'forwarded').at(-1);

const order = { out_trade_no: '70501111111S001111119', total_amount: '9.00', subject: '手机 +%&=' };

describe('the SDK of Alipay with other base URLs and a throw-away key', () => {
  for (const [what, of] of Object.entries({ certificates: material, 'a public key': keyed })) {
    it(`pays, queries and refunds in v2 and v3 with ${what}, and verifies each response itself`, async (t) => {
      await using gateway = await startAlipayGateway({ material: of, now: () => now });
      const proxied = await start(t, gateway.url, of);
      const sdk = sdkFor(proxied, of);
      for (const method of ['alipay.trade.pay', 'alipay.trade.query', 'alipay.trade.refund', 'alipay.trade.close']) {
        const answer = await sdk.exec(method, { bizContent: order, notifyUrl: 'https://shop.example/a?b=1&c=2' }, { validateSign: true }); // prettier-ignore
        assert.equal(answer.code, '10000', method);
      }
      const paid = await sdk.curl('POST', '/v3/alipay/trade/pay', { body: order, query: { a: '1 2' } });
      assert.equal(paid.responseHttpStatus, 200);
      assert.equal((await sdk.curl('GET', '/v3/alipay/fund/trans/common/query')).responseHttpStatus, 200);
      assert.deepEqual(gateway.counts, { accepted: 6, refused: 0 });
      const { outcome, verified } = forwarded(proxied) ?? {};
      assert.deepEqual([outcome, verified], ['ok', 'yes']);
    });
  }

  it('continues through a rotation of the application’s key and certificate', async (t) => {
    await using gateway = await startAlipayGateway({ material, now: () => now });
    const proxied = await start(t, gateway.url);
    const sdk = sdkFor(proxied);
    await sdk.exec('alipay.trade.query', { bizContent: order }, { validateSign: true });
    const rotated = await rotateAlipayApp(material, now);
    gateway.admit(rotated);
    assert.equal(await proxied.load('shop', rotated.files), undefined);
    await sdk.exec('alipay.trade.query', { bizContent: order }, { validateSign: true });
    await sdk.curl('POST', '/v3/alipay/trade/query', { body: order });
    assert.deepEqual(gateway.counts, { accepted: 3, refused: 0 });
  });

  it('uploads in v2, its text signed and its file as it is', async (t) => {
    const received: ReceivedRequest[] = [];
    const method = 'alipay.offline.material.image.upload';
    const [alipayKey] = material.alipayKeys;
    assert.ok(alipayKey);
    const body = makeGatewayResponse(method, '{"code":"10000","msg":"Success","image_id":"1"}', { alipayKey });
    const platform = await listenOnLoopback(0, (request) => {
      received.push(request);
      return { status: 200, headers: { 'Content-Type': 'application/json' }, body };
    });
    t.after(() => platform.close());
    const sdk = sdkFor(await start(t, platform.url));
    const form = new AlipayFormData();
    form.addField('image_type', 'jpg');
    form.addField('image_name', '海底捞');
    form.addFile('image_content', 'a.jpg', new URL(import.meta.url).pathname);
    const answer = await sdk.exec(method, {}, { formData: form, validateSign: true });
    assert.equal(answer['imageId'], '1');
    const [request] = received;
    assert.ok(request);
    assert.match(Buffer.from(request.body).toString(), /image_content"; filename="a\.jpg"/);
    const query = new URLSearchParams(request.url.split('?')[1]);
    const signed = new Map([...query, ['image_type', 'jpg'], ['image_name', '海底捞']] as [string, string][]);
    assert.ok(isSigned(signed));
  });
});

/** Whether the application's key signed these parameters, by Alipay's rule and not by our code. */
function isSigned(parameters: ReadonlyMap<string, string>, encoding: 'utf8' | 'latin1' = 'utf8'): boolean {
  const text = [...parameters]
    .filter(([name, value]) => name !== 'sign' && value !== '')
    .map(([name, value]) => `${name}=${value}`)
    .sort()
    .join('&');
  const signature = Buffer.from(parameters.get('sign') ?? '', 'base64');
  return verify('sha256', Buffer.from(text, encoding), material.app.publicKey, signature);
}

const [alipayKey] = material.alipayKeys;
assert.ok(alipayKey);
const method = 'alipay.trade.pay';
const respond = (body: string | Buffer, status = '200 OK', headers = '') =>
  `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\n${headers}Content-Length: ${String(Buffer.byteLength(body))}\r\nConnection: close\r\n\r\n${body.toString()}`; // prettier-ignore
const success = makeGatewayResponse(method, '{"code":"10000","msg":"Success"}', { alipayKey });
const form = { 'Content-Type': 'application/x-www-form-urlencoded;charset=utf-8' };
const gatewayUrl = `/shop/gateway.do?app_id=${appId}&method=${method}`;

describe('a request to gateway.do', () => {
  it('keeps every parameter as it was written, but for those of its signer, which stand in the query', async (t) => {
    const platform = await startRawPlatform(t);
    platform.respond(respond(success));
    const proxied = await start(t, platform.origin);
    const kept = `charset=utf-8&format=json&version=1.0&app_auth_token=T%2b1&notify_url=https%3a%2F%2Fa.example%2F%3Fb&empty=`;
    const stale = 'sign=AAAA&sign_type=RSA&timestamp=2020-01-01+00%3A00%3A00&app_cert_sn=1&alipay_root_cert_sn=2_3';
    const body = 'biz_content=%7b%22subject%22%3A%22a+b%20%E6%89%8B%22%7D&extra=%2B';
    const { status } = await proxied.call({ path: `${gatewayUrl}&${stale}&${kept}`, headers: form, body });
    assert.equal(status, 200);
    const [request] = platform.requests;
    assert.ok(request);
    assert.equal(request.body.toString(), body);
    const [, target = ''] = request.line.split(' ');
    assert.ok(target.startsWith(`/gateway.do?app_id=${appId}&method=${method}&${kept}&sign_type=RSA2&timestamp=`));
    const sent = new Map(new URLSearchParams(`${target.split('?')[1] ?? ''}&${body}`));
    assert.ok(isSigned(sent));
    assert.deepEqual(
      [sent.get('app_cert_sn'), sent.get('alipay_root_cert_sn'), sent.get('app_auth_token')],
      [material.appSerial, material.rootSerial, 'T+1'],
    );
  });

  it('is taken with all of its parameters in the query or all in the body', async (t) => {
    const platform = await startRawPlatform(t);
    platform.respond(respond(success));
    const proxied = await start(t, platform.origin);
    const all = `app_id=${appId}&method=${method}&sign=A&timestamp=x&charset=utf-8&biz_content=%7B%7D`;
    const calls = [
      { path: `/shop/gateway.do?${all}` },
      { path: `/shop/gateway.do?${all}`, method: 'POST' },
      { path: '/shop/gateway.do', headers: form, body: all },
    ];
    for (const call of calls) {
      assert.equal((await proxied.call(call)).status, 200);
      const request = platform.requests.at(-1);
      assert.ok(request);
      const [, target = ''] = request.line.split(' ');
      const sent = new URLSearchParams(`${target.split('?')[1] ?? ''}&${request.body.toString()}`);
      assert.ok(isSigned(new Map(sent)));
      assert.deepEqual([sent.getAll('sign').length, sent.getAll('timestamp').length], [1, 1]);
    }
  });

  it('is signed over its bytes, whatever charset they are in', async (t) => {
    const platform = await startRawPlatform(t);
    platform.respond(respond(success));
    const proxied = await start(t, platform.origin);
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 40 }), async (bytes) => {
        const escaped = [...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
        const body = `biz_content=${escaped}`;
        assert.equal((await proxied.call({ path: `${gatewayUrl}&charset=GBK`, headers: form, body })).status, 200);
        const [, target = ''] = platform.requests.at(-1)?.line.split(' ') ?? [];
        const query = new Map(new URLSearchParams(target.split('?')[1]));
        assert.ok(isSigned(query.set('biz_content', Buffer.from(bytes).toString('latin1')), 'latin1'));
      }),
      { numRuns: 40 },
    );
  });

  const refused: Readonly<Record<string, [string, string, string?]>> = {
    app_id: [`/shop/gateway.do?app_id=2021000000000002&method=${method}`, 'biz_content=%7B%7D'],
    'app_id twice': [`${gatewayUrl}&%61pp_id=${appId}`, ''],
    'app_id in the body too': [gatewayUrl, `app_id=${appId}`],
    'no app_id': [`/shop/gateway.do?method=${method}`, ''],
    'no method': [`/shop/gateway.do?app_id=${appId}`, ''],
    'a method that is no name': [`/shop/gateway.do?app_id=${appId}&method=a%26b.c`, ''],
    'method twice': [`${gatewayUrl}&method=alipay.trade.query`, ''],
    'XML responses': [`${gatewayUrl}&format=xml`, ''],
    'a body that is JSON': [gatewayUrl, '{}', 'application/json'],
    'a body of no kind': [gatewayUrl, 'a=b', ''],
    'escapes that are none': [gatewayUrl, 'a=%zz'],
  };
  for (const [what, [path, body, type = form['Content-Type']]] of Object.entries(refused)) {
    it(`is refused by name, and not signed: ${what}`, async (t) => {
      const platform = await startRawPlatform(t);
      const proxied = await start(t, platform.origin);
      const headers = type === '' ? {} : { 'Content-Type': type };
      const { status, problem } = await proxied.call({ path, body, headers });
      assert.deepEqual([status, problem?.title, problem?.outcome], [400, 'request-invalid', 'refused']);
      assert.ok(problem?.field);
      assert.equal(platform.requests.length, 0);
    });
  }

  it('is allowed by the name of its method, in the query or in the body', async (t) => {
    const platform = await startRawPlatform(t);
    platform.respond(respond(success));
    const routes = [{ credential: 'shop', double: platform.origin, allow: ['alipay.trade.pay', 'alipay.fund.*'] }];
    const proxied = await startProxied(t, {
      ...{ material, shop: shopAt({ alipay: { appId, mode: 'certificate' } }), double: platform.origin, now, routes },
    });
    const statusOf = async (name: string, isInBody = false) => {
      const pairs = `app_id=${appId}&method=${name}`;
      const call = isInBody ? { path: '/shop/gateway.do', headers: form, body: pairs } : { path: `/shop/gateway.do?${pairs}` }; // prettier-ignore
      return (await proxied.call(call)).status;
    };
    assert.deepEqual([await statusOf(method), await statusOf(method, true)], [200, 200]);
    for (const other of ['alipay.trade.refund', 'alipay.trade.pay.x', 'alipay.fund'])
      assert.deepEqual([await statusOf(other), await statusOf(other, true)], [403, 403], other);
    assert.equal((await proxied.call({ path: '/shop/v3/alipay/trade/pay', body: '{}' })).status, 403);
  });
});

describe('a response of gateway.do', () => {
  const call = { path: gatewayUrl, headers: form, body: 'biz_content=%7B%7D' };
  const run = async (t: TestContext, ...responses: string[]) => {
    const platform = await startRawPlatform(t);
    platform.respond(...responses);
    const proxied = await start(t, platform.origin);
    const answer = await proxied.call(call);
    return { ...answer, forwarded: forwarded(proxied), sent: platform.requests.length };
  };
  const signedAs = (content: string) => makeGatewayResponse(method, content, { alipayKey });

  it('that reports a success nobody signed, or somebody else did, never reaches the application', async (t) => {
    const text = success.toString();
    const [other] = throwAway.alipayKeys;
    assert.ok(other);
    const forged = [
      '{"alipay_trade_pay_response":{"code":"10000"}}',
      '{"alipay_trade_pay_response":{"code":"10000"},"sign":""}',
      text.replace('Success', 'success'),
      makeGatewayResponse(method, '{"code":"10000"}', { alipayKey: other }).toString(),
      makeGatewayResponse('alipay.trade.query', '{"code":"10000"}', { alipayKey }).toString(),
      text.replace('{"alipay', '{"error_response":{"code":"40002"},"alipay'),
      '{"alipay_trade_pay_response":{}}',
      '{"alipay_trade_pay_response":"b64"}',
      '<html></html>',
      '',
    ];
    for (const body of forged) {
      const { status, problem, forwarded: event } = await run(t, respond(body));
      assert.deepEqual([status, problem?.title, problem?.outcome], [502, 'response-unverified', 'unknown'], body);
      assert.equal(event?.outcome, 'unknown');
    }
  });

  const reports: Readonly<Record<string, [body: string | Buffer, verified: string, outcome: string]>> = {
    'an error before the method': ['{"error_response":{"code":"40002","sub_code":"isv.invalid-app-id"}}', 'no', 'refused'],
    'an error, unsigned': ['{"alipay_trade_pay_response":{"code":"40004","sub_code":"ACQ.TRADE_HAS_CLOSE"}}', 'no', 'refused'],
    'an error, signed': [signedAs('{"code":"40004","sub_code":"ACQ.BUYER_BALANCE_NOT_ENOUGH"}'), 'yes', 'refused'],
    'an error of the system, signed': [signedAs('{"code":"40004","sub_code":"ACQ.SYSTEM_ERROR"}'), 'yes', 'unknown'],
    'an unknown state': [signedAs('{"code":"20000","sub_code":"aop.unknow-error"}'), 'yes', 'unknown'],
    'an unknown state, unsigned': ['{"error_response":{"code":"20000","sub_code":"isp.unknow-error"}}', 'no', 'unknown'],
    'a wait for the payer': [signedAs('{"code":"10003"}'), 'yes', 'unknown'],
    'a success without a code': [signedAs('{"access_token":"1"}'), 'yes', 'ok'],
    'an encrypted success': [signedAs('"b64=="'), 'yes', 'ok'],
  }; // prettier-ignore
  for (const [what, [body, verified, outcome]] of Object.entries(reports)) {
    it(`is passed on with what is known of the call: ${what}`, async (t) => {
      const { status, text, headers, forwarded: event } = await run(t, respond(body));
      assert.deepEqual([status, text], [200, body.toString()]);
      assert.deepEqual([headers['paycert-verified'], event?.outcome], [verified, outcome]);
    });
  }

  it('that is a page of what stands before the gateway is passed on, and proves nothing', async (t) => {
    const { status, headers, forwarded: event } = await run(t, respond('<html></html>', '502 Bad Gateway'));
    assert.deepEqual([status, headers['paycert-verified'], event?.outcome], [502, 'no', 'unknown']);
  });

  it('that breaks is repeated for queries, by the name of the method, and for nothing else', async (t) => {
    for (const [name, sent] of [['alipay.trade.query', 2], [method, 1], ['alipay.trade.refund', 1]] as const) {
      const platform = await startRawPlatform(t);
      platform.respond('', respond(makeGatewayResponse(name, '{"code":"10000"}', { alipayKey })));
      const proxied = await start(t, platform.origin);
      const path = `/shop/gateway.do?app_id=${appId}&method=${name}`;
      assert.equal((await proxied.call({ path })).status, sent === 2 ? 200 : 502);
      assert.equal(platform.requests.length, sent, name);
    } // prettier-ignore
  });
});

describe('a request to v3', () => {
  const rest = (content: string) => {
    const { headers, body } = makeRestResponse(Buffer.from(content), { alipayKey, now });
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join(''); // prettier-ignore
    return respond(Buffer.from(body), '200 OK', lines);
  };

  it('arrives byte for byte under a signature over exactly that, with the real serial numbers', async (t) => {
    const platform = await startRawPlatform(t);
    platform.respond(rest('{}'));
    const proxied = await start(t, platform.origin);
    const body = '{"subject":"手机\\/",  "a": 1.0}\n';
    const headers = {
      ...{ Authorization: `ALIPAY-SHA256withRSA app_id=${appId},app_cert_sn=1,nonce=2,timestamp=3,sign=x=` },
      ...{ 'alipay-root-cert-sn': '9', 'alipay-app-auth-token': 'T', 'alipay-request-id': 'R' },
      'Content-Type': 'application/json',
    };
    const path = '/v3/alipay/trade/pay?a=1%20b&c=%e4';
    assert.equal((await proxied.call({ path: `/shop${path}`, body, headers })).status, 200);
    const [request] = platform.requests;
    assert.ok(request);
    assert.deepEqual([request.line, request.body.toString()], [`POST ${path} HTTP/1.1`, body]);
    const { authorization = '' } = request.headers;
    const [, fields = '', sign = ''] = /^ALIPAY-SHA256withRSA (.*?),sign=(.*)$/.exec(authorization) ?? [];
    assert.match(fields, new RegExp(`^app_id=${appId},app_cert_sn=${material.appSerial},`));
    const text = `${fields}\nPOST\n${path}\n${body}\nT\n`;
    assert.ok(verify('sha256', Buffer.from(text), material.app.publicKey, Buffer.from(sign, 'base64')));
    assert.deepEqual(
      [request.headers['alipay-root-cert-sn'], request.headers['alipay-request-id']],
      [material.rootSerial, 'R'],
    );
  });

  it('of another application, or with contents that are encrypted, is refused by name', async (t) => {
    const platform = await startRawPlatform(t);
    const proxied = await start(t, platform.origin);
    const cases = {
      'headers.authorization.app_id': { Authorization: 'ALIPAY-SHA256withRSA app_id=2021000000000002,nonce=1' },
      'headers.alipay-encrypt-type': { 'alipay-encrypt-type': 'AES' },
    };
    for (const [field, headers] of Object.entries(cases)) {
      const { status, problem } = await proxied.call({ path: '/shop/v3/alipay/trade/pay', body: '{}', headers });
      assert.deepEqual([status, problem?.field], [400, field]);
    }
    assert.equal(platform.requests.length, 0);
  });

  it('gets a success only if it is signed, and errors as they came', async (t) => {
    const platform = await startRawPlatform(t);
    const proxied = await start(t, platform.origin);
    const verdict = async (response: string) => {
      platform.respond(response);
      const { status, headers } = await proxied.call({ path: '/shop/v3/alipay/trade/pay', body: '{}' });
      return [status, headers['paycert-verified'], forwarded(proxied)?.outcome];
    };
    assert.deepEqual(await verdict(rest('{}')), [200, 'yes', 'ok']);
    assert.deepEqual(await verdict(rest('{}').replace('\r\n\r\n{}', '\r\n\r\n[]')), [502, undefined, 'unknown']);
    assert.deepEqual(await verdict(respond('{}')), [502, undefined, 'unknown']);
    const said = (code: string) => respond(`{"code":"${code}","message":"x"}`, '400 Bad Request');
    assert.deepEqual(await verdict(said('invalid-app-id')), [400, 'no', 'refused']);
    assert.deepEqual(await verdict(said('ACQ.SYSTEM_ERROR')), [400, 'no', 'unknown']);
  });
});
