// What goes out is what was signed, byte for byte, and signed by us; what could not be sent so is refused before it is signed.
import assert from 'node:assert/strict';
import { verify } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { signMessage } from '../../../src/testing/wechatpay-message.ts';
import { makeMaterial, merchantId, start } from '../../support/api-server.ts';
import { type Proxied, startProxied } from '../../support/proxied.ts';
import { type RawRequest, startRawPlatform } from '../../support/raw-platform.ts';

const material = await makeMaterial();
const { merchant, platformKeys } = material;
const [platformKey] = platformKeys;
assert.ok(platformKey);

const headLines = (headers: Readonly<Record<string, string>>) =>
  Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join(''); // prettier-ignore
const signed = signMessage(Buffer.from('{}'), { platformKey, now: start });
const ok = `HTTP/1.1 200 OK\r\n${headLines(signed.headers)}Content-Length: 2\r\nConnection: close\r\n\r\n{}`;

/** Whether the merchant's key signed exactly what arrived. */
function isSignedBy(request: RawRequest, body = request.body): boolean {
  const [method = '', target = ''] = request.line.split(' ');
  const { authorization = '' } = request.headers;
  const [, timestamp = ''] = /timestamp="(\d+)"/.exec(authorization) ?? [];
  const [, nonce = ''] = /nonce_str="(\w+)"/.exec(authorization) ?? [];
  const [, signature = ''] = /signature="([^"]+)"/.exec(authorization) ?? [];
  const message = Buffer.concat([
    Buffer.from(`${method}\n${target}\n${timestamp}\n${nonce}\n`),
    body,
    Buffer.from('\n'),
  ]);
  return verify('sha256', message, merchant.publicKey, Buffer.from(signature, 'base64'));
}

const eventsSent = ({ events }: Proxied) => events.filter(({ type }) => type === 'attempted').length;

describe('a request through the proxy', () => {
  it('arrives with its path, query, escapes and body untouched, under a signature of the merchant over exactly that', async (t) => {
    const platform = await startRawPlatform(t);
    platform.respond(ok);
    const proxied = await startProxied(t, { material, double: platform.origin });
    const targets = [
      '/v3/pay/transactions/out-trade-no/A|2%7c%7C*?mchid=1900000001',
      `/v3/x?mchid=${merchantId}&q=%e4%bd%A0+a%20b&empty=&&flag&a[0]=1`,
      "/v3/it's(a)*;=1,@:$!~/?",
      '/v3/x??#'.slice(0, -1),
    ];
    for (const target of targets) {
      const body = `{"mchid":"${merchantId}","description":"手机\\/ \\u0041","a":  [1.0, 1e2]}\n`;
      const { status } = await proxied.call({ path: `/shop${target}`, body });
      assert.equal(status, 200, target);
      const request = platform.requests.at(-1);
      assert.ok(request);
      assert.deepEqual([request.line, request.body.toString()], [`POST ${target} HTTP/1.1`, body]);
      assert.ok(isSignedBy(request), target);
      assert.equal(request.headers['host'], platform.origin.slice('http://'.length));
      assert.ok(request.headers['authorization']?.includes(`mchid="${merchantId}"`));
    }
  });

  it('arrives without a body as it was sent without one, and with an empty one as that', async (t) => {
    const platform = await startRawPlatform(t);
    platform.respond(ok);
    const proxied = await startProxied(t, { material, double: platform.origin });
    await proxied.call({ path: '/shop/v3/certificates' });
    await proxied.call({ path: '/shop/v3/x', method: 'POST' });
    const [get, post] = platform.requests;
    assert.ok(get && post && isSignedBy(get) && isSignedBy(post));
    assert.deepEqual([get.headers['content-length'], post.headers['content-length']], [undefined, '0']);
  });

  it('loses what belongs to its connection, to the application’s key and to paycert, and keeps the rest', async (t) => {
    const platform = await startRawPlatform(t);
    platform.respond(ok);
    const proxied = await startProxied(t, { material, double: platform.origin });
    const headers = {
      ...{
        Authorization: `WECHATPAY2-SHA256-RSA2048 mchid="${merchantId}",serial_no="666"`,
        'Proxy-Authorization': 'Bearer x',
        'Paycert-Token': 'x',
      },
      ...{ Connection: 'keep-alive, x-mine', 'X-Mine': '1', Cookie: 'a=b', traceparent: '00-1-2-01', TE: 'trailers' },
      ...{ 'Accept-Encoding': 'gzip', 'User-Agent': 'sdk/1', 'Idempotency-Key': '7', Accept: 'text/json' },
    };
    await proxied.call({ path: '/shop/v3/certificates', headers });
    const { authorization = '', ...rest } = platform.requests[0]?.headers ?? {};
    assert.match(authorization, new RegExp(`mchid="${merchantId}".*serial_no="${merchant.serialNumber}"`));
    assert.deepEqual(rest, {
      host: platform.origin.slice('http://'.length),
      connection: 'keep-alive',
      'user-agent': 'sdk/1',
      'idempotency-key': '7',
      accept: 'text/json',
      'wechatpay-serial': material.platformKeys[1]?.keyId,
    });
  });

  it('keeps a Wechatpay-Serial that names a key of the platform, in any case, and no other', async (t) => {
    const platform = await startRawPlatform(t);
    platform.respond(ok);
    const proxied = await startProxied(t, { material, double: platform.origin });
    const sent = async (serial: string) => {
      await proxied.call({ path: '/shop/v3/certificates', headers: { 'Wechatpay-Serial': serial } });
      return platform.requests.at(-1)?.headers['wechatpay-serial'];
    };
    assert.equal(await sent(platformKey.keyId.toLowerCase()), platformKey.keyId);
    assert.equal(await sent(material.platformKeys[2]?.keyId ?? ''), material.platformKeys[2]?.keyId);
    for (const foreign of ['ABCDEF0123', merchant.serialNumber, 'PUB_KEY_ID_1'])
      assert.equal(await sent(foreign), material.platformKeys[1]?.keyId);
  });

  it('that uploads is signed over its part meta alone, and arrives whole', async (t) => {
    const platform = await startRawPlatform(t);
    platform.respond(ok);
    const proxied = await startProxied(t, { material, double: platform.origin });
    const meta = '{"filename":"a.jpg","sha256":"0f"}';
    const file = Buffer.from([0, 13, 10, 45, 45, 255, 128]);
    const body = Buffer.concat([
      Buffer.from(
        `--b\r\nContent-Disposition: form-data; name="meta"\r\nContent-Type: application/json\r\n\r\n${meta}\r\n--b\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n`,
      ),
      file,
      Buffer.from('\r\n--b--\r\n'),
    ]);
    // As wechatpayv3 has it the second time: the boundary stands in the body alone, and is added.
    for (const type of ['multipart/form-data; boundary=b', 'multipart/form-data']) {
      const headers = { 'Content-Type': type };
      const { status } = await proxied.call({ path: '/shop/v3/merchant/media/upload', headers, body });
      const request = platform.requests.at(-1);
      assert.ok(request);
      assert.deepEqual([status, request.body], [200, body]);
      assert.equal(request.headers['content-type'], 'multipart/form-data; boundary=b');
      assert.ok(isSignedBy(request, Buffer.from(meta)));
    }
  });
});

