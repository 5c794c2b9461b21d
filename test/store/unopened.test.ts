// What keys could not open: counted by kind and reason until something of the kind opens.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PaycertError } from '../../src/errors.ts';
import { Unopening } from '../../src/store/unopened.ts';

const [first, second] = [new Date(1000), new Date(2000)];
const failed = new PaycertError('decryption-failed', '');

describe('what was not opened', () => {
  it('is counted by kind and reason, with when it began and when it was last', () => {
    const unopening = new Unopening();
    unopening.note('notification', failed, first);
    unopening.note('notification', failed, second);
    unopening.note('ciphertext', new PaycertError('no-aes-key', ''), second);
    assert.deepEqual(
      unopening.list().map(({ kind, error, count, since, at }) => [kind, error.code, count, since, at]),
      [
        ['notification', 'decryption-failed', 2, first, second],
        ['ciphertext', 'no-aes-key', 1, second, second],
      ],
    );
  });

  it('is forgotten when something of its kind opens, and of no other', () => {
    const unopening = new Unopening();
    unopening.note('notification', failed, first);
    unopening.note('ciphertext', failed, first);
    unopening.clear('notification');
    assert.deepEqual(
      unopening.list().map(({ kind }) => kind),
      ['ciphertext'],
    );
  });

  it('is neither a caller’s mistake nor a bug', () => {
    const unopening = new Unopening();
    for (const error of [new PaycertError('request-invalid', ''), new Error('bug')])
      assert.equal(unopening.note('ciphertext', error, first), undefined);
    assert.deepEqual(unopening.list(), []);
  });
});
