// Nonces: of the form that every platform takes, and never one twice.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { randomNonce } from '../src/nonce.ts';

describe('a nonce', () => {
  it('is 32 hexadecimal digits, and another one each time, also when chance is drawn again', () => {
    const nonces = Array.from({ length: 1000 }, randomNonce);
    for (const nonce of nonces) assert.match(nonce, /^[0-9a-f]{32}$/);
    assert.equal(new Set(nonces).size, nonces.length);
    // No two that are made of one piece of chance have half of it in common.
    assert.equal(new Set(nonces.flatMap((nonce) => [nonce.slice(0, 16), nonce.slice(16)])).size, 2 * nonces.length);
  });
});
