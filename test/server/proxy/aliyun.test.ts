// Aliyun through the proxy: RPC with the platform's own SDK and a made-up key, and ACS3, to endpoints that are configured alone.
import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { describe, it, type TestContext } from 'node:test';
import RPCClient from '@alicloud/pop-core/lib/rpc.js';
import type { ProxyRoute } from '../../../src/server/proxy/allowed.ts';
import type { Call } from '../../support/http-client.ts';
import { shopAt, startProxied, token } from '../../support/proxied.ts';
import { type RawPlatform, startRawPlatform } from '../../support/raw-platform.ts';

const accessKeyId = 'LTAI5tExampleExample0001';
const secret = 'example-secret-of-the-merchant';
const filesOf = (files: Readonly<Record<string, string>>) =>
  new Map(Object.entries(files).map(([name, text]) => [name, Buffer.from(text)]));
const material = { files: filesOf({ access_key_id: accessKeyId, access_key_secret: secret }) };
const lent = {
  files: filesOf({ access_key_id: 'STS.NUexample0002', access_key_secret: secret, security_token: 'CAIS+/=' }),
};

const ok = (body = '{"Code":"OK","BizId":"1"}', status = '200 OK') =>
  `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${String(body.length)}\r\nConnection: close\r\n\r\n${body}`;

async function serve(t: TestContext, { of = material, endpoints = ['dysmsapi.aliyuncs.com'] } = {}) {
  const platform = await startRawPlatform(t);
  platform.respond(ok());
  const shop = shopAt({ aliyun: endpoints.length > 0 ? { endpoints } : {} });
  const proxied = await startProxied(t, { material: of, shop, double: platform.origin });
  return { platform, proxied };
}

const encode = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);

/** The parameters that arrived, and whether the secret signed them: Aliyun's rule, and not our code. */
function rpcOf({ line, body }: RawPlatform['requests'][number]) {
  const [method = '', target = ''] = line.split(' ');
  const sent = new URLSearchParams(`${target.split('?')[1] ?? ''}&${body.toString()}`);
  const text = [...sent]
    .filter(([name]) => name !== 'Signature')
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join('&');
  const wanted = createHmac('sha1', `${secret}&`)
    .update(`${method}&%2F&${encode(text)}`)
    .digest('base64');
  return { parameters: Object.fromEntries(sent), names: [...sent.keys()], isSigned: sent.get('Signature') === wanted };
}

const sms = {
  PhoneNumbers: '13800000000',
  SignName: '阿里 云+',
  TemplateCode: 'SMS_1',
  TemplateParam: '{"code":"1 2"}',
};

describe('the SDK of Aliyun with another endpoint and a made-up key', () => {
  for (const method of ['GET', 'POST'] as const) {
    it(`sends a message by ${method}, signed with the access key that the credential has now`, async (t) => {
      const { platform, proxied } = await serve(t);
      const sdk = new RPCClient({
        ...{ accessKeyId: 'paycert', accessKeySecret: 'made up', apiVersion: '2017-05-25' },
        endpoint: `http://${proxied.tcp}/~${token}/shop`,
      });
      assert.deepEqual({ ...(await sdk.request<object>('SendSms', sms, { method })) }, { Code: 'OK', BizId: '1' });
      assert.equal(await proxied.load('shop', lent.files), undefined);
      await sdk.request('SendSms', sms, { method });
      const [first, second] = platform.requests.map(rpcOf);
      assert.ok(first?.isSigned === true && second?.isSigned === true);
      const { parameters } = first;
      assert.deepEqual(
        [parameters['AccessKeyId'], parameters['Action'], parameters['SignName'], parameters['SecurityToken']],
        [accessKeyId, 'SendSms', sms.SignName, undefined],
      );
      assert.deepEqual(
        [second.parameters['AccessKeyId'], second.parameters['SecurityToken']],
        ['STS.NUexample0002', 'CAIS+/='],
      );
      assert.equal(new Set(first.names).size, first.names.length);
    });
  }
});

describe('an ACS3 request', () => {
  it('arrives under a signature over its own host, path, query, headers and body', async (t) => {
    const { platform, proxied } = await serve(t);
    const body = '{"a":"手机"}';
    const path = '/shop/v2/messages/a%20b?b=2%20%2B&a=';
    const headers = {
      ...{ 'x-acs-version': '2017-05-25', 'x-acs-action': 'SendSms', 'Content-Type': 'application/json' },
      ...{ Authorization: 'ACS3-HMAC-SHA256 Credential=paycert,SignedHeaders=host,Signature=0' },
      ...{ 'x-acs-security-token': 'theirs', 'x-acs-signature-nonce': '1', 'x-acs-date': '2020-01-01T00:00:00Z' },
    };
    const { status, headers: received } = await proxied.call({ path, body, headers });
    assert.deepEqual([status, received['paycert-verified']], [200, 'none']);
    const [request] = platform.requests;
    assert.ok(request);
    assert.deepEqual([request.line, request.body.toString()], ['POST /v2/messages/a%20b?a=&b=2%20%2B HTTP/1.1', body]);
    const { authorization = '' } = request.headers;
    const [, names = '', signature] = /SignedHeaders=([^,]+),Signature=(\w+)$/.exec(authorization) ?? [];
    const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
    const lines = names.split(';').map((name) => `${name}:${request.headers[name] ?? ''}\n`);
    const canonical = `POST\n/v2/messages/a%20b\na=&b=2%20%2B\n${lines.join('')}\n${names}\n${sha256(body)}`;
    const wanted = createHmac('sha256', secret)
      .update(`ACS3-HMAC-SHA256\n${sha256(canonical)}`)
      .digest('hex');
    assert.equal(signature, wanted);
    assert.ok(names.split(';').includes('host') && authorization.includes(`Credential=${accessKeyId},`));
    assert.equal(request.headers['host'], platform.origin.slice('http://'.length));
    assert.equal(request.headers['x-acs-security-token'], undefined);
    assert.notEqual(request.headers['x-acs-signature-nonce'], '1');
  });
});

