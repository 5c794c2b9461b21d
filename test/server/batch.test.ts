// Batches: in order, on one snapshot, each item on its own.
import assert from 'node:assert/strict';
import { verify } from 'node:crypto';
import { after, beforeEach, describe, it } from 'node:test';
import { rotateMerchant } from '../../src/testing/wechatpay-material.ts';
import { encryptField, encryptResource, signMessage } from '../../src/testing/wechatpay-message.ts';
import { makeMaterial, start, startApi, verdictOf } from '../support/api-server.ts';
import { Gate, gatedProvider, held } from '../support/gated-provider.ts';

const material = await makeMaterial();
const { merchant, platformKeys, apiV3Key } = material;
const gate = new Gate();
const api = await startApi({ shop: { files: material.files, provider: gatedProvider(gate) } });
after(() => api[Symbol.asyncDispose]());
beforeEach(() => void api.events.splice(0));

interface Outcome {
  readonly result?: Record<string, unknown>;
  readonly problem?: Record<string, unknown>;
}

async function batch(operation: string, items: readonly unknown[]): Promise<readonly Outcome[]> {
  const { status, text } = await api.post(`${operation}/batch`, { items });
  assert.equal(status, 200, text);
  return (JSON.parse(text) as { items: Outcome[] }).items;
}

describe('a batch', () => {
  it('of 256 is answered in order', async () => {
    const messages = Array.from({ length: 256 }, (_, index) => `message ${index}`);
    const results = await batch(
      'sign',
      messages.map((message) => ({ message })),
    );
    for (const [index, message] of messages.entries()) {
      const signature = Buffer.from(String(results[index]?.result?.['signature']), 'base64');
      assert.ok(verify('sha256', Buffer.from(message), merchant.publicKey, signature), message);
    }
    assert.equal(api.events.filter((event) => event.type === 'operated' && event.outcome === 'ok').length, 256);
  });

  it('may hold an item that fails: the others succeed', async () => {
    const body = Buffer.from('{}');
    const { headers } = signMessage(body, { platformKey: platformKeys[0]!, now: start });
    const results = await batch('verify', [
      { kind: 'response', headers, body: '{}' },
      { kind: 'response', headers, body: '{ }' },
      { kind: 'nonsense' },
      null,
      { kind: 'response', headers, body: '{}' },
    ]);
    assert.deepEqual(
      results.map(({ result, problem }) => result?.['valid'] ?? [problem?.['status'], problem?.['title']]),
      [true, [422, 'signature-invalid'], [400, 'request-invalid'], [400, 'request-invalid'], true],
    );
    assert.deepEqual(api.events.flatMap((event) => (event.type === 'operated' ? [event.outcome] : [])).sort(), [
      'caller-error',
      'caller-error',
      'ok',
      'ok',
      'refused',
    ]);
  });

  it('is offered for authorize, decrypt and encrypt too', async () => {
    const { algorithm, ciphertext, nonce } = encryptResource('a', { apiV3Key });
    const field = { ciphertext: encryptField(merchant.publicKey, 'b') };
    const opened = await batch('decrypt', [{ algorithm, ciphertext, nonce }, field]);
    assert.deepEqual(
      opened.map(({ result }) => result?.['plaintext']),
      ['a', 'b'],
    );
    const [authorized] = await batch('authorize', [{ method: 'GET', url: '/' }]);
    assert.equal(authorized?.result?.['keyId'], merchant.serialNumber);
    const [encrypted] = await batch('encrypt', [{ plaintext: '' }]);
    assert.equal(typeof encrypted?.result?.['ciphertext'], 'string');
  });

  it('is not offered for the calls that are made once per payment', async () => {
    for (const operation of ['notification', 'payment-parameters']) {
      assert.deepEqual(verdictOf(await api.post(`${operation}/batch`, { items: [{}] })), [404, 'route-unknown']);
    }
  });

  it('of none, of 257, or that is no list is refused whole', async () => {
    const tooMany = Array.from({ length: 257 }, () => ({ message: '' }));
    for (const input of [{ items: [] }, { items: tooMany }, { items: {} }, {}, [], null, { items: [{}], more: 1 }]) {
      assert.deepEqual(verdictOf(await api.post('sign/batch', input)), [400, 'request-invalid']);
    }
    assert.deepEqual(api.events, []);
  });

  it('runs whole on the snapshot that was current when it began', async (t) => {
    t.after(() => api.load('shop', material.files));
    const rotated = await rotateMerchant(material, { now: start });
    const pending = batch('sign', Array(32).fill({ message: held }));
    await gate.arrival();
    await api.load('shop', rotated.files);
    const { body } = await api.post('sign', { message: 'x' });
    assert.deepEqual([body['keyId'], body['generation']], [rotated.merchant.serialNumber, 2]);
    gate.open();
    const keys = new Set(
      (await pending).map(({ result }) => `${String(result?.['keyId'])} ${String(result?.['generation'])}`),
    );
    assert.deepEqual([...keys], [`${merchant.serialNumber} 1`]);
  });
});
