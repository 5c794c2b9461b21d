// The first difference between two texts is found, named by its part, and says what it means.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { aliyunRefusals } from '../../../src/providers/aliyun/refusal.ts';
import { alipayRefusals } from '../../../src/providers/alipay/refusal.ts';
import { compare } from '../../../src/providers/shared/comparison.ts';
import type { Built } from '../../../src/providers/refusal.ts';
import { wechatpayRefusals } from '../../../src/providers/wechatpay/refusal.ts';

const wechat = (built: string | Built, signed: string) =>
  compare([typeof built === 'string' ? { text: built } : built], signed, wechatpayRefusals);
const alipay = (built: string, signed: string) => compare([{ text: built }], signed, alipayRefusals);

const message = ({ method = 'POST', url = '/v3/pay', time = '1700000000', nonce = 'abc', body = '' }) =>
  `${method}\n${url}\n${time}\n${nonce}\n${body}\n`;

describe('two texts that are equal', () => {
  it('leave the key, what names it, and the account', () => {
    const { difference, causes } = wechat(message({ body: '{}' }), message({ body: '{}' }));
    assert.equal(difference, undefined);
    assert.deepEqual(causes, ['key', 'serial-of-another-key', 'application']);
  });

  it('are equal as far as a platform shows its own, where the lengths agree', () => {
    const signed = message({ body: '{"appid":"wx1"}' });
    const built = { text: message({ body: '{"appid"' }).slice(0, -1), byteLength: Buffer.byteLength(signed) };
    assert.equal(wechat(built, signed).difference, undefined);
  });
});

describe('two texts that differ', () => {
  const base = message({ body: '{"a":1}' });
  const cases: readonly (readonly [what: string, signed: string, part: string, cause: string])[] = [
    ['the method', message({ method: 'GET', body: '{"a":1}' }), 'METHOD', 'method'],
    ['the path', message({ url: '/v3/refund', body: '{"a":1}' }), 'URL', 'url'],
    ['a query that was lost', message({ url: '/v3/pay?b=2', body: '{"a":1}' }), 'URL', 'url'],
    ['an encoded path', message({ url: '/v3/%70ay', body: '{"a":1}' }), 'URL', 'encoding'],
    ['the time', message({ time: '1700000001', body: '{"a":1}' }), 'TIMESTAMP', 'another-attempt'],
    ['milliseconds', message({ time: '1700000000000', body: '{"a":1}' }), 'TIMESTAMP', 'time-format'],
    ['the nonce', message({ nonce: 'abd', body: '{"a":1}' }), 'NONCE', 'another-attempt'],
    ['a body written anew', message({ body: '{ "a": 1 }' }), 'BODY', 'body'],
    ['a body that is missing', message({}), 'BODY', 'body-missing'],
    ['an escaped body', message({ body: '{\\u0022a":1}' }), 'BODY', 'encoding'],
    ['a line end too few', base.slice(0, -1), 'BODY', 'line-end'],
    ['a line end too many', `${base}\n`, 'BODY', 'line-end'],
    ['other line ends', base.replaceAll('\n', '\r\n'), 'METHOD', 'line-end'],
  ];
  for (const [what, signed, part, cause] of cases)
    it(`in ${what} differ in ${part}, by ${cause}`, () => {
      const { difference, causes } = wechat(base, signed);
      assert.deepEqual([difference?.part, causes[0]], [part, cause]);
    });

  it('show the place, with both sides from there on, and only the shape of values', () => {
    const { difference } = wechat(message({ body: '{"name":"Zhang"}' }), message({ body: '{"name":"Wang7"}' }));
    assert.deepEqual(difference, {
      part: 'BODY',
      character: 10,
      offset: 9,
      platform: '{"name":"Aaaaa"}⏎',
      signed: '{"name":"Aaaa9"}⏎',
    });
  });

  it('name the parameter that one side lacks', () => {
    assert.deepEqual(alipay('a=1&b=2&d=4', 'a=1&b=2&c=3&d=4').difference, { part: 'c', signed: '9' });
    assert.deepEqual(alipay('a=1&b=2&c=3', 'a=1&c=3').difference, { part: 'b', platform: '9' });
    assert.deepEqual(alipay('a=1&b=2', 'a=1').causes, ['parameter']);
    assert.deepEqual(alipay('a=1', 'a=1&b=2').difference, { part: 'b', signed: '9' });
  });

  it('in the order alone say so', () => {
    const { difference, causes } = alipay('a=1&b=2&c=3', 'a=1&c=3&b=2');
    assert.deepEqual([difference, causes], [{ part: 'b' }, ['order']]);
  });

  it('are compared with the one of two texts that is alike', () => {
    const built = [{ text: 'GET\n/\n\nhost:a\n\nhost\nabc' }, { text: 'ACS3-HMAC-SHA256\n00' }];
    const { difference } = compare(built, 'ACS3-HMAC-SHA256\n01', aliyunRefusals);
    assert.equal(difference?.part, 'HASH OF THE CANONICAL REQUEST');
  });
});

describe('a text of which the platform shows the beginning', () => {
  const signed = message({ body: '{"name":"张三"}' });
  const cut = (byteLength: number) => ({ text: message({ body: '{"name":' }).slice(0, -1), byteLength });
  const bytes = Buffer.byteLength(signed);

  for (const [what, byteLength, cause] of [
    ['one byte more or less is a line end', bytes - 1, 'line-end'],
    ['one byte for each character is an encoding', signed.length, 'encoding'],
    ['any other length is another body', bytes + 7, 'body'],
  ] as const)
    it(`: ${what}`, () => {
      const { difference, causes } = wechat(cut(byteLength), signed);
      assert.deepEqual(difference?.byteLengths, { platform: byteLength, signed: bytes });
      assert.equal(causes[0], cause);
    });

  it('that ends within a character is compared as far as it is whole', () => {
    const built = { text: `${message({ body: '{"n":"' }).slice(0, -1)}\uFFFD`, byteLength: 999 };
    assert.equal(wechat(built, message({ body: '{"n":"张"}' })).difference?.character, undefined);
  });
});

describe('any two texts', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom(...Array.from('GETPOS/&=%2F:\n[]{}",a1张;')), maxLength: 80 }),
  );
  it('are compared, and equal ones have no difference', () => {
    for (const platform of [wechatpayRefusals, alipayRefusals, aliyunRefusals])
      fc.assert(
        fc.property(text, text, fc.option(fc.nat(200), { nil: undefined }), (built, signed, byteLength) => {
          const theirs = { text: built, ...(byteLength !== undefined && { byteLength }) };
          assert.ok(compare([theirs], signed, platform).causes.length > 0);
          assert.equal(compare([{ text: signed }], signed, platform).difference, undefined);
        }),
      );
  });
});
