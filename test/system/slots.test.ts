// Slots: no more are taken than there are, in order, and one that gives up takes none.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Slots } from '../../src/system/slots.ts';

const never = new AbortController().signal;
const giveBack = (slot: Disposable) => slot[Symbol.dispose]();

describe('slots', () => {
  it('are given out as many as there are, and then in the order of those who wait', async () => {
    const slots = new Slots(2);
    const order: string[] = [];
    const [first, second] = [await slots.take(never), await slots.take(never)];
    const waiting = ['a', 'b'].map(async (name) => {
      const slot = await slots.take(never);
      order.push(name);
      return slot;
    });
    await Promise.resolve();
    assert.deepEqual(order, []);
    giveBack(first);
    const third = await waiting[0]!;
    assert.deepEqual(order, ['a']);
    giveBack(second);
    giveBack(await waiting[1]!);
    giveBack(third);
    assert.deepEqual(order, ['a', 'b']);
  });

  it('are not held by one that gave up while it waited', async () => {
    const slots = new Slots(1);
    const first = await slots.take(never);
    const gone = new AbortController();
    const waiting = slots.take(gone.signal);
    const next = slots.take(never);
    gone.abort();
    await assert.rejects(waiting, { name: 'AbortError' });
    giveBack(first);
    giveBack(await next);
    await assert.rejects(slots.take(gone.signal), { name: 'AbortError' });
    giveBack(await slots.take(never));
  });

  it('are not lost to one that gives up while a slot comes free', async () => {
    const slots = new Slots(1);
    const first = await slots.take(never);
    const gone = new AbortController();
    const waiting = slots.take(gone.signal);
    const [refused, next] = [assert.rejects(waiting, { name: 'AbortError' }), slots.take(never)];
    gone.abort();
    giveBack(first);
    await refused;
    giveBack(await next);
  });
});
