// What is masked keeps its place and tells nothing but its shape.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { maskName, maskText } from '../../../src/providers/shared/mask.ts';

describe('a masked text', () => {
  it('shows kinds of characters, names of members, and escapes of signs', () => {
    assert.equal(maskText('Zhang 3, 张'), 'Aaaaa 9, 字');
    assert.equal(maskText('{"out_trade_no":"A1","n": 25}\n'), '{"out_trade_no":"A9","n": 99}⏎');
    assert.equal(maskText('a%20b%2F%E5%BC&amp;\\u4e2d\\/'), 'a%20a%2F%A9%AA&amp;\\u9a9a\\/');
    assert.equal(maskText('\r\t\u0000\u007f'), '␍␣␣␣');
  });

  it('is as long as the text, so that places in one are places in the other', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => maskText(text).length === text.length));
  });

  it('is the same for every text of the same shape', () => {
    const shaped = fc.string({ unit: fc.constantFrom(...Array.from('bcdxyzBCDXYZ0123 ,:{}"/')), maxLength: 200 });
    fc.assert(
      fc.property(shaped, (text) => {
        const other = text.replace(/[a-z]/g, 'q').replace(/[A-Z]/g, 'Q').replace(/\d/g, '5');
        // Names of members are structure and stay.
        return /[{,]\s*"[^"]*"\s*:/.test(text) || maskText(text) === maskText(other);
      }),
    );
  });
});

describe('a masked name', () => {
  it('is shown where it is a word, and by its shape where it may be a secret in the wrong place', () => {
    for (const name of ['biz_content', 'x-acs-content-sha256', 'Tag.1.Key', 'SIGNED HEADERS'])
      assert.equal(maskName(name), name);
    assert.equal(maskName('q8Zk20'), 'a9Aa99');
    assert.equal(maskName('a'.repeat(60)), 'a'.repeat(60));
    assert.equal(maskName('b'.repeat(60)), 'a'.repeat(60));
  });
});
