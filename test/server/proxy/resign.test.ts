// `resign: local`: SDKs that hold no key of a platform verify what the proxy has verified, and nothing else is ever signed again.
import assert from 'node:assert/strict';
import { createHash, createHmac, createPublicKey, verify } from 'node:crypto';
import { describe, it, type TestContext } from 'node:test';
import { AlipaySdk } from 'alipay-sdk';
import fc from 'fast-check';
import { Decorator } from 'wechatpay-axios-plugin';
import { readXml } from '../../../src/providers/wechatpay-v2/xml.ts';
import { startAlipayGateway } from '../../../src/testing/alipay-gateway.ts';
import { createAlipayMaterial } from '../../../src/testing/alipay-material.ts';
import { makeGatewayResponse } from '../../../src/testing/alipay-message.ts';
import { generateKeyPair, toPkcs8Pem } from '../../../src/testing/key-pair.ts';
import { startWechatpayGateway } from '../../../src/testing/wechatpay-gateway.ts';
import { createWechatpayMaterial, rotatePlatform } from '../../../src/testing/wechatpay-material.ts';
import { makeProbe, signMessage } from '../../../src/testing/wechatpay-message.ts';
import { makeV2Notification } from '../../../src/testing/wechatpay-v2-message.ts';
import { merchantId } from '../../support/api-server.ts';
import { makeLocalIdentity } from '../../support/local-identity.ts';
import { shopAt, startProxied, token } from '../../support/proxied.ts';
import { startRawPlatform } from '../../support/raw-platform.ts';

// SDKs have no clock but the machine's.
process.env['TZ'] = 'Asia/Shanghai';
const now = new Date();
const wechat = await createWechatpayMaterial({ merchantId, now, publicKey: true });
const appId = '2021000000000001';
const alipay = await createAlipayMaterial({ appId, now });
const throwAway = toPkcs8Pem((await generateKeyPair()).privateKey);
const [platformKey] = wechat.platformKeys;
const [alipayKey] = alipay.alipayKeys;
assert.ok(platformKey && alipayKey);

type Body = string | Uint8Array;
const respond = (body: Body, headers: Readonly<Record<string, string>> = {}, status = 200) =>
  Buffer.concat([
    Buffer.from(
      `HTTP/1.1 ${String(status)} X\r\nContent-Length: ${String(Buffer.byteLength(body))}\r\nConnection: close\r\n${Object.entries(
        headers,
      )
        .map(([name, value]) => `${name}: ${value}\r\n`)
        .join('')}\r\n`,
    ),
    Buffer.from(body),
  ]);

async function serve(t: TestContext, shop?: ReturnType<typeof shopAt>, material: Parameters<typeof startProxied>[1]['material'] = wechat) {
  const [platform, identity] = [await startRawPlatform(t), await makeLocalIdentity()];
  const proxied = await startProxied(t, { material, double: platform.origin, now, local: identity.local, ...(shop && { shop }) });
  return { platform, identity, proxied };
} // prettier-ignore

const order = { mchid: merchantId, appid: 'wx1', description: '手机', out_trade_no: 'A-2', amount: { total: 1 } };

