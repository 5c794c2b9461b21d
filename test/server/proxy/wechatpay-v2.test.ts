// WeChat Pay v2 through the proxy: XML signed again with the APIv2 key, responses verified inside their XML, the certificate where it is asked for.
import assert from 'node:assert/strict';
import { createServer } from 'node:https';
import { createHash, createHmac, X509Certificate } from 'node:crypto';
import tls, { TLSSocket } from 'node:tls';
import { describe, it, type TestContext } from 'node:test';
import { readXml, writeXml } from '../../../src/providers/wechatpay-v2/xml.ts';
import { makeV2Notification } from '../../../src/testing/wechatpay-v2-message.ts';
import { createWechatpayMaterial, rotateMerchant } from '../../../src/testing/wechatpay-material.ts';
import { shopAt, startProxied } from '../../support/proxied.ts';
import { type RawPlatform, startRawPlatform } from '../../support/raw-platform.ts';
import { issue, makeAuthority, pairFiles } from '../../support/mtls.ts';
import { listen } from '../../support/listening.ts';

const merchantId = '1900000001';
const apiV2Key = 'k'.repeat(32);
const files = new Map([['apiv2_key', Buffer.from(apiV2Key)]]);
const shop = shopAt({ wechatpayV2: { merchantId, appId: 'wx8888888888888888' } });

const http = (body: string | Buffer, status = '200 OK') =>
  Buffer.concat([
    Buffer.from(`HTTP/1.1 ${status}\r\nContent-Type: text/xml\r\nContent-Length: ${String(Buffer.byteLength(body))}\r\nConnection: close\r\n\r\n`),
    Buffer.from(body),
  ]); // prettier-ignore
const signed = (parameters: Record<string, string> = {}, signType?: 'HMAC-SHA256') =>
  makeV2Notification({ apiV2Key, parameters: { prepay_id: 'wx1', ...parameters }, ...(signType && { signType }) });
const plain = (parameters: Record<string, string>) => writeXml(Object.entries(parameters));

async function serve(t: TestContext, { attempts = 3 } = {}) {
  const platform = await startRawPlatform(t);
  platform.respond(http(signed()));
  const proxied = await startProxied(t, { material: { files }, shop, double: platform.origin, attempts });
  return { platform, proxied };
}

/** What arrived, and whether the key signed it by the rule of the platform's documents, in plain words. */
function arrived({ body }: RawPlatform['requests'][number], key = apiV2Key) {
  const elements = Object.fromEntries(readXml(body));
  const text = Object.entries(elements)
    .filter(([name, value]) => name !== 'sign' && value !== '')
    .map((pair) => pair.join('='))
    .sort()
    .concat(`key=${key}`)
    .join('&');
  const code = elements['sign_type'] === 'HMAC-SHA256' ? createHmac('sha256', key) : createHash('md5');
  return { elements, isSigned: elements['sign'] === code.update(text).digest('hex').toUpperCase() };
}

const order = {
  mch_id: merchantId,
  body: '演示 <1>',
  out_trade_no: '1001',
  total_fee: '1',
  notify_url: 'https://shop.example/',
};
const call = (path: string, parameters: Record<string, string> = order) => ({
  path: `/shop${path}`,
  headers: { 'Content-Type': 'text/xml' },
  body: plain({ nonce_str: 'theirs', ...parameters, sign: 'THEIRS' }),
}); // prettier-ignore