describe('what cannot be sent as it is signed', () => {
  const refused: Readonly<Record<string, string>> = {
    '/v3/%zz': 'percent-encode',
    '/v3/a%2': 'percent-encode',
    '/v3/{a}': 'percent-encode',
    '/v3/a"b': 'percent-encode',
    '/v3/a\\b': 'percent-encode',
    '/v3/a^b`': 'percent-encode',
    '/v3/x?a=<b>': 'percent-encode',
    '/v3/../secapi/pay/refund': 'dot segments',
    '/v3/./x': 'dot segments',
    '/v3/%2e%2E/secapi': 'dot segments',
    '/v3/.%2e': 'dot segments',
    '/v3//x': 'dot segments',
    '/v3/a%2fb': 'encoded slash',
    '/v3/a%5Cb': 'encoded slash',
    '/v3/a%00': 'encoded slash',
    [`/v3/${'a'.repeat(8192)}`]: 'longer than',
  };
  for (const [target, why] of Object.entries(refused)) {
    it(`is refused before it is signed: ${target.slice(0, 40)}`, async (t) => {
      const platform = await startRawPlatform(t);
      const proxied = await startProxied(t, { material, double: platform.origin });
      const { status, problem } = await proxied.call({ path: `/shop${target}` });
      assert.deepEqual([status, problem?.title, problem?.outcome], [400, 'request-invalid', 'refused']);
      assert.ok(problem?.detail.includes(why), problem?.detail);
      assert.deepEqual([platform.requests.length, eventsSent(proxied)], [0, 0]);
    });
  }

  it('is all that is not sent: whatever path and query arrives at the platform is the one that was asked for', async (t) => {
    const platform = await startRawPlatform(t);
    platform.respond(ok);
    const proxied = await startProxied(t, { material, double: platform.origin });
    const piece = fc.constantFrom(...'ab/.~%?&=+|;@[]{}#\\'.split(''), '%2e', '%41', '%', '..', '//');
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async (pieces) => {
        const target = `/v3/${pieces.join('')}`;
        const before = platform.requests.length;
        const { status } = await proxied.call({ path: `/shop${target}` });
        if (status === 200) assert.equal(platform.requests.at(-1)?.line, `GET ${target} HTTP/1.1`);
        else assert.equal(platform.requests.length, before);
      }),
      { numRuns: 150 },
    );
  });
});

