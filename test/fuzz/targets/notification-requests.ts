// Raw requests to the listener for notifications, head and body: the application gets only what the platform signed, and only once.
import assert from 'node:assert/strict';
import { Once } from '../../../src/delivery/once.ts';
import { Strangers } from '../../../src/delivery/strangers.ts';
import type { Envelope } from '../../../src/delivery/envelope.ts';
import type { Event } from '../../../src/events.ts';
import { platforms } from '../../../src/providers/registry.ts';
import { limitsOf } from '../../../src/server/limits.ts';
import { listenOnPort } from '../../../src/server/listeners.ts';
import { createNotifications } from '../../../src/server/notifications/notifications.ts';
import { sourceAddressOf } from '../../../src/server/notifications/source-address.ts';
import { aroundEach } from '../../../src/store/call.ts';
import { signMessage } from '../../../src/testing/index.ts';
import { BufferBudget } from '../../../src/system/buffer-budget.ts';
import { loadStore, merchantId } from '../../support/api-server.ts';
import { type Corpus, now } from '../corpus.ts';
import { byteMutations } from '../mutate-bytes.ts';
import { mutateText } from '../mutate-text.ts';
import type { Random } from '../random.ts';
import { mutate, type Target } from '../target.ts';
import { assertStatus } from './listener.ts';
import { seal } from './notifications.ts';
import { sendRaw } from './raw.ts';

const mutations = [...byteMutations, ...byteMutations.map(() => mutateText)];
const lines = [
  'Paycert-Verified: yes',
  'Paycert-Signature: sha256=00',
  'Wechatpay-Serial: 00',
  'Wechatpay-Signature: WECHATPAY/SIGNTEST/AAAA',
  'X-Forwarded-For: 1.2.3.4, , ::, 127.0.0.1',
  'X-Forwarded-For: 999.1.1.1',
  'Transfer-Encoding: chunked',
  'Content-Length: 0',
  'Expect: 100-continue',
  'Content-Encoding: gzip',
  'Connection: close, wechatpay-signature',
  'Host: a, b',
  '__proto__: a',
];
const paths = [
  '/shop',
  '/shop/',
  '/shop/a?b#c',
  '/shop//..%2f',
  '/empty/x',
  '/other',
  '/',
  '*',
  '/__proto__',
  `/shop/${'a'.repeat(3000)}`,
];
const resource = { transaction_id: '4200001234', trade_state: 'SUCCESS' };

function makeRequest({ material }: Corpus, random: Random): Buffer {
  const id = String(random.below(1000));
  const sealed = seal(Buffer.from(JSON.stringify(resource)), material.apiV3Key, random.bytes(6).toString('hex'));
  const envelope = { id, event_type: 'TRANSACTION.SUCCESS', resource: { original_type: 'transaction', ...sealed } };
  const platformKey = random.pick(material.platformKeys);
  const nonce = random.bytes(8).toString('hex');
  const { headers, body } = signMessage(Buffer.from(JSON.stringify(envelope)), { platformKey, now, nonce });
  const head = ['Host: a', `Content-Length: ${String(body.byteLength)}`];
  head.push(...Object.entries(headers).map(([name, value]) => `${name}: ${value}`));
  for (let count = random.below(3); count > 0; count -= 1)
    head.splice(random.below(head.length + 1), random.isOneIn(4) ? 1 : 0, random.pick(lines));
  const path = random.isOneIn(3) ? random.pick(paths) : '/shop/notify';
  return Buffer.concat([Buffer.from(`POST ${path} HTTP/1.1\r\n${head.join('\r\n')}\r\n\r\n`), body]);
}

export async function notificationRequests(corpus: Corpus): Promise<Target> {
  const policy = { notifying: platforms.wechatpay.notifies?.({ merchantId }) };
  const loaded = await loadStore({ shop: { files: corpus.material.files, policy }, empty: { policy } }, now);
  let internal: unknown;
  const observe = (event: Event) => {
    if (event.type === 'internal-error') internal ??= event.error;
  };
  const handed: Envelope[] = [];
  const milliseconds = () => performance.now();
  const budget = new BufferBudget();
  const { store, clock } = loaded;
  const options = {
    ...{ store, clock: { now: () => clock.now(), sleep: never }, observe, milliseconds, deliver: 'opened' as const },
    around: aroundEach({ observe, milliseconds, most: 1024 }),
    once: new Once({ milliseconds, capacity: 100, most: 16, forgotten: () => undefined }),
    // Of this many inputs each would be limited after some.
    strangers: new Strangers({ milliseconds: endless() }),
    application: { deliver: (envelope: Envelope) => Promise.resolve(void handed.push(envelope)) },
    hold: () => budget.open(),
    secret: () => 'a-secret-of-the-application',
    sourceOf: sourceAddressOf(['127.0.0.1']),
  };
  const { address, close } = await listenOnPort('127.0.0.1:0', createNotifications(options), limitsOf('notifications'));
  return {
    async run(random) {
      const good = makeRequest(corpus, random);
      const request = random.isOneIn(3) ? good : mutate(good, mutations, random, [good]);
      const received = await sendRaw(address, request);
      if (internal !== undefined)
        throw internal instanceof Error ? internal : new Error('something unforeseen was thrown');
      let isAccepted = false;
      for (const [, digits] of received.matchAll(/HTTP\/1\.1 (\d{3}) /g)) {
        // What is signed and not opened is 500.
        if (digits !== '500') assertStatus(Number(digits), received);
        isAccepted ||= digits === '204';
      }
      for (const { body, headers } of handed.splice(0)) {
        assert.deepEqual(
          JSON.parse(Buffer.from(body).toString()),
          resource,
          'only what the platform wrote is handed on',
        );
        assert.equal(headers['Paycert-Verified'], 'yes');
      }
      return isAccepted ? 'accepted' : 'refused';
    },
    async [Symbol.asyncDispose]() {
      await close();
      assert.equal(budget.held, 0, 'nothing is held when all is over');
    },
  };
}

/** No platform waits that long. */
const never = (_: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve()));

/** A clock by which everybody may try again. */
function endless(): () => number {
  let now = 0;
  return () => (now += 3_600_000);
}