describe('an order of WeChat Pay v2', () => {
  for (const [signType, more] of [['MD5', {}], ['HMAC-SHA256', { sign_type: 'HMAC-SHA256' }]] as const)
    it(`arrives under a signature of the credential, ${signType}, and with a nonce of its own`, async (t) => {
      const { platform, proxied } = await serve(t);
      const { status, headers, text } = await proxied.call(call('/pay/unifiedorder', { ...order, ...more }));
      assert.deepEqual([status, headers['paycert-verified'], headers['paycert-outcome']], [200, 'yes', 'ok']);
      assert.equal(text, signed().toString());
      await proxied.call(call('/pay/unifiedorder', { ...order, ...more }));
      const [first, second] = platform.requests.map((request) => arrived(request));
      assert.ok(first?.isSigned === true && second?.isSigned === true);
      const { nonce_str: nonce, sign: _, ...rest } = first.elements;
      assert.deepEqual(rest, { ...order, ...more });
      assert.ok(nonce !== 'theirs' && nonce !== second.elements['nonce_str']);
      assert.equal(platform.requests[0]?.line, 'POST /pay/unifiedorder HTTP/1.1');
    }); // prettier-ignore

  it('that an SDK has signed gets no parameter that it left out; one that nobody has signed gets the usual', async (t) => {
    const { platform, proxied } = await serve(t);
    const path = '/shop/papay/x';
    for (const body of [plain({ a: '1', sign: 'THEIRS' }), plain({ a: '1' })])
      assert.equal((await proxied.call({ path, body })).status, 200);
    const [signedOne, plainOne] = platform.requests.map((request) => arrived(request));
    assert.ok(signedOne?.isSigned === true && plainOne?.isSigned === true);
    assert.deepEqual(Object.keys(signedOne.elements).sort(), ['a', 'sign']);
    assert.deepEqual(Object.keys(plainOne.elements).sort(), ['a', 'appid', 'mch_id', 'nonce_str', 'sign']);
  });

  it('is signed with the key that the credential has now', async (t) => {
    const { platform, proxied } = await serve(t);
    const next = 'n'.repeat(32);
    const rotated = new Map([['apiv2_key', Buffer.from(next)], ['apiv2_key.previous', Buffer.from(apiV2Key)]]); // prettier-ignore
    assert.equal(await proxied.load('shop', rotated), undefined);
    assert.equal((await proxied.call(call('/pay/unifiedorder'))).status, 200);
    assert.ok(platform.requests.every((request) => arrived(request, next).isSigned));
  });

  for (const name of ['mch_id', 'mchid', 'combine_mch_id'])
    it(`of another merchant in ${name} is refused by name, and nothing is sent`, async (t) => {
      const { platform, proxied } = await serve(t);
      const { status, problem } = await proxied.call(call('/pay/unifiedorder', { [name]: '1900000002' }));
      assert.deepEqual([status, problem?.field, problem?.outcome], [400, `parameters.${name}`, 'refused']);
      assert.equal(platform.requests.length, 0);
    });

  it('for a sub-merchant is the platform’s to judge', async (t) => {
    const { platform, proxied } = await serve(t);
    const { status } = await proxied.call(call('/pay/unifiedorder', { ...order, sub_mch_id: '1900000009', sub_appid: 'wx2' })); // prettier-ignore
    const [request] = platform.requests;
    assert.ok(status === 200 && request && arrived(request).elements['sub_mch_id'] === '1900000009');
  });

  for (const [what, body, more] of [
    ['is no XML', '{"a":1}', ''],
    ['has an entity of its own', '<!DOCTYPE a [<!ENTITY x "y">]><xml><a>&x;</a></xml>', ''],
    ['has an element twice', '<xml><a>1</a><a>2</a></xml>', ''],
    ['tells the key', '<xml><key>k</key></xml>', ''],
    ['has parameters in its address, too', '<xml><a>1</a></xml>', '?mch_id=1900000002'],
  ])
    it(`that ${what} is refused before anything is signed`, async (t) => {
      const { platform, proxied } = await serve(t);
      const { status, problem } = await proxied.call({ path: `/shop/pay/unifiedorder${more}`, body });
      assert.deepEqual([status, problem?.title, platform.requests.length], [400, 'request-invalid', 0]);
    });
});