describe('another account', () => {
  const other = '1900000002';
  const bodies: Readonly<Record<string, string>> = {
    'body.mchid': `{"mchid":"${other}"}`,
    'body.sp_mchid': `{"sp_mchid":"${other}","sub_mchid":"3"}`,
    'body.combine_mchid': `{"a":{"b":1},"combine_mchid":"${other}"}`,
  };
  for (const [field, body] of Object.entries(bodies)) {
    it(`in ${field} is refused by that name, and nothing is signed`, async (t) => {
      const platform = await startRawPlatform(t);
      const proxied = await startProxied(t, { material, double: platform.origin });
      const { status, problem } = await proxied.call({ path: '/shop/v3/pay', body });
      assert.deepEqual([status, problem?.title, problem?.field], [400, 'request-invalid', field]);
      assert.equal(platform.requests.length, 0);
    });
  }

  it('in the Authorization of an SDK is refused by that name: a refund names its merchant nowhere else', async (t) => {
    const platform = await startRawPlatform(t);
    const proxied = await startProxied(t, { material, double: platform.origin });
    for (const authorization of [
      `WECHATPAY2-SHA256-RSA2048 mchid="${other}",nonce_str="a",serial_no="B"`,
      `WECHATPAY2-SHA256-RSA2048 nonce_str="a", mchid=${other}`,
    ]) {
      const call = { path: '/shop/v3/refund/domestic/refunds', body: '{}', headers: { Authorization: authorization } };
      const { status, problem } = await proxied.call(call);
      assert.deepEqual([status, problem?.field], [400, 'headers.authorization.mchid']);
    }
    assert.equal(platform.requests.length, 0);
  });

  it('is found however it is written: escaped, twice, as another type, in the query, in an upload', async (t) => {
    const platform = await startRawPlatform(t);
    const proxied = await startProxied(t, { material, double: platform.origin });
    const calls = [
      { path: '/shop/v3/pay', body: `{"\\u006dchid":"${other}"}` },
      { path: '/shop/v3/pay', body: `{"mchid":"${other}","mchid":"${merchantId}"}` },
      { path: '/shop/v3/pay', body: `{"mchid":"${merchantId}","mchid":"${merchantId}"}` },
      { path: '/shop/v3/pay', body: `{"mchid":["${merchantId}"]}` },
      { path: '/shop/v3/pay', body: `{"mchid":null}` },
      { path: '/shop/v3/pay', body: `[{"mchid":"${other}"}]` },
      { path: '/shop/v3/pay', body: `{"mchid":"${other}"` },
      { path: '/shop/v3/pay', body: Buffer.from([0x7b, 0xff, 0x7d]) },
      { path: `/shop/v3/pay?mchid=${other}` },
      { path: `/shop/v3/pay?mchid=${merchantId}&mchid=${other}` },
      { path: `/shop/v3/pay?m%63hid=${other}` },
      { path: `/shop/v3/pay?x=1?mchid=2&sp_mchid=${other}` },
      {
        path: '/shop/v3/upload',
        headers: { 'Content-Type': 'multipart/form-data; boundary=b' },
        body: `--b\r\nContent-Disposition: form-data; name="meta"\r\n\r\n{"mchid":"${other}"}\r\n--b--\r\n`,
      },
      {
        path: '/shop/v3/upload',
        headers: { 'Content-Type': 'multipart/form-data; boundary=b' },
        body: `--b\r\nContent-Disposition: form-data; name="meta"\r\n\r\n{}\r\n--b\r\nContent-Disposition: form-data; name=meta\r\n\r\n{}\r\n--b--\r\n`,
      },
    ];
    for (const call of calls) {
      const { status, problem } = await proxied.call(call);
      assert.deepEqual([status, problem?.title], [400, 'request-invalid'], JSON.stringify(call));
      assert.ok(!problem?.detail.includes(other));
    }
    assert.equal(platform.requests.length, 0);
  });

  it('is no sub-merchant, receiver or appid, nor anything below the top', async (t) => {
    const platform = await startRawPlatform(t);
    platform.respond(ok);
    const proxied = await startProxied(t, { material, double: platform.origin });
    const body = `{"sp_mchid":${merchantId},"sub_mchid":"${other}","appid":"wx9","receivers":[{"mchid":"${other}"}],"text":"\\"mchid\\":\\"${other}\\""}`;
    const { status } = await proxied.call({ path: `/shop/v3/x?sub_mchid=${other}`, body });
    assert.equal(status, 200);
  });
});
