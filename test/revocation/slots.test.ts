// Slots for large responses: no more are taken than there are, in order, and one that gives up takes none.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Slots } from '../../src/revocation/slots.ts';

const never = new AbortController().signal;

describe('slots', () => {
  it('are given out as many as there are, and then in the order of those who wait', async () => {
    const slots = new Slots(2);
    const order: string[] = [];
    const [first, second] = [await slots.take(never), await slots.take(never)];
    const waiting = ['a', 'b'].map(async (name) => {
      const giveBack = await slots.take(never);
      order.push(name);
      return giveBack;
    });
    await Promise.resolve();
    assert.deepEqual(order, []);
    first();
    const giveBack = await waiting[0]!;
    assert.deepEqual(order, ['a']);
    second();
    (await waiting[1]!)();
    giveBack();
    assert.deepEqual(order, ['a', 'b']);
  });

  it('are not held by one that gave up while it waited', async () => {
    const slots = new Slots(1);
    const giveBack = await slots.take(never);
    const gone = new AbortController();
    const waiting = slots.take(gone.signal);
    const next = slots.take(never);
    gone.abort();
    await assert.rejects(waiting, { name: 'AbortError' });
    giveBack();
    (await next)();
    await assert.rejects(slots.take(gone.signal), { name: 'AbortError' });
    (await slots.take(never))();
  });
});