describe('a response of WeChat Pay v2', () => {
  const cases: readonly (readonly [what: string, path: string, body: string | Buffer, expected: readonly [status: number, verified: string | undefined, outcome: string]])[] = [
    ['that is signed', '/pay/unifiedorder', signed(), [200, 'yes', 'ok']],
    ['that is signed with HMAC', '/pay/unifiedorder', signed({}, 'HMAC-SHA256'), [200, 'yes', 'ok']],
    ['that says no and is signed', '/pay/unifiedorder', signed({ result_code: 'FAIL', err_code: 'ORDERPAID' }), [200, 'yes', 'refused']],
    ['that leaves it open and is signed', '/secapi/mch/x', signed({ result_code: 'FAIL', err_code: 'SYSTEMERROR' }), [200, 'yes', 'unknown']],
    ['with a code that nobody knows', '/pay/unifiedorder', signed({ result_code: 'FAIL', err_code: 'NEW_CODE' }), [200, 'yes', 'unknown']],
    ['that says that nothing arrived, unsigned', '/pay/unifiedorder', plain({ return_code: 'FAIL', return_msg: '签名错误' }), [200, 'no', 'refused']],
    ['that says that it is busy, unsigned', '/pay/unifiedorder', plain({ return_code: 'FAIL', return_msg: '系统繁忙' }), [200, 'no', 'unknown']],
    ['without sign', '/pay/unifiedorder', plain({ return_code: 'SUCCESS', result_code: 'SUCCESS' }), [502, undefined, 'unknown']],
    ['that was changed', '/pay/unifiedorder', signed().toString().replace('wx1', 'wx2'), [502, undefined, 'unknown']],
    ['that is a page', '/pay/unifiedorder', '<html lang="en"></html>', [502, undefined, 'unknown']],
    ['that is never signed', '/payitil/report', plain({ return_code: 'SUCCESS', result_code: 'SUCCESS' }), [200, 'none', 'ok']],
    ['that is never signed and says no', '/payitil/report', plain({ return_code: 'SUCCESS', result_code: 'FAIL', err_code: 'NOTENOUGH' }), [200, 'no', 'refused']],
    ['that is never signed and leaves it open', '/payitil/report', plain({ return_code: 'SUCCESS', result_code: 'FAIL', err_code: 'SEND_FAILED' }), [200, 'no', 'unknown']],
    ['that is a bill', '/pay/downloadbill', '交易时间,公众账号ID\r\n`2026', [200, 'none', 'ok']],
  ]; // prettier-ignore
  for (const [what, path, body, expected] of cases)
    it(`${what} is ${JSON.stringify(expected)}`, async (t) => {
      const { platform, proxied } = await serve(t, { attempts: 1 });
      platform.respond(http(body));
      // Without a certificate.
      const { status, headers, text } = await proxied.call(call(path.replace('/secapi/mch/x', '/pay/micropay')));
      assert.deepEqual([status, headers['paycert-verified'], headers['paycert-outcome']], expected);
      if (status === 200) assert.equal(text, body.toString());
    });

  it('to a query is asked for again where the connection breaks or it is busy; one to a refund never', async (t) => {
    for (const [path, times] of [['/pay/orderquery', 3], ['/pay/closeorder', 1]] as const) {
      const { platform, proxied } = await serve(t);
      platform.respond('', http(signed({ result_code: 'FAIL', err_code: 'SYSTEMERROR' })), http(signed()));
      const { status } = await proxied.call(call(path));
      assert.deepEqual([status, platform.requests.length], [times === 3 ? 200 : 502, times]);
      const nonces = platform.requests.map((request) => arrived(request).elements['nonce_str']);
      assert.equal(new Set(nonces).size, times);
    } // prettier-ignore
  });
});

describe('a refund of WeChat Pay v2', () => {
  const refund = call('/secapi/pay/refund', { out_trade_no: '1', out_refund_no: '2' });

  it('is refused by name where the credential has no certificate to show', async (t) => {
    const { platform, proxied } = await serve(t);
    const { problem } = await proxied.call(refund);
    assert.deepEqual([problem?.title, problem?.outcome, platform.requests.length], ['no-client-certificate', 'refused', 0]); // prettier-ignore
    assert.match(problem?.hint ?? '', /Add a client certificate and its key/);
  });

  it('shows the certificate that is current, and an order shows none', async (t) => {
    const authority = await makeAuthority();
    const pair = pairFiles(await issue(authority, 'localhost', { hostNames: ['localhost'] }));
    const shown: (string | undefined)[] = [];
    const server = createServer({ cert: pair['tls.crt'], key: pair['tls.key'], requestCert: true, rejectUnauthorized: false }, (request, response) => {
      const { socket } = request;
        shown.push(socket instanceof TLSSocket ? socket.getPeerX509Certificate()?.serialNumber : 'no TLS');
      request.resume().on('end', () => response.end(signed()));
    }); // prettier-ignore
    const port = await listen(t, server, 'localhost');
    const trusted = tls.getCACertificates('default');
    tls.setDefaultCACertificates([...trusted, authority.certificate]);
    t.after(() => tls.setDefaultCACertificates(trusted));

    const material = await createWechatpayMaterial({ merchantId });
    const filesOf = ({ files: all }: typeof material) =>
      new Map([...files, ...[...all].filter(([name]) => name.startsWith('apiclient_'))]);
    const serialOf = (of: Map<string, Uint8Array>) =>
      new X509Certificate(Buffer.from(of.get('apiclient_cert.pem') ?? [])).serialNumber;
    const [first, second] = [filesOf(material), filesOf(await rotateMerchant(material, {}))];
    const double = `https://localhost:${String(port)}`;
    const proxied = await startProxied(t, { material: { files: first }, shop, double, now: new Date() });
    for (const one of [call('/pay/unifiedorder'), refund]) assert.equal((await proxied.call(one)).status, 200);
    assert.equal(await proxied.load('shop', second), undefined);
    for (const one of [refund, call('/pay/unifiedorder')]) assert.equal((await proxied.call(one)).status, 200);
    assert.deepEqual(shown, [undefined, serialOf(first), serialOf(second), undefined]);
  });
});
