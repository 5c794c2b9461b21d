// One shape for all providers: what one of them has no use for is refused by name, and so is what it misses.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { need, takeOnly } from '../../../src/providers/shared/inputs.ts';
import type { RequestToAuthorize } from '../../../src/providers/provider.ts';
import { refusal } from '../../support/wechatpay.ts';

describe('takeOnly', () => {
  it('refuses the first member that is not taken, by its name and without its value', () => {
    assert.throws(
      () => takeOnly({ url: '/', bizContent: 'secret' }, ['url']),
      (error: Error & { code: string; field: string }) => {
        assert.deepEqual([error.code, error.field], ['request-invalid', 'bizContent']);
        return !error.message.includes('secret');
      },
    );
  });

  it('takes a member without a value for none', () => {
    takeOnly({ url: '/', bizContent: undefined }, ['url']);
  });
});

describe('need', () => {
  it('returns what is there, and refuses what is not, by its name', () => {
    const request: RequestToAuthorize = { method: '' };
    assert.equal(need(request, 'method'), '');
    assert.throws(() => need(request, 'apiMethod'), { ...refusal('request-invalid'), field: 'apiMethod' });
  });
});
