// Raw requests to the proxy: nothing arrives at the platform without the token, and what arrives is signed exactly as it arrived.
import assert from 'node:assert/strict';
import { verify } from 'node:crypto';
import { signMessage } from '../../../src/testing/index.ts';
import { token } from '../../support/proxied.ts';
import type { RawRequest } from '../../support/raw-platform.ts';
import { type Corpus, now } from '../corpus.ts';
import { byteMutations } from '../mutate-bytes.ts';
import { mutateText } from '../mutate-text.ts';
import type { Random } from '../random.ts';
import { mutate, type Target } from '../target.ts';
import { startProxy } from './proxy.ts';
import { sendRaw } from './raw.ts';

const mutations = [...byteMutations, ...byteMutations.map(() => mutateText)];
const targets = [
  '/shop/v3/certificates',
  '/shop/v3/pay/transactions/out-trade-no/1%7C2?mchid=1900000001',
  '/shop/v3/../v2/pay',
  '/shop/v3/%2e%2e/secret',
  '/shop/v3/a%2fb',
  '/shop//evil.example/v3/x',
  '/shop/v3/x?a=1&a=2#f',
  '/shop@evil.example/v3/x',
  `/~${token}/shop/v3/certificates`,
  'http://api.mch.weixin.qq.com/v3/certificates',
  'http://api.mch.weixin.qq.com:443/v3/certificates',
  'http://evil.example/v3/certificates',
  'http://api.mch.weixin.qq.com@evil.example/v3/x',
  'api.mch.weixin.qq.com:443',
  '/other/v3/certificates',
  '/__proto__/v3/certificates',
  '*',
];
const lines = [
  'Host: evil.example',
  'X-Forwarded-Host: evil.example',
  'Origin: https://evil.example',
  'Authorization: WECHATPAY2-SHA256-RSA2048 mchid="1900000009",nonce_str="a",timestamp="1",serial_no="1",signature="AA=="',
  'Authorization: Basic AAAA',
  'Wechatpay-Serial: 00',
  'Wechatpay-Serial: __proto__',
  'Transfer-Encoding: chunked',
  'Content-Length: 0',
  'Content-Length: 99999999999999999999',
  'Content-Encoding: gzip',
  'Content-Type: multipart/form-data; boundary=a',
  'Expect: 100-continue',
  'Connection: authorization, wechatpay-serial',
  'Upgrade: h2c',
  'Cookie: a=b',
  'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  'Paycert-Credential: other',
  'Proxy-Authorization: Bearer wrong',
  'A: '.padEnd(20_000, 'b'),
  'B: \x00',
  ' folded',
  'no colon',
];
const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'TRACE', 'CONNECT', 'get'];

function makeRequest(random: Random): Buffer {
  const isOrder = random.isOneIn(2);
  const body = isOrder ? '{"mchid":"1900000001","out_trade_no":"1"}' : '';
  const line = isOrder ? 'POST /shop/v3/pay/transactions/jsapi' : `${random.pick(methods)} ${random.pick(targets)}`;
  const head = ['Host: 127.0.0.1', `Paycert-Token: ${token}`];
  if (isOrder) head.push('Content-Type: application/json', `Content-Length: ${String(body.length)}`);
  for (let count = random.below(3); count > 0; count--)
    head.splice(random.below(head.length + 1), random.isOneIn(6) ? 1 : 0, random.pick(lines));
  return Buffer.from(`${[`${line} HTTP/1.1`, ...head].join('\r\n')}\r\n\r\n${body}`);
}

/** What belongs to a connection, to a caller or to us. */
const neverSent = ['paycert-token', 'proxy-authorization', 'paycert-credential', 'cookie', 'traceparent', 'upgrade'];

export async function proxyRequests(corpus: Corpus): Promise<Target> {
  const { merchant, platformKeys } = corpus.material;
  const proxy = await startProxy(corpus);
  const { platform, proxied } = proxy;
  const { headers, body } = signMessage('{}', { platformKey: platformKeys[0]!, now });
  const head = Object.entries({ ...headers, 'Content-Length': String(body.length), Connection: 'close' });
  platform.respond(`HTTP/1.1 200 OK\r\n${head.map((pair) => pair.join(': ')).join('\r\n')}\r\n\r\n{}`);

  const assertSigned = ({ line, headers: sent, body: content }: RawRequest): void => {
    const [, method = '', target = ''] = /^([A-Z]+) (\/v3\/\S*) HTTP\/1\.1$/.exec(line) ?? [];
    assert.ok(target !== '', `it is no request of the platform’s API: ${line}`);
    assert.equal(`http://${sent['host'] ?? ''}`, platform.origin);
    for (const name of neverSent) assert.equal(sent[name], undefined, name);
    // Of an upload one part is signed.
    if (sent['content-type']?.includes('multipart') === true) return;
    const valueOf = (name: string) => new RegExp(`[ ,]${name}="([^"]*)"`).exec(sent['authorization'] ?? '')?.[1] ?? '';
    assert.equal(valueOf('mchid'), '1900000001');
    const text = `${method}\n${target}\n${valueOf('timestamp')}\n${valueOf('nonce_str')}\n${content.toString('latin1')}\n`;
    const signature = Buffer.from(valueOf('signature'), 'base64');
    assert.ok(
      verify('sha256', Buffer.from(text, 'latin1'), merchant.publicKey, signature),
      'it is signed as it arrived',
    );
  };

  return {
    async run(random) {
      const good = makeRequest(random);
      const request = random.isOneIn(3) ? good : mutate(good, mutations, random, [good]);
      const before = platform.requests.length;
      const received = await sendRaw(proxied.tcp, request);
      proxy.assertNoInternalError();
      for (const [, digits] of received.matchAll(/^HTTP\/1\.1 (\d{3}) /gm))
        assert.ok(Number(digits) < 500 || ['502', '503', '504'].includes(digits ?? ''), received.slice(0, 300));
      const arrived = platform.requests.slice(before);
      if (arrived.length > 0) assert.ok(request.includes(token), 'nothing is sent without the token');
      arrived.forEach(assertSigned);
      return arrived.length > 0 ? 'accepted' : 'refused';
    },
    [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose](),
  };
}
