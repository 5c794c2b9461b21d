// What stays of calls that are over: nothing that waits for all garbage to be collected, however long calls have come and gone.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Call, limit } from '../../src/store/call.ts';
import { Limiter } from '../../src/store/limiter.ts';
import { ballast, leftBehind } from '../support/left-behind.ts';

/** As many as are under way at any time. */
const underWay = 40;
const turns = 2000;
/** Of each call: 16 MB in all. */
const carried = 8192;
const most = 2 * 1024 * 1024;

const call = (): Call & { readonly ballast: unknown } => ({
  ...{ id: 'c1', caller: { listener: 'socket' }, credential: 'shop', operation: 'sign', startedAt: new Date(0) },
  ...{ signal: { aborted: false }, ballast: ballast(carried) },
});

/** Begins a call in each turn, and ends the oldest. */
function crowd(begin: (work: () => Promise<undefined>) => Promise<unknown>) {
  const held: { readonly end: (_: undefined) => void; readonly over: Promise<unknown> }[] = [];
  return async () => {
    const { promise, resolve: end } = Promise.withResolvers<undefined>();
    held.push({ end, over: begin(() => promise) });
    if (held.length <= underWay) return;
    const oldest = held.shift();
    oldest?.end(undefined);
    await oldest?.over;
  };
}

describe('calls that are over', () => {
  it('are not kept by what bounds how many are under way', async () => {
    const around = limit(1000);
    const left = await leftBehind(
      turns,
      crowd((work) => around(call(), work)),
    );
    assert.ok(left < most, `${left} bytes are left behind`);
  });

  it('are not kept by the turns of the pool in which they waited', async () => {
    const limiter = new Limiter(4);
    const left = await leftBehind(
      turns,
      crowd((work) => limiter.run(call(), work)),
    );
    assert.ok(left < most, `${left} bytes are left behind`);
  });
});
