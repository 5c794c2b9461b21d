// Header names are one header in whatever case they come.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { header, withoutHeaders } from '../../src/providers/headers.ts';

describe('a header', () => {
  it('is found in any case and trimmed', () => {
    assert.equal(header({ 'WECHATPAY-Nonce': ' a b\t' }, 'wechatpay-nonce'), 'a b');
    assert.equal(header({ other: 'x' }, 'wechatpay-nonce'), undefined);
  });

  it('is left out in every case that it is written in', () => {
    assert.deepEqual(withoutHeaders({ A: '1', a: '2', B: '3' }, ['a']), { B: '3' });
  });
});
