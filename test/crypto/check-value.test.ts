// Check values of symmetric keys: public, equal everywhere, and slow to guess from.
import assert from 'node:assert/strict';
import { createHmac, createSecretKey, randomBytes, scryptSync } from 'node:crypto';
import { describe, it } from 'node:test';
import { checkValue, formerCheckValue, nameAmong, newSecret } from '../../src/crypto/check-value.ts';

const bytes = randomBytes(32);
const key = createSecretKey(bytes);

describe('a check value', () => {
  it('is four bytes in hex, equal for equal keys, and no part of the key', async () => {
    const value = await checkValue(key);
    assert.match(value, /^[0-9a-f]{8}$/);
    assert.equal(await checkValue(createSecretKey(Buffer.from(bytes))), value);
    assert.notEqual(await checkValue(createSecretKey(randomBytes(32))), value);
    assert.ok(!bytes.toString('hex').includes(value));
  });

  it('is scrypt over the key with the published cost and salt, in every process and every release', async () => {
    const known = createSecretKey(Buffer.from('0123456789abcdef0123456789abcdef'));
    const derived = scryptSync('0123456789abcdef0123456789abcdef', 'paycert key check value', 4, {
      N: 8192,
      r: 8,
      p: 1,
    });
    assert.equal(await checkValue(known), derived.toString('hex'));
  });

  it('is not what a fast hash gives, which only comparison with an earlier status uses', async () => {
    const fast = createHmac('sha256', bytes).update('paycert key check value').digest('hex').slice(0, 8);
    assert.equal(formerCheckValue(key), fast);
    assert.notEqual(await checkValue(key), fast);
  });

  it('of one key does not wait for ever for another that fails', async () => {
    const values = await Promise.all([checkValue(key), checkValue(createSecretKey(Buffer.from('a'))), checkValue(key)]);
    assert.equal(values[0], values[2]);
  });
});

describe('a key that is named among others', () => {
  it('is called new without a derivation where all others were derived here, and it was not', async () => {
    const name = nameAmong([await checkValue(key)]);
    const another = createSecretKey(randomBytes(32));
    assert.equal(await name(another), newSecret);
    assert.equal(await nameAmong([])(another), newSecret);
  });

  it('has its check value where that is known, or where it may be one of the others', async () => {
    const value = await checkValue(key);
    assert.equal(await nameAmong([])(key), value);
    const another = createSecretKey(randomBytes(32));
    const name = await nameAmong([value, 'ffffffff'])(another);
    assert.equal(name, await checkValue(another));
  });
});
