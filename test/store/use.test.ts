// The operations of a snapshot for one call: what they find out is observed here, whichever way the call came in.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Event } from '../../src/events.ts';
import { Limiter } from '../../src/store/limiter.ts';
import { Use } from '../../src/store/use.ts';
import { encryptResource, makeNotification, makeProbe, rotateApiV3Key } from '../../src/testing/index.ts';
import { loadStore, makeMaterial, start } from '../support/api-server.ts';

const material = rotateApiV3Key(await makeMaterial());
const { store } = await loadStore({ shop: { files: material.files } });
const [platformKey] = material.platformKeys;
const resource = { out_trade_no: '1' };
const options = { platformKey: platformKey!, now: start, resource };
const notification = makeNotification({ ...options, apiV3Key: material.apiV3Key });

function use(signal = new AbortController().signal) {
  const events: Event[] = [];
  const call = {
    id: '1',
    caller: { listener: 'library' },
    credential: 'shop',
    operation: 'x',
    startedAt: start,
    signal,
  };
  return { events, use: new Use(call, store.current('shop'), (event) => void events.push(event)) };
}

describe('a use', () => {
  it('tells which key opened what it received', async () => {
    const { events, use: one } = use();
    const opened = await one.receive({ kind: 'notification', ...notification });
    assert.deepEqual([opened.resource, 'isRetired' in opened], [resource, false]);
    assert.deepEqual(events, [{ type: 'decrypted', credential: 'shop', role: 'apiv3', isRetired: false }]);
  });

  it('tells of a signature that is refused, and of a probe, once each', async () => {
    for (const [message, code] of [
      [makeProbe(notification), 'signature-probe'],
      [{ ...notification, body: Buffer.from('{}') }, 'signature-invalid'],
    ] as const) {
      for (const run of ['verify', 'receive'] as const) {
        const { events, use: one } = use();
        await assert.rejects(one[run]({ kind: 'notification', ...message }), { code });
        assert.deepEqual(
          events.map((event) => event.type === 'unverified' && [event.kind, event.error.code]),
          [['notification', code]],
        );
      }
    }
  });

  it('takes a notification that is signed and does not open for no forgery', async () => {
    const { events, use: one } = use();
    const sealed = makeNotification({ ...options, apiV3Key: 'y'.repeat(32) });
    await assert.rejects(one.receive({ kind: 'notification', ...sealed }), { code: 'decryption-failed' });
    assert.deepEqual(
      events.map((event) => event.type === 'unopened' && [event.kind, event.error.code]),
      [['notification', 'decryption-failed']],
    );
  });

  it('tells of a ciphertext that opens with no key, and not of a mistake of the caller', async () => {
    const { events, use: one } = use();
    const { algorithm, ciphertext, nonce } = encryptResource('x', { apiV3Key: 'y'.repeat(32) });
    await assert.rejects(one.decrypt({ algorithm, ciphertext, nonce }), { code: 'decryption-failed' });
    await assert.rejects(one.decrypt({ algorithm: 'AES', ciphertext, nonce }), { code: 'request-invalid' });
    assert.deepEqual(
      events.map((event) => event.type === 'unopened' && [event.kind, event.error.code]),
      [['ciphertext', 'decryption-failed']],
    );
  });

  it('tells of a previous key that still opens', async () => {
    const { events, use: one } = use();
    const { algorithm, ciphertext, nonce } = encryptResource('x', { apiV3Key: material.previousApiV3Key! });
    await one.decrypt({ algorithm, ciphertext, nonce, associatedData: '' });
    assert.deepEqual(events, [{ type: 'decrypted', credential: 'shop', role: 'apiv3-previous', isRetired: false }]);
  });

  it('signs nothing for a caller who has gone', async () => {
    const { use: one } = use(AbortSignal.abort());
    await assert.rejects(one.sign(Buffer.from('m')), { code: 'caller-gone' });
  });
});

describe('a queue of signatures', () => {
  it('skips those that nobody waits for any more', async () => {
    const limiter = new Limiter(1);
    const held = Promise.withResolvers<undefined>();
    const first = limiter.run({}, () => held.promise);
    const callers = Array.from({ length: 1500 }, () => new AbortController());
    let signed = 0;
    const waiting = callers.map(({ signal }) => limiter.run({ signal }, async () => (signed += 1)));
    const settled = Promise.allSettled(waiting);
    for (const [index, caller] of callers.entries()) if (index !== 700) caller.abort();
    held.resolve(undefined);
    await first;
    const outcomes = await settled;
    assert.equal(signed, 1);
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
    assert.equal(await limiter.run({}, async () => 'the next'), 'the next');
  });
});
