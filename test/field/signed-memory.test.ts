// What the sidecar remembers of requests that it signed: enough to explain a refusal without a request file, and nothing of a text.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it, type TestContext } from 'node:test';
import { platforms } from '../../src/providers/registry.ts';
import { Canaries } from '../support/canary.ts';
import { paycert } from '../support/paycert.ts';
import { type ProviderSidecar, startProviders } from '../support/provider-sidecar.ts';
import { call } from '../support/sidecar.ts';

interface Explanation {
  readonly compared: boolean;
  readonly difference?: { readonly part: string };
  readonly causes: readonly { readonly cause: string }[];
}

/** A request of each platform that shows what it built, and how its refusal shows it. */
const secret = `13800138000-${randomBytes(12).toString('hex')}`;
const cases = {
  'WeChat Pay': {
    credential: 'wechat-main',
    platform: platforms.wechatpay,
    input: { method: 'POST', url: '/v3/pay/transactions/jsapi', body: JSON.stringify({ payer: secret }) },
    refuse: (text: string) => ({
      code: 'SIGN_ERROR',
      message: '错误的签名，验签失败',
      detail: {
        sign_information: { truncated_sign_message: text, sign_message_length: Buffer.byteLength(text) },
      },
    }),
  },
  'Alipay v2, which has no nonce': {
    credential: 'alipay-main',
    platform: platforms.alipay,
    input: { apiMethod: 'alipay.trade.query', bizContent: JSON.stringify({ out_trade_no: secret }) },
    refuse: (text: string) => ({
      alipay_trade_query_response: {
        code: '40002',
        msg: 'Invalid Arguments',
        sub_code: 'isv.invalid-signature',
        sub_msg: `验签出错，建议检查签名字符串或签名私钥与应用公钥是否匹配，网关生成的验签字符串为：${text}`,
      },
    }),
  },
  'Aliyun RPC': {
    credential: 'sms',
    platform: platforms.aliyun,
    input: {
      method: 'POST',
      url: 'https://dysmsapi.aliyuncs.com/',
      apiMethod: 'SendSms',
      parameters: { Version: '2017-05-25', PhoneNumbers: secret },
    },
    refuse: (text: string) => ({
      Code: 'SignatureDoesNotMatch',
      Message: `Specified signature is not matched with our calculation. server string to sign is:${text}`,
    }),
  },
} as const;

describe('a sidecar that remembers', { timeout: 900_000 }, () => {
  let scene: ProviderSidecar;
  const stops: (() => unknown)[] = [];
  before(async () => {
    const t = { after: (stop: () => unknown) => stops.push(stop) } as unknown as TestContext;
    scene = await startProviders(t, [], 'remember: 20\n');
  });
  after(async () => {
    for (const stop of stops.reverse()) await stop();
  });

  const authorize = async ({ credential, platform, input }: (typeof cases)[keyof typeof cases]): Promise<string> => {
    const path = `/v1/credentials/${credential}/authorize`;
    const { status, content } = await call(scene.sidecar.socket, path, { body: input });
    assert.equal(status, 200, content);
    const answered = JSON.parse(content) as {
      readonly method: string;
      readonly url: string;
      readonly headers: Readonly<Record<string, string>>;
      readonly body?: string;
    };
    const given = 'body' in input ? input.body : '';
    const text = platform.refusals?.rebuild({ ...answered, body: Buffer.from(answered.body ?? given) });
    assert.ok(text);
    return text;
  };
  const outputs: string[] = [];
  const explain = async (refusal: object, ...args: string[]): Promise<string> => {
    const all = ['explain', '--socket', scene.sidecar.socket, ...args];
    const { stdout, stderr, code } = await paycert(all, { input: JSON.stringify(refusal) });
    assert.deepEqual([code, stderr], [0, '']);
    outputs.push(stdout);
    return stdout;
  };

  for (const [title, one] of Object.entries(cases))
    it(`explains a refusal without a request file: ${title}`, async () => {
      const text = await authorize(one);
      const equal = await explain(one.refuse(text));
      assert.match(equal, /^The sidecar signed (?:GET|POST) \/\S* at \d{4}-\S+ with key \S+: \d+ bytes, /m);
      assert.match(equal, /^What was signed is what the platform built/m);
      const changed = await explain(one.refuse(text.replace(secret, `${secret} `)), '--output', 'json');
      const { compared, difference, causes } = JSON.parse(changed) as Explanation;
      assert.ok(compared && difference !== undefined && causes.length > 0, changed);
    });

  it('says when it has nothing of that nonce, and when a sidecar remembers nothing', async () => {
    const refusal = JSON.stringify(cases['WeChat Pay'].refuse('GET\n/v3/certificates\n1700000000\nnobody\n\n'));
    const { code, stderr } = await paycert(['explain', '--socket', scene.sidecar.socket], { input: refusal });
    assert.equal(code, 64);
    assert.match(stderr, /nothing that is remembered was signed with this nonce \(signed-unknown\)/);
  });

  it('keeps, answers and prints nothing of a text, whatever it is made of', async () => {
    const canaries = new Canaries();
    canaries.add('a value of the text', Buffer.from(secret));
    for (const [name, value] of Object.entries(scene.secrets)) canaries.add(name, Buffer.from(value));
    for (const one of Object.values(cases)) {
      const text = await authorize(one);
      const nonce = /\n(\w{32})\n/.exec(text)?.[1] ?? /(?:^|&)timestamp=([^&]+)/.exec(text)?.[1];
      const rpc = /SignatureNonce%3D(\w+)/.exec(text)?.[1];
      const path = `/signed/${encodeURIComponent(nonce ?? rpc ?? '')}`;
      const { status, content } = await call(scene.sidecar.socket, path);
      assert.equal(status, 200, content);
      assert.match(content, /"digest":"[0-9a-f]{64}"/);
      outputs.push(content);
    }
    assert.ok(outputs.length >= 2 * Object.keys(cases).length);
    for (const output of outputs) assert.deepEqual(canaries.find(output), []);
  });
});