describe('an SDK that was given a throw-away identity, and no key of the platform', () => {
  it('of WeChat Pay verifies each response by itself, also after the platform has replaced its keys', async (t) => {
    await using platform = await startWechatpayGateway({ now: () => now });
    platform.admit(wechat);
    const { local, given } = await makeLocalIdentity();
    const proxied = await startProxied(t, { material: wechat, double: platform.url, now, local });
    const sdk = new Decorator({
      ...{ baseURL: `http://${proxied.tcp}/shop/`, headers: { 'Paycert-Token': token } },
      ...{ mchid: merchantId, serial: 'ABCDEF', privateKey: throwAway },
      certs: { [given['pub_key_id']!]: given['pub_key.pem']! },
    });
    const query = () =>
      sdk.request<{ out_trade_no: string }>('v3/pay/transactions/out-trade-no/A-2', 'GET', undefined, {
        params: { mchid: merchantId },
      });
    await sdk.request('v3/pay/transactions/jsapi', 'POST', order);
    assert.equal((await query()).data.out_trade_no, 'A-2');
    const rotated = await rotatePlatform(wechat, { now });
    platform.admit(rotated);
    assert.equal(await proxied.load('shop', rotated.files), undefined);
    assert.equal((await query()).data.out_trade_no, 'A-2');
    const closed = await sdk.request('v3/pay/transactions/out-trade-no/A-2/close', 'POST', { mchid: merchantId });
    assert.equal(closed.status, 204);
  });

  it('of Alipay verifies each response by itself, in v2 and in v3', async (t) => {
    await using gateway = await startAlipayGateway({ material: alipay, now: () => now });
    const { local, given } = await makeLocalIdentity();
    const shop = shopAt({ alipay: { appId, mode: 'certificate' } });
    const proxied = await startProxied(t, { material: alipay, shop, double: gateway.url, now, local });
    const base = `http://${proxied.tcp}/~${token}/shop`;
    const sdk = new AlipaySdk({
      ...{ appId, privateKey: throwAway, keyType: 'PKCS8', gateway: `${base}/gateway.do`, endpoint: base },
      alipayPublicKey: given['alipay_public_key']!,
    });
    const bizContent = { out_trade_no: '1', total_amount: '9.00', subject: '手机 +%&=' };
    for (const method of ['alipay.trade.pay', 'alipay.trade.query'])
      assert.equal((await sdk.exec(method, { bizContent }, { validateSign: true })).code, '10000');
    assert.equal((await sdk.curl('POST', '/v3/alipay/trade/query', { body: { out_trade_no: '1' } })).responseHttpStatus, 200); // prettier-ignore
  });
});

