// The platforms' hosts, as the examples of the documents name them: each checks a request by what arrived alone, and answers.
import assert from 'node:assert/strict';
import { constants, createHash, createHmac, verify } from 'node:crypto';
import { type TestContext } from 'node:test';
import { Hash } from 'wechatpay-axios-plugin';
import { readXml, writeXml } from '../../src/providers/wechatpay-v2/xml.ts';
import { startAlipayGateway, startWechatpayGateway } from '../../src/testing/index.ts';
import type { Answer, ReceivedRequest } from '../../src/testing/loopback.ts';
import type { Host } from './internet.ts';
import type { ProviderSidecar } from './provider-sidecar.ts';

export const textOf = ({ body }: Pick<Answer, 'body'>): string => Buffer.from(body).toString();
const answer = (text: string): Answer => ({ status: 200, headers: {}, body: Buffer.from(text) });

const encode = (value: string): string =>
  encodeURIComponent(value).replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);

const joined = (pairs: readonly (readonly [string, string])[]): string =>
  pairs
    .map(([name, value]) => `${name}=${value}`)
    .sort()
    .join('&');

/** The double's own answer, with all its headers. */
const passOn =
  (base: string): Host =>
  async ({ method, url, headers, body }) => {
    const { host: _, connection: __, 'content-length': ___, ...sent } = headers;
    const init = { method, headers: sent as Record<string, string>, ...(body.byteLength > 0 && { body }) };
    const response = await fetch(`${base}${url}`, init);
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: Buffer.from(await response.arrayBuffer()),
    };
  };

/** RPC, signature version 1.0. */
function answerAliyunRpc({ secrets }: ProviderSidecar, request: ReceivedRequest): Answer {
  const parameters = new URLSearchParams(textOf(request));
  const canonical = joined(
    [...parameters]
      .filter(([name]) => name !== 'Signature')
      .map(([name, value]) => [encode(name), encode(value)] as const),
  );
  const signed = createHmac('sha1', `${secrets.accessKeySecret}&`).update(`POST&%2F&${encode(canonical)}`);
  assert.equal(parameters.get('Signature'), signed.digest('base64'));
  return answer('sent');
}

/** ACS3-HMAC-SHA256. */
function answerAliyunAcs3({ secrets }: ProviderSidecar, { method, url, headers, body }: ReceivedRequest): Answer {
  const { pathname, search } = new URL(url, 'http://gateway');
  const [, names = '', signature] = /SignedHeaders=([^,]+),Signature=(\w+)$/.exec(headers.authorization ?? '') ?? [];
  const lines = names.split(';').map((name) => `${name}:${String(headers[name])}\n`);
  const hash = createHash('sha256').update(body).digest('hex');
  const canonical = [method, pathname, search.slice(1), lines.join(''), names, hash].join('\n');
  const toSign = `ACS3-HMAC-SHA256\n${createHash('sha256').update(canonical).digest('hex')}`;
  assert.equal(signature, createHmac('sha256', secrets.accessKeySecret).update(toSign).digest('hex'));
  return answer('described');
}

/** As WeChat Pay v2 checks and answers, by its SDK. */
function answerV2({ secrets }: ProviderSidecar, request: ReceivedRequest): Answer {
  const { sign, ...parameters } = Object.fromEntries(readXml(request.body));
  assert.equal(sign, Hash.sign('MD5', parameters, secrets.apiV2Key));
  const state = { return_code: 'SUCCESS', result_code: 'SUCCESS', trade_state: 'SUCCESS' };
  return answer(writeXml(Object.entries({ ...state, sign: Hash.sign('MD5', state, secrets.apiV2Key) })));
}

/** The scheme `sorted`. */
function answerPartner({ secrets }: ProviderSidecar, request: ReceivedRequest): Answer {
  const { signature, ...parameters } = Object.fromEntries(new URLSearchParams(textOf(request)));
  assert.equal(
    signature,
    createHmac('sha256', secrets.shared)
      .update(joined(Object.entries(parameters)))
      .digest('hex'),
  );
  return answer('paid');
}

function answerPssPartner({ ownKey }: ProviderSidecar, request: ReceivedRequest): Answer {
  const { method, url, headers } = request;
  const [path = '', query = ''] = url.split('?');
  const header = (name: string) => String(headers[name]);
  const own = ['host', 'x-ts', 'x-nonce'].map((name) => `${name}: ${header(name)}`);
  const text = [method, path, query.split('&').sort().join('&'), ...own, textOf(request)].join('\n');
  const key = { key: ownKey.publicKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
  assert.ok(verify('sha256', Buffer.from(text), key, Buffer.from(header('x-signature'), 'base64')));
  assert.equal(header('content-type'), 'application/json');
  return answer('paid');
}

/** Every host that an example names. */
export async function startPlatforms(
  t: TestContext,
  running: ProviderSidecar,
): Promise<Readonly<Record<string, Host>>> {
  const alipay = await startAlipayGateway({ material: running.alipay });
  const wechat = await startWechatpayGateway();
  wechat.admit(running.wechat);
  t.after(() => Promise.all([alipay.close(), wechat.close()]));
  const wechatV3 = passOn(wechat.url);
  return {
    'openapi.alipay.com': passOn(alipay.url),
    'api.mch.weixin.qq.com': (request) =>
      request.url.startsWith('/v3/') ? wechatV3(request) : answerV2(running, request),
    'dysmsapi.aliyuncs.com': (request) => answerAliyunRpc(running, request),
    'ecs.cn-shanghai.aliyuncs.com': (request) => answerAliyunAcs3(running, request),
    'partner.example': (request) =>
      request.headers['x-app-id'] === undefined ? answerPartner(running, request) : answerPssPartner(running, request),
  };
}
