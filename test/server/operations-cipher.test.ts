// What encrypts and decrypts: resources under the APIv3 key, fields under RSA keys.
import assert from 'node:assert/strict';
import { constants, privateDecrypt } from 'node:crypto';
import { after, beforeEach, describe, it } from 'node:test';
import { encryptField, encryptResource } from '../../src/testing/wechatpay-message.ts';
import { makeMaterial, startApi, verdictOf } from '../support/api-server.ts';

const material = await makeMaterial();
const { apiV3Key, merchant, platformKeys } = material;
const [, newest, publicKey] = platformKeys;
const api = await startApi({ shop: { files: material.files } });
after(() => api[Symbol.asyncDispose]());
beforeEach(() => void api.events.splice(0));

function seal(plaintext: string, associatedData?: string) {
  const sealed = encryptResource(plaintext, { apiV3Key, ...(associatedData !== undefined && { associatedData }) });
  const { algorithm, ciphertext, nonce } = sealed;
  return { algorithm, ciphertext, nonce, ...(associatedData !== undefined && { associatedData }) };
}

describe('decrypt', () => {
  it('opens a resource, with associated data or without', async () => {
    for (const associatedData of ['transaction', '', undefined]) {
      const { body } = await api.post('decrypt', seal('{"中":1}', associatedData));
      assert.equal(body['plaintext'], '{"中":1}');
      assert.equal(typeof body['keyId'], 'string');
    }
    const decrypted = { type: 'decrypted', credential: 'shop', role: 'apiv3', isRetired: false };
    assert.deepEqual(api.events[0], decrypted);
  });

  it('opens a field that was encrypted for the merchant', async () => {
    const { body } = await api.post('decrypt', { ciphertext: encryptField(merchant.publicKey, '张三') });
    assert.deepEqual(body, { plaintext: '张三', keyId: merchant.serialNumber });
  });

  const { ciphertext, nonce, algorithm } = seal('secret', '');
  const refused: Readonly<Record<string, object>> = {
    'a tag that was changed': { algorithm, nonce, ciphertext: `AAAA${ciphertext.slice(4)}` },
    'other associated data': { algorithm, nonce, ciphertext, associatedData: 'x' },
    'a nonce of another length': { algorithm, ciphertext, nonce: 'short' },
    'a ciphertext shorter than its tag': { algorithm, nonce, ciphertext: 'AAAA' },
    'an empty ciphertext': { algorithm, nonce, ciphertext: '' },
    'a field for another key': { ciphertext: encryptField(newest!.publicKey, 'x') },
    'a field of no RSA length': { ciphertext: 'AAAA' },
    'an empty field': { ciphertext: '' },
    'half a surrogate pair as a nonce': { algorithm, ciphertext, nonce: '\ud800\ud800\ud800\ud800' },
  };
  it('refuses every cause with one code and one message', async () => {
    const details = new Set();
    for (const [cause, input] of Object.entries(refused)) {
      const reply = await api.post('decrypt', input);
      assert.deepEqual(verdictOf(reply), [422, 'decryption-failed'], cause);
      details.add(reply.body['detail']);
    }
    assert.equal(details.size, 1);
  });

  const invalid: Readonly<Record<string, object>> = {
    algorithm: { algorithm: 'AEAD_SM4_GCM', ciphertext, nonce },
    nonce: { algorithm, ciphertext },
    ciphertext: { algorithm, nonce, ciphertext: '*' },
  };
  for (const [field, input] of Object.entries(invalid)) {
    it(`names ${field} when it is missing or wrong`, async () => {
      const reply = await api.post('decrypt', input);
      assert.deepEqual([...verdictOf(reply), reply.body['field']], [400, 'request-invalid', field]);
    });
  }

  it('does not take half a resource for a field', async () => {
    for (const member of [{ nonce }, { associatedData: '' }]) {
      const reply = await api.post('decrypt', { ciphertext, ...member });
      assert.deepEqual([...verdictOf(reply), reply.body['field']], [400, 'request-invalid', 'algorithm']);
    }
  });
});

describe('encrypt', () => {
  const open = (key: { privateKey: (typeof newest & object)['privateKey'] }, ciphertext: unknown) =>
    privateDecrypt(
      { key: key.privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' },
      Buffer.from(String(ciphertext), 'base64'),
    ).toString();

  it('is for the platform certificate that lives longest, unless another key is named', async () => {
    const { body } = await api.post('encrypt', { plaintext: '张三' });
    assert.deepEqual([body['keyId'], open(newest!, body['ciphertext'])], [newest!.keyId, '张三']);
    const named = (await api.post('encrypt', { plaintext: '', keyId: publicKey!.keyId })).body;
    assert.deepEqual([named['keyId'], open(publicKey!, named['ciphertext'])], [publicKey!.keyId, '']);
  });

  it('takes 214 bytes and refuses 215, an unknown key and half a surrogate pair', async () => {
    assert.equal((await api.post('encrypt', { plaintext: 'x'.repeat(214) })).status, 200);
    const long = await api.post('encrypt', { plaintext: 'x'.repeat(215) });
    assert.deepEqual(verdictOf(long), [400, 'plaintext-too-long']);
    assert.deepEqual(verdictOf(await api.post('encrypt', { plaintext: '', keyId: 'AB' })), [400, 'key-unknown']);
    assert.deepEqual(verdictOf(await api.post('encrypt', { plaintext: '\udc00' })), [400, 'request-invalid']);
  });
});
