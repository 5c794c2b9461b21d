// The operations of a snapshot for one call: what they find out is observed here, whichever way the call came in.
import assert from 'node:assert/strict';
import { sign } from 'node:crypto';
import { describe, it } from 'node:test';
import type { PaycertError } from '../../src/errors.ts';
import type { Event } from '../../src/events.ts';
import { apart, CredentialUse } from '../../src/store/credential-use.ts';
import { Limiter } from '../../src/store/limiter.ts';
import { within } from '../../src/store/use.ts';
import { encryptField, encryptResource, makeNotification, makeProbe, rotateApiV3Key } from '../../src/testing/index.ts';
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
  const options = { observe: (event: Event) => void events.push(event), nonce: () => 'n'.repeat(32) };
  return { events, use: new CredentialUse(store.current('shop'), within(call), options) };
}

describe('a use', () => {
  it('of a program has operations that can be taken out and called alone', async () => {
    const operations = apart(use().use);
    const { sign: alone } = operations as { readonly sign: (message: string) => Promise<{ readonly keyId: string }> };
    assert.equal((await alone('x')).keyId, material.merchant.serialNumber);
    // Each one that there is: none is lost between the class and the program.
    const all = Object.getOwnPropertyNames(CredentialUse.prototype).filter((name) => !['constructor', 'generation'].includes(name)); // prettier-ignore
    assert.deepEqual(Object.keys(operations).sort(), all.sort());
  });

  it('authorizes no address with a fragment, as the API does not', async () => {
    const { use: one } = use();
    for (const url of ['/v3/a#b', 'https://api.mch.weixin.qq.com/v3/a?x=1#', '/v3/a?x=#1'])
      await assert.rejects(one.authorize({ method: 'GET', url }), { code: 'request-invalid', field: 'url' }, url);
    await one.authorize({ method: 'GET', url: '/v3/a?x=%231' });
  });

  it('authorizes no address with a name or password, of which some clients make a header', async () => {
    const { use: one } = use();
    for (const url of ['https://me:secret@api.mch.weixin.qq.com/v3/a', 'HTTP://me@h', 'https://@h/', 'https://a@b@h?x'])
      await assert.rejects(
        one.authorize({ method: 'GET', url }),
        (error: PaycertError) => error.field === 'url' && !error.message.includes('secret'),
        url,
      );
    await one.authorize({ method: 'GET', url: 'https://api.mch.weixin.qq.com/v3/a@b?c=d@e' });
  });

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

  it('takes text as its UTF-8 bytes, and base64 or the bytes that it says', async () => {
    const { use: one } = use();
    const { signature } = await one.sign('支付');
    assert.deepEqual(signature, (await one.sign(Buffer.from('支付'))).signature);
    const request = { method: 'POST', url: '/v3/pay' };
    const [text, bytes] = await Promise.all(
      ['{"a":"支付"}', Buffer.from('{"a":"支付"}')].map((body) => one.authorize({ ...request, body })),
    );
    assert.deepEqual(text, bytes);
    const { headers, body } = notification;
    assert.deepEqual(
      await one.receive({ headers, body: Buffer.from(body).toString() }),
      await one.receive({ headers, body }),
    );
    const field = encryptField(material.merchant.publicKey, '张三');
    for (const ciphertext of [field, Buffer.from(field, 'base64')])
      assert.equal(Buffer.from((await one.decrypt({ ciphertext })).plaintext).toString(), '张三');
    assert.equal((await one.encrypt('张三')).keyId, (await one.encrypt(Buffer.from('张三'))).keyId);
  });

  it('verifies a message with its signature as text or as bytes', async () => {
    const { use: one } = use();
    const signed = sign('sha256', Buffer.from('m'), platformKey!.privateKey);
    const { keyId } = platformKey!;
    for (const signature of [signed, signed.toString('base64')])
      assert.equal((await one.verify({ kind: 'message', message: 'm', signature, keyId })).keyId, keyId);
  });

  it('refuses by name what is neither text nor bytes, and text that no UTF-8 can carry', async () => {
    const { use: one } = use();
    for (const wrong of [undefined, null, 1, {}, [1], new ArrayBuffer(1), '\ud800'] as readonly unknown[]) {
      const given = wrong as Uint8Array;
      const request = { method: 'POST', url: '/', body: given };
      for (const [field, refused] of [
        ['message', one.sign(given)],
        ['plaintext', one.encrypt(given)],
        ['body', one.verify({ kind: 'response', body: given })],
        ['body', one.receive({ body: given })],
        ['message', one.verify({ kind: 'message', message: given, signature: 'AA==', keyId: 'k' })],
        ...(wrong === undefined ? [] : [['body', one.authorize(request)] as const]),
      ] as const)
        await assert.rejects(refused, { code: 'request-invalid', field });
    }
    for (const wrong of [undefined, null, 1, {}] as never[])
      await assert.rejects(one.decrypt({ ciphertext: wrong }), { code: 'request-invalid', field: 'ciphertext' });
  });

  it('takes the time of the call and a fresh nonce where none is given, and otherwise what is given', async () => {
    const { use: one } = use();
    const stamp = (headers: Readonly<Record<string, string>>) =>
      ['nonce_str', 'timestamp'].map((name) => new RegExp(`${name}="([^"]*)"`).exec(headers['Authorization']!)?.[1]);
    const request = { method: 'GET', url: '/v3/certificates' };
    const ours = await one.authorize(request);
    assert.deepEqual(stamp(ours.headers), ['n'.repeat(32), String(start.getTime() / 1000)]);
    const given = await one.authorize(request, { nonce: 'given', now: new Date(start.getTime() + 1000) });
    assert.deepEqual(stamp(given.headers), ['given', String(start.getTime() / 1000 + 1)]);
    const late = { now: new Date(start.getTime() + 301_000) };
    await assert.rejects(one.receive(notification, late), { code: 'timestamp-outside-window' });
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
