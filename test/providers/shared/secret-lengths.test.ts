// What is wrong with a secret never says how long it is: whoever may choose which Secret is read would learn it.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hmac } from '../../../src/providers/hmac/provider.ts';
import type { Provider } from '../../../src/providers/provider.ts';
import { wechatpayV2 } from '../../../src/providers/wechatpay-v2/provider.ts';
import { wechatpay } from '../../../src/providers/wechatpay/provider.ts';
import { aliyun } from '../../../src/providers/aliyun/provider.ts';
import { alipay } from '../../../src/providers/alipay/provider.ts';

const merchantId = '1900000001';
const secrets: readonly (readonly [Provider, string])[] = [
  [wechatpay({ merchantId }), 'apiv3_key'],
  [wechatpay({ merchantId }), 'apiv3_key.previous'],
  [wechatpayV2({ merchantId }), 'apiv2_key'],
  [wechatpayV2({ merchantId }), 'apiv2_key.previous'],
  [hmac({ keyId: 'app', scheme: 'sorted', slash: 'keep', maxNonces: 10 }), 'key'],
  [alipay({ appId: '2021000000000000', mode: 'key' }), 'aes_key'],
  [aliyun(), 'access_key_secret'],
];

describe('a secret of the wrong length', () => {
  for (const [provider, name] of secrets)
    it(`gets one message for every length: ${provider.id} ${name}`, async () => {
      const messages = new Set<string>();
      for (const length of [1, 7, 15, 31, 33, 64, 9000]) {
        const { set } = await provider.load(new Map([[name, Buffer.alloc(length, 'a')]]));
        const own = set.problems.filter(({ field }) => field === name).map(({ message, hint }) => `${message} ${hint}`);
        for (const text of own) messages.add(text);
      }
      assert.ok(messages.size <= 1, [...messages].join('\n'));
    });
});