describe('a call of Aliyun', () => {
  const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
  const acs3 = { 'x-acs-version': '1', 'x-acs-action': 'SendSms' };
  const foreign = 'LTAI5tSomebodyElse0009';
  const refused: Readonly<Record<string, [string, Call]>> = {
    'with somebody’s access key': ['AccessKeyId', { path: `/shop/?Action=SendSms&Version=1&AccessKeyId=${foreign}` }],
    'with somebody’s access key in its form': [
      'AccessKeyId',
      { path: '/shop/', headers: form, body: `Action=SendSms&Version=1&AccessKeyId=${foreign}` },
    ],
    'with somebody’s access key in ACS3': [
      'headers.authorization.Credential',
      { path: '/shop/', headers: { ...acs3, Authorization: `ACS3-HMAC-SHA256 Credential=${foreign},Signature=0` } },
    ],
    'with the parameters of both': [
      'Action',
      {
        path: '/shop/?Action=SendSms&Version=1',
        headers: { ...acs3, Authorization: 'ACS3-HMAC-SHA256 Credential=paycert,Signature=0' },
      },
    ],
    'with a parameter twice': ['Action', { path: '/shop/?Action=QuerySendDetails&%41ction=SendSms&Version=1' }],
    'without an action': ['Action', { path: '/shop/?Version=1' }],
    'that is no form': ['headers.content-type', { path: '/shop/', body: '{}' }],
    'with a plus that is a space to some': ['url', { path: '/shop/?Action=SendSms&Version=1&SignName=a+b' }],
    'with a path': ['url', { path: '/shop/bucket/object?Action=GetObject&Version=1' }],
  };
  for (const [what, [field, call]] of Object.entries(refused)) {
    it(`is refused by name, and not signed: ${what}`, async (t) => {
      const { platform, proxied } = await serve(t);
      const { status, problem } = await proxied.call(call);
      assert.deepEqual([status, problem?.title, problem?.field], [400, 'request-invalid', field]);
      assert.equal(platform.requests.length, 0);
    });
  }

  it('names the credential’s own key, or one that it has just replaced, and is signed with the current one', async (t) => {
    const { platform, proxied } = await serve(t);
    const path = `/shop/?Action=SendSms&Version=1&AccessKeyId=${accessKeyId}`;
    assert.equal((await proxied.call({ path })).status, 200);
    assert.equal(await proxied.load('shop', lent.files), undefined);
    assert.equal((await proxied.call({ path })).status, 200);
    assert.deepEqual(
      platform.requests.map((request) => rpcOf(request).parameters['AccessKeyId']),
      [accessKeyId, 'STS.NUexample0002'],
    );
  });

  it('gets the platform’s errors, and is sent twice only where it reads, whatever its verb', async (t) => {
    const { platform, proxied } = await serve(t);
    platform.respond(ok('{"Code":"isv.BUSINESS_LIMIT_CONTROL"}', '400 Bad Request'));
    const send = { path: '/shop/?Action=SendSms&Version=1' };
    const { status, headers, text } = await proxied.call(send);
    assert.deepEqual([status, headers['paycert-verified']], [400, 'no']);
    assert.equal(text, '{"Code":"isv.BUSINESS_LIMIT_CONTROL"}');
    const sent = async (call: Call) => {
      const before = platform.requests.length;
      platform.respond('', ok());
      const answer = await proxied.call(call);
      return [answer.status, answer.problem?.outcome, platform.requests.length - before];
    };
    assert.deepEqual(await sent(send), [502, 'unknown', 1]);
    assert.deepEqual(await sent({ path: '/shop/?Action=QuerySendDetails&Version=1' }), [200, undefined, 2]);
  });

  it('leaves for an endpoint that is configured, and for no other host of Aliyun’s', async (t) => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close());
    const refusedAs = async (routes: readonly ProxyRoute[], call: Call, endpoints?: string[]) => {
      const shop = shopAt({ aliyun: endpoints === undefined ? {} : { endpoints } });
      const proxied = await startProxied(t, { material, shop, double: '', routes });
      const { status, problem } = await proxied.call(call);
      return [status, problem?.title, proxied.events.some(({ type }) => type === 'attempted')];
    };
    const path = '/shop/?Action=SendSms&Version=1';
    const endpoints = ['dysmsapi.aliyuncs.com'];
    const no = [403, 'route-refused', false];
    assert.deepEqual(await refusedAs([{ credential: 'shop' }], { path }), no);
    const oss = 'https://bucket.oss-cn-hangzhou.aliyuncs.com';
    assert.deepEqual(await refusedAs([{ credential: 'shop', origin: oss }], { path }, endpoints), no);
    assert.deepEqual(await refusedAs([{ credential: 'shop', origin: 'https://*.aliyuncs.com' }], { path }), no);
    const { port } = server.address() as AddressInfo;
    for (const at of [
      'http://bucket.oss-cn-hangzhou.aliyuncs.com/?Action=SendSms',
      `http://127.0.0.1:${String(port)}/`,
    ])
      assert.deepEqual(await refusedAs([{ credential: 'shop' }], { path: at }, endpoints), no, at);
  });
});