describe('a response that was verified', () => {
  it('of WeChat Pay keeps its body, status and other headers, under a signature of now', async (t) => {
    const { platform, identity, proxied } = await serve(t);
    for (const [content, status] of [['{"a": "\\/手机" }\n', 200], ['{"code":"ORDER_CLOSED"}', 400]] as const) {
      const { headers } = signMessage(content, { platformKey, now: new Date(now.getTime() - 60_000) });
      platform.respond(respond(content, { ...headers, 'Request-ID': '8' }, status));
      const answer = await proxied.call({ path: '/shop/v3/pay/transactions/jsapi', body: '{}' });
      assert.deepEqual([answer.status, answer.text, answer.headers['request-id']], [status, content, '8']);
      assert.equal(answer.headers['paycert-verified'], 'yes');
      const valueOf = (name: string) => String(answer.headers[`wechatpay-${name}`]);
      assert.deepEqual(
        [valueOf('serial'), valueOf('timestamp')],
        [identity.given['pub_key_id'], String(Math.floor(now.getTime() / 1000))],
      );
      const text = `${valueOf('timestamp')}\n${valueOf('nonce')}\n${content}\n`;
      const signature = Buffer.from(valueOf('signature'), 'base64');
      assert.ok(verify('sha256', Buffer.from(text), createPublicKey(identity.given['pub_key.pem']!), signature));
    }
  }); // prettier-ignore

  it('of Alipay v2 changes in the value of its sign alone, whatever else it holds', async (t) => {
    const { platform, identity, proxied } = await serve(t, shopAt({ alipay: { appId, mode: 'certificate' } }), alipay);
    const method = 'alipay.trade.query';
    const path = `/shop/gateway.do?app_id=${appId}&method=${method}`;
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.string(), fc.string()), async (more) => {
        const content = JSON.stringify({ ...more, code: '10000', sign: 'none', '"sign":"x"': '\\"sign\\":\\"' });
        const sent = makeGatewayResponse(method, content, { alipayKey }).toString();
        platform.respond(respond(sent, { 'Content-Type': 'application/json' }));
        const { status, text } = await proxied.call({ path });
        assert.equal(status, 200, text);
        const at = sent.lastIndexOf('"sign":"') + '"sign":"'.length;
        assert.equal(text.slice(0, at), sent.slice(0, at));
        const [, signature = ''] = /^([^"]+)"\}$/.exec(text.slice(at)) ?? [];
        const key = createPublicKey(identity.given['pub_key.pem']!);
        assert.ok(verify('sha256', Buffer.from(content), key, Buffer.from(signature, 'base64')));
      }),
      { numRuns: 50 },
    );
  });

  it('of WeChat Pay v2 changes in the value of its sign alone, made with the throw-away APIv2 key', async (t) => {
    const apiV2Key = 'k'.repeat(32);
    const material = { files: new Map([['apiv2_key', Buffer.from(apiV2Key)]]) };
    const shop = shopAt({ wechatpayV2: { merchantId, appId: 'wx8888888888888888' } });
    const { platform, identity, proxied } = await serve(t, shop, material);
    const own = identity.given['apiv2_key']!;
    assert.match(own, /^[0-9a-f]{32}$/);
    for (const [signType, code] of [['MD5', createHash('md5')], ['HMAC-SHA256', createHmac('sha256', own)]] as const) {
      const parameters = { return_code: 'SUCCESS', result_code: 'SUCCESS', attach: '<a>&]]' };
      const sent = makeV2Notification({ apiV2Key, parameters, signType }).toString();
      platform.respond(respond(sent, { 'Content-Type': 'text/xml' }));
      const { status, text } = await proxied.call({ path: '/shop/pay/orderquery', body: '<xml><out_trade_no>1</out_trade_no></xml>' });
      assert.equal(status, 200);
      const { sign = '', ...rest } = Object.fromEntries(readXml(Buffer.from(text)));
      const { sign: before = '', ...same } = Object.fromEntries(readXml(Buffer.from(sent)));
      assert.deepEqual(rest, same);
      assert.equal(text, sent.replace(before, sign));
      const signed = Object.entries(rest).filter(([, value]) => value !== '').map((pair) => pair.join('=')).sort();
      assert.equal(sign, code.update([...signed, `key=${own}`].join('&')).digest('hex').toUpperCase());
    }
  }); // prettier-ignore
});

describe('what was not verified', () => {
  it('is never signed again, whether it is refused or passed on', async (t) => {
    const { platform, identity, proxied } = await serve(t);
    const { headers } = signMessage('{}', { platformKey, now });
    const stranger = (await rotatePlatform(wechat, { now })).platformKeys.filter(({ keyId }) =>
      wechat.platformKeys.every((known) => known.keyId !== keyId),
    );
    const cases: readonly [what: string, response: Buffer, status: number, path?: string][] = [
      ['without a signature', respond('{}'), 502],
      ['with another body', respond('[]', headers), 502],
      ['of an unknown key', respond('{}', signMessage('{}', { platformKey: stranger[0]!, now }).headers), 502],
      ['that is a probe', respond('{}', makeProbe(signMessage('{}', { platformKey, now })).headers), 502],
      [
        'of the throw-away identity itself',
        respond('{}', { ...headers, 'Wechatpay-Serial': identity.given['pub_key_id']! }),
        502,
      ],
      ['that is an error without a signature', respond('{"code":"SIGN_ERROR"}', {}, 401), 401],
      ['that is an error with a wrong one', respond('{"code":"A"}', headers, 400), 502],
      ['that is unsigned by design', respond('bill'), 200, '/shop/v3/billdownload/file?token=1'],
    ];
    for (const [what, response, status, path] of cases) {
      platform.respond(response);
      const call = path === undefined ? { path: '/shop/v3/pay/transactions/jsapi', body: '{}' } : { path };
      const answer = await proxied.call(call);
      assert.equal(answer.status, status, what);
      assert.equal(answer.headers['wechatpay-signature'], undefined, what);
      assert.equal(identity.signatures(), 0, what);
    }
  });
});
