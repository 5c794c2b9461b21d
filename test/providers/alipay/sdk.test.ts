// Alipay's own SDK for Node and we agree: it accepts what we sign, and we accept what it signs and as it does.
import assert from 'node:assert/strict';
import { verify } from 'node:crypto';
import { describe, it } from 'node:test';
import { AlipaySdk } from 'alipay-sdk';
import {
  makeAlipayNotification,
  makeGatewayResponse,
  makeRestResponse,
  startAlipayGateway,
  toPkcs8Pem,
  toSpkiPem,
} from '../../../src/testing/index.ts';
import { listenOnLoopback, type ReceivedRequest } from '../../../src/testing/loopback.ts';
import { appId, loadFit, makeMaterial, moment, now } from '../../support/alipay.ts';
import { fieldsOf, signedText } from '../../../src/providers/alipay/form.ts';

// The SDK writes this machine's local time where Beijing's belongs; we need no time zone.
process.env['TZ'] = 'Asia/Shanghai';

const material = await makeMaterial();
const { app, alipayKeys, authority, files } = material;
const context = await loadFit(files);
const common = {
  appId,
  privateKey: toPkcs8Pem(app.privateKey),
  keyType: 'PKCS8' as const,
  encryptKey: material.aesKey,
};
const certified = {
  ...common,
  appCertContent: app.certificate,
  alipayRootCertContent: authority.certificate,
  alipayPublicCertContent: alipayKeys[0]!.issued.certificate,
};
const sdk = new AlipaySdk(certified);
const bizContent = { out_trade_no: '1', subject: '手机 +%&=' };

