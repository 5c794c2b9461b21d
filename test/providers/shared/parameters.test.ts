// Parameters are encoded, sorted and read to the byte.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formPairs, joinPairs, queryPairs, rawPairs, sortPairs } from '../../../src/providers/shared/parameters.ts';
import { percentEncode } from '../../../src/providers/shared/percent.ts';
import { refusal } from '../../support/wechatpay.ts';

const text = fc.string({ unit: 'grapheme' });

describe('percent-encoding', () => {
  it('leaves letters, digits and - _ . ~ and encodes every other byte of UTF-8 in upper case', () => {
    assert.equal(percentEncode("aZ09-_.~ !'()*+/%中"), 'aZ09-_.~%20%21%27%28%29%2A%2B%2F%25%E4%B8%AD');
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        const bytes = [...Buffer.from(value)].map((byte) => {
          const character = String.fromCharCode(byte);
          const isPlain = byte < 128 && /[A-Za-z0-9._~-]/.test(character);
          return isPlain ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
        });
        assert.equal(percentEncode(value), bytes.join(''));
      }),
    );
  });

  it('of text that is no Unicode is refused', () => {
    assert.throws(() => percentEncode('\ud800'), refusal('request-invalid'));
  });
});

describe('pairs', () => {
  it('are in the order of their bytes: upper case before lower, then their values', () => {
    const names = sortPairs([
      ['b', ''],
      ['a[', '1'],
      ['aA', '1'],
      ['B', '2'],
      ['B', '1'],
      ['\u{1f600}', ''],
      ['\ufffd', ''],
    ]).map(([name, value]) => `${name}${value}`);
    assert.deepEqual(names, ['B1', 'B2', 'aA1', 'a[1', 'b', '\ufffd', '\u{1f600}']);
  });

  it('come back from a query and from a form as they were encoded', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text)), (pairs) => {
        const encoded = joinPairs(pairs, percentEncode);
        const named = pairs.filter(([name, value]) => name !== '' || value !== '');
        const expected = named.length === pairs.length ? pairs : queryPairs(encoded);
        assert.deepEqual(queryPairs(encoded), expected);
        assert.deepEqual(formPairs(new URLSearchParams(named).toString(), 'body'), named);
      }),
    );
  });

  it('of a query with + are refused, since it means two things; in a form it is a space', () => {
    assert.throws(() => queryPairs('a=1+1'), refusal('request-invalid'));
    assert.deepEqual(formPairs('a=1+1&b=%2B', 'body'), [
      ['a', '1 1'],
      ['b', '+'],
    ]);
  });

  it('with a percent sign that encodes nothing are refused', () => {
    for (const query of ['a=%', 'a=%zz', '%ff=1']) {
      assert.throws(() => queryPairs(query), refusal('request-invalid'));
      assert.throws(() => formPairs(query, 'body'), refusal('message-malformed'));
    }
  });

  it('as written have a name without = as an empty value, and = in their value', () => {
    assert.deepEqual(rawPairs('a&b=c=d&&e='), [
      ['a', ''],
      ['b', 'c=d'],
      ['e', ''],
    ]);
  });
});
