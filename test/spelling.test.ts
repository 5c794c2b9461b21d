// What was probably meant is named, and what is odd about a text is named with its place.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { didYouMean, nearest, oddityOf } from '../src/spelling.ts';

describe('the nearest word', () => {
  const known = ['wechatpay', 'wechatpayV2', 'alipay', 'aliyun', 'hmac', 'pss', 'mtls'];
  for (const [word, meant] of [
    ['wechatpy', 'wechatpay'],
    ['WeChatPay', 'wechatpay'],
    ['wechatpay-v2', 'wechatpayV2'],
    ['aliapy', 'alipay'],
    ['wechat', 'wechatpay'],
    ['unionpay', undefined],
    ['x'.repeat(100_000), undefined],
    ['', undefined],
  ] as const)
    it(`to ${word.slice(0, 20)} is ${meant ?? 'none'}`, () => assert.equal(nearest(word, known), meant));

  it('is offered as a question, or not at all', () => {
    assert.equal(didYouMean('sgin', ['sign', 'verify']), ' (did you mean sign?)');
    assert.equal(didYouMean('qqqqqq', ['sign', 'verify']), '');
  });
});

describe('an oddity', () => {
  for (const [text, said] of [
    ['"LTAI5t"', 'is in quotes: remove them'],
    ['“粤”', 'is in quotes: remove them, and has the character 粤 at character 2, which is not ASCII'],
    [' a', 'begins with a space: remove it'],
    ['a\n', 'ends with a line end: remove it'],
    ['a b', 'has a space at character 2'],
    ['127.0.0.1：8010', 'has a full-width ： at character 10: write :'],
    ['/v3/粤', 'has the character 粤 at character 5, which is not ASCII'],
    ['a\u0007', 'has a control character at character 2: remove it'],
    ['\ufeffa', 'begins with a byte order mark: remove it'],
    ['plain', undefined],
    ['', undefined],
  ] as const)
    it(`of ${JSON.stringify(text)} is ${said ?? 'none'}`, () => assert.equal(oddityOf(text), said));
});