describe('alipay-sdk', () => {
  it('computes our serial numbers', () => {
    const { appCertSn, alipayRootCertSn, alipayCertSn } = sdk.config;
    assert.deepEqual(
      [appCertSn, alipayRootCertSn, alipayCertSn],
      [material.appSerial, material.rootSerial, alipayKeys[0]!.serial],
    );
    const roles = new Map(context.keys.map(({ role, keyId }) => [role, keyId]));
    assert.deepEqual(
      [roles.get('merchant'), roles.get('root'), roles.get('platform')],
      [appCertSn, alipayRootCertSn, alipayCertSn],
    );
  });

  it('signs what our text of its parameters verifies', () => {
    const parameters = Object.fromEntries(new URLSearchParams(sdk.sdkExecute('alipay.trade.app.pay', { bizContent })));
    const { sign = '', ...signed } = parameters;
    assert.ok(verify('sha256', signedText(fieldsOf(signed)), app.publicKey, Buffer.from(sign, 'base64')));
  });

  it('accepts our answers and notifications as we do, and refuses the same forgeries', async () => {
    const apiMethod = 'alipay.trade.query';
    const body = makeGatewayResponse(apiMethod, '{"code":"10000","a":"}\\""}', {
      alipayKey: alipayKeys[0]!,
    }).toString();
    const { sign } = JSON.parse(body) as { sign: string };
    const texts = [body, body.replace('10000', '10001')];
    for (const [index, text] of texts.entries()) {
      const theirs = () => sdk.checkResponseSign(text, 'alipay_trade_query_response', sign, '');
      const ours = context.verify({ kind: 'response', apiMethod, body: Buffer.from(text) }, now);
      if (index === 0) {
        theirs();
        await ours;
      } else {
        assert.throws(theirs);
        await assert.rejects(ours);
      }
    }
    const parameters = { app_id: appId, subject: 'a+b %41 手机' };
    const { body: form } = makeAlipayNotification({ alipayKey: alipayKeys[0]!, parameters });
    const decoded = Object.fromEntries(new URLSearchParams(Buffer.from(form).toString()));
    assert.ok(sdk.checkNotifySignV2(decoded));
    assert.ok(await context.verify({ kind: 'notification', body: form }, now));
  });

  it('talks to the gateway double, in v2 and v3: each verifies what the other signs', async () => {
    await using gateway = await startAlipayGateway({ material });
    const own = new AlipaySdk({ ...certified, gateway: `${gateway.url}/gateway.do`, endpoint: gateway.url });
    const answer = await own.exec('alipay.trade.query', { bizContent }, { validateSign: true });
    assert.deepEqual([answer.code, answer['outTradeNo']], ['10000', '1']);
    const rest = await own.curl<{ path: string }>('POST', '/v3/alipay/trade/query', { body: bizContent });
    assert.equal(rest.data.path, '/v3/alipay/trade/query');
    assert.deepEqual(gateway.counts, { accepted: 2, refused: 0 });
  });

  it('verifies what we sign, as a platform would, from its own text', async () => {
    const { url, body } = await context.authorize(
      { apiMethod: 'alipay.trade.query', bizContent: JSON.stringify(bizContent) },
      moment,
    );
    const form = `${new URL(url).search.slice(1)}&${Buffer.from(body!).toString()}`;
    // The SDK verifies with Alipay's key; given the application's certificate there, it judges our requests.
    const platform = new AlipaySdk({
      ...common,
      appCertContent: app.certificate,
      alipayRootCertContent: authority.certificate,
      alipayPublicCertContent: app.certificate,
    });
    assert.ok(platform.checkNotifySignV2(Object.fromEntries(new URLSearchParams(form))));
  });

  it('signs with Alipay’s key what we verify as a notification', async () => {
    const [{ privateKey, issued }] = [alipayKeys[0]!];
    const platform = new AlipaySdk({
      ...certified,
      privateKey: toPkcs8Pem(privateKey),
      appCertContent: issued.certificate,
    });
    const form = platform.sdkExecute('alipay.trade.query', { bizContent });
    const receive = (body: string) => context.verify({ kind: 'notification', body: Buffer.from(body) }, now);
    assert.deepEqual(await receive(form), { keyId: alipayKeys[0]!.serial, rule: 'V2' });
    await assert.rejects(receive(form.replace('trade.query', 'trade.close')));
    const back = { kind: 'return', url: `https://shop.example/?${form}`, body: new Uint8Array() } as const;
    assert.deepEqual(await context.verify(back, now), { keyId: alipayKeys[0]!.serial, rule: 'V2' });
  });

  it('writes in v2 the form that we write, and in v3 the Authorization: bit for bit', async () => {
    const received: ReceivedRequest[] = [];
    const server = await listenOnLoopback(0, (request) => {
      received.push(request);
      return { status: 400, headers: {}, body: Buffer.from('{"code":"no","message":"no"}') };
    });
    const own = new AlipaySdk({ ...certified, gateway: `${server.url}/gateway.do`, endpoint: server.url });
    const appAuthToken = 'token-1';
    const path = '/v3/alipay/trade/query?a=1%20b';
    await assert.rejects(own.exec('alipay.trade.query', { bizContent, appAuthToken, format: 'JSON' }));
    await assert.rejects(own.curl('POST', path, { body: bizContent, appAuthToken }));
    await server.close();

    const [v2, v3] = received as [ReceivedRequest, ReceivedRequest];
    const formOf = ({ url, body }: { url: string; body?: Uint8Array }) =>
      new URLSearchParams(`${url.slice(url.indexOf('?') + 1)}&${Buffer.from(body!).toString()}`);
    const theirs = formOf(v2);
    const { alipay_sdk, ...named } = Object.fromEntries(theirs);
    const call = {
      apiMethod: 'alipay.trade.query',
      bizContent: named['biz_content']!,
      appAuthToken,
      // What the SDK says of itself is signed as well.
      parameters: alipay_sdk === undefined ? {} : { alipay_sdk },
    };
    const at = new Date(`${named['timestamp']!.replace(' ', 'T')}+08:00`);
    const ours = formOf(await context.authorize(call, { ...moment, now: at }));
    assert.deepEqual(new Map(ours), new Map(theirs));

    const [, nonce = '', time = ''] = /nonce=([^,]+),timestamp=(\d+)/.exec(v3.headers.authorization ?? '') ?? [];
    const request = { method: 'POST', url: `${server.url}${path}`, body: v3.body, appAuthToken };
    const { headers } = await context.authorize(request, { now: new Date(Number(time)), nonce });
    assert.equal(headers['Authorization'], v3.headers.authorization);
    for (const name of ['alipay-root-cert-sn', 'alipay-app-auth-token']) assert.equal(headers[name], v3.headers[name]);
  });

  it('makes of a call for an app or a browser what we make of it: order string, address and form', async () => {
    const apiMethod = 'alipay.trade.wap.pay';
    const given = { bizContent, format: 'JSON' };
    const parametersOf = (query: string) => new Map(new URLSearchParams(query));
    const order = parametersOf(sdk.sdkExecute(apiMethod, given));
    const page = parametersOf(new URL(sdk.pageExecute(apiMethod, 'GET', given)).search);
    const form = sdk.pageExecute(apiMethod, 'POST', given);
    const formValue = /name="biz_content" value="([^"]*)"/.exec(form)?.[1];
    for (const [theirs, member] of [
      [order, 'orderString'],
      [page, 'pageUrl'],
    ] as const) {
      const { timestamp = '', biz_content: content = '', alipay_sdk } = Object.fromEntries(theirs);
      const call = { apiMethod, bizContent: content, ...(alipay_sdk && { parameters: { alipay_sdk } }) };
      const at = new Date(`${timestamp.replace(' ', 'T')}+08:00`);
      const ours = await context.paymentParameters(call, { ...moment, now: at });
      const query = member === 'pageUrl' ? new URL(ours[member]!).search : ours[member]!;
      assert.deepEqual(parametersOf(query), theirs, member);
      // Escaped in two ways, and to a browser the same.
      const shown = (text = '') =>
        text
          .replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))
          .replaceAll('&quot;', '"')
          .replaceAll('&amp;', '&');
      const own = /name="biz_content" value="([^"]*)"/.exec(ours['pageForm']!)?.[1];
      assert.equal(shown(own), shown(formValue));
    }
  });

  it('encrypts what we encrypt alike, in v2 and v3, and each opens what the other has sealed', async () => {
    const form = new URLSearchParams(sdk.sdkExecute('alipay.trade.query', { bizContent, needEncrypt: true }));
    const sealed = form.get('biz_content') ?? '';
    assert.equal(form.get('encrypt_type'), 'AES');
    const call = { apiMethod: 'alipay.trade.query', bizContent: JSON.stringify(bizContent) };
    const { body } = await context.authorize({ ...call, parameters: { encrypt_type: 'AES' } }, moment);
    assert.equal(new URLSearchParams(Buffer.from(body!).toString()).get('biz_content'), sealed);
    const rest = { method: 'POST', url: '/v3/alipay/trade/query', headers: { 'alipay-encrypt-type': 'AES' } };
    const { body: content } = await context.authorize({ ...rest, body: Buffer.from(call.bizContent) }, moment);
    assert.equal(Buffer.from(content!).toString(), sealed);
    const opened = await context.decrypt({ algorithm: 'AES', ciphertext: sealed });
    assert.equal(Buffer.from(opened.plaintext).toString(), call.bizContent);
    assert.equal(sdk.aesDecrypt(Buffer.from(content!).toString()), call.bizContent);
  });

  it('accepts answers of v3 as we do, and refuses the same forgeries', async () => {
    const body = Buffer.from('{"trade_status":"成功"}');
    for (const isForged of [false, true]) {
      const at = new Date();
      const signed = makeRestResponse(body, { alipayKey: alipayKeys[0]!, now: at });
      const sent = isForged ? Buffer.from(body.toString().replace('成', '失')) : body;
      const server = await listenOnLoopback(0, () => ({ status: 200, headers: signed.headers, body: sent }));
      const theirs = new AlipaySdk({ ...certified, endpoint: server.url }).curl('POST', '/v3/a', { body: {} });
      const ours = context.verify({ kind: 'response', status: 200, headers: signed.headers, body: sent }, at);
      const [heard, judged] = await Promise.allSettled([theirs, ours]);
      await server.close();
      const expected = isForged ? 'rejected' : 'fulfilled';
      assert.deepEqual([heard.status, judged.status], [expected, expected]);
    }
  });

  it('in key mode accepts what the double answers', async () => {
    const keyed = await makeMaterial({ mode: 'key' });
    await using gateway = await startAlipayGateway({ material: keyed });
    const own = new AlipaySdk({
      appId,
      privateKey: toPkcs8Pem(keyed.app.privateKey),
      keyType: 'PKCS8',
      alipayPublicKey: toSpkiPem(keyed.alipayKeys[0]!.publicKey),
      gateway: `${gateway.url}/gateway.do`,
    });
    assert.equal((await own.exec('alipay.trade.query', { bizContent }, { validateSign: true })).code, '10000');
  });
});
