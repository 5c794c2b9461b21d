// The platforms' hosts, as the examples of the documents name them: each checks a request by what arrived alone, and answers.
import assert from 'node:assert/strict';
import { constants, createHmac, verify } from 'node:crypto';
import { type TestContext } from 'node:test';
import {
  type AlipayGateway,
  type AliyunGateway,
  type Gateway,
  startAlipayGateway,
  startAliyunGateway,
  startWechatpayGateway,
} from '../../src/testing/index.ts';
import type { Answer, ReceivedRequest } from '../../src/testing/loopback.ts';
import { exchange } from './http-client.ts';
import type { Host } from './internet.ts';
import type { ProviderSidecar } from './provider-sidecar.ts';
import { WechatpayV2 } from './wechatpay-v2.ts';

export const textOf = ({ body }: Pick<Answer, 'body'>): string => Buffer.from(body).toString();
const answer = (text: string): Answer => ({ status: 200, headers: {}, body: Buffer.from(text) });

const joined = (pairs: readonly (readonly [string, string])[]): string =>
  pairs
    .map(([name, value]) => `${name}=${value}`)
    .sort()
    .join('&');

/** The double's own answer, with all its headers. Aliyun signs the host. */
export const passOn =
  (base: string): Host =>
  async ({ method, url, headers, body }) => {
    const { connection: _, ...sent } = headers;
    const answered = await exchange(base.replace('http://', ''), { method, path: url, headers: sent, body });
    const { 'transfer-encoding': __, connection: ___, ...received } = answered.headers;
    return {
      status: answered.status,
      headers: Object.fromEntries(
        // As platforms write them, and as wechatpay-java looks for them.
        Object.entries(received).map(([name, value]) => [
          name.replace(/\b[a-z]/g, (letter) => letter.toUpperCase()),
          String(value),
        ]),
      ),
      body: Buffer.from(answered.text),
    };
  };

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

export interface Platforms {
  /** Every host that an example names. */
  readonly hosts: Readonly<Record<string, Host>>;
  readonly wechat: Gateway;
  readonly wechatV2: WechatpayV2;
  readonly alipay: AlipayGateway;
  readonly aliyun: AliyunGateway;
}

export async function startPlatforms(t: TestContext, running: ProviderSidecar): Promise<Platforms> {
  const { accessKeySecret, securityToken } = running.secrets;
  const alipay = await startAlipayGateway({ material: running.alipay });
  const aliyun = await startAliyunGateway({
    account: { accessKeyId: 'STS.NTExample', accessKeySecret, securityToken },
  });
  const wechat = await startWechatpayGateway();
  wechat.admit(running.wechat);
  t.after(() => Promise.all([alipay.close(), aliyun.close(), wechat.close()]));
  const wechatV3 = passOn(wechat.url);
  const wechatV2 = new WechatpayV2(running.secrets.apiV2Key);
  const hosts: Readonly<Record<string, Host>> = {
    'openapi.alipay.com': passOn(alipay.url),
    'api.mch.weixin.qq.com': (request) =>
      request.url.startsWith('/v3/') ? wechatV3(request) : wechatV2.respond(request),
    'dysmsapi.aliyuncs.com': passOn(aliyun.url),
    'ecs.cn-shanghai.aliyuncs.com': passOn(aliyun.url),
    'partner.example': (request) =>
      request.headers['x-app-id'] === undefined ? answerPartner(running, request) : answerPssPartner(running, request),
  };
  return { hosts, wechat, wechatV2, alipay, aliyun };
}
