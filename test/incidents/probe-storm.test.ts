// Incident: WeChat Pay's signature probes were taken for an attack; pods left the load balancer, and payments stopped.
import assert from 'node:assert/strict';
import { after, it } from 'node:test';
import { isProcessReady } from '../../src/server/process-status.ts';
import { makeNotification, makeProbe, signMessage } from '../../src/testing/wechatpay-message.ts';
import { makeMaterial, start, startApi } from '../support/api-server.ts';

const material = await makeMaterial();
const [platformKey] = material.platformKeys;
const api = await startApi({
  shop: { files: material.files, isRequired: true, requires: ['sign', 'verify', 'decrypt'] },
});
after(() => api[Symbol.asyncDispose]());

it('probe storm: 10,000 probes are refused and counted apart, and change nothing else', async () => {
  const before = await api.get('/v1/credentials');
  const options = { platformKey: platformKey!, now: start };
  const notification = makeNotification({ ...options, apiV3Key: material.apiV3Key, resource: { a: 1 } });
  const messages = { notification, response: signMessage(Buffer.from('{}'), options) };
  const items = Object.entries(messages).flatMap(([kind, message]) => {
    const { headers, body } = makeProbe(message);
    return Array<object>(125).fill({ kind, headers, body: Buffer.from(body).toString() });
  });
  for (let sent = 0; sent < 10_000; sent += items.length) {
    const { body } = await api.post('verify/batch', { items });
    const titles = (body['items'] as { problem?: { title: string } }[]).map(({ problem }) => problem?.title);
    assert.deepEqual(new Set(titles), new Set(['signature-probe']));
    assert.ok(isProcessReady(api.store, api.clock.now()));
  }
  const counts = new Map<string, number>();
  for (const event of api.events.slice(1)) {
    const key = event.type === 'unverified' ? event.error.code : event.type === 'operated' ? event.outcome : event.type;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  assert.deepEqual(Object.fromEntries(counts), { 'signature-probe': 10_000, refused: 10_000 });
  // The key that the probes named, and everything retired or loaded, is still there.
  assert.deepEqual((await api.get('/v1/credentials')).body, before.body);
  const { headers, body } = notification;
  const opened = await api.post('notification', { headers, body: Buffer.from(body).toString() });
  assert.deepEqual([opened.status, opened.body['resource']], [200, { a: 1 }]);
});
