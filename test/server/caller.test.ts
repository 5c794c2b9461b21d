// Who calls: the listener by its name is known, and all that a caller says of itself is a claim.
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { makeMaterial, startApi } from '../support/api-server.ts';

const { files } = await makeMaterial();
const api = await startApi({ shop: { files } });
after(() => api[Symbol.asyncDispose]());

async function operated(headers: Readonly<Record<string, string>>) {
  api.events.length = 0;
  const body = '{"message":"x"}';
  const path = '/v1/credentials/shop/sign';
  await api.call({ path, body, headers: { 'Content-Type': 'application/json', ...headers } });
  const [event] = api.events;
  assert.ok(event?.type === 'operated');
  return event;
}

describe('a caller', () => {
  it('is known by its listener, and what it says of itself is recorded as its claim', async () => {
    const { call, listener, claim } = await operated({ 'Request-Id': 'order-1', 'User-Agent': 'shop/1.2 (Go)' });
    assert.deepEqual([call, listener, claim], ['order-1', 'socket', 'shop/1.2 (Go)']);
  });

  it('that says nothing has an id of ours, and no claim', async () => {
    const event = await operated({});
    assert.match(event.call, /^[0-9a-f-]{36}$/);
    assert.equal(event.claim, undefined);
  });

  it('cannot write into a log what is not printable, or without end', async () => {
    for (const hostile of ['a"b', '{"x":1}', 'é', 'x'.repeat(65), 'a\tb']) {
      const { call, claim } = await operated({ 'Request-Id': hostile, 'User-Agent': hostile });
      assert.match(call, /^[0-9a-f-]{36}$/);
      assert.equal(claim, undefined);
    }
  });

  it('makes one call of a batch', async () => {
    api.events.length = 0;
    await api.post('sign/batch', { items: [{ message: 'a' }, { message: 'b' }] });
    const ids = api.events.map((event) => event.type === 'operated' && event.call);
    assert.deepEqual([ids.length, new Set(ids).size], [2, 1]);
  });
});
