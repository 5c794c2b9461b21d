// A reconciliation: each order is asked for at its platform's times until its state is final, so many at once, and no longer than it may.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PaycertError } from '../../src/errors.ts';
import { alipayTimes } from '../../src/providers/alipay/querying.ts';
import type { OrderState } from '../../src/providers/querying.ts';
import { wechatPayTimes } from '../../src/providers/shared/wechatpay-orders.ts';
import { reconcile, type Reconciled, type ReconcileOptions } from '../../src/reconcile/reconcile.ts';
import { settled as turns } from '../support/audited.ts';
import { FakeClock } from '../support/fake-clock.ts';

const minute = 60_000;

/** What the platform says of each order, query by query; the last one again and again. */
function scene(
  states: Readonly<Record<string, readonly (OrderState | PaycertError)[]>>,
  more: Partial<ReconcileOptions> = {},
) {
  const clock = new FakeClock();
  const begun = clock.now().getTime();
  const asked: { readonly order: string; readonly after: number }[] = [];
  const results: Reconciled[] = [];
  const stop = new AbortController();
  let underWay = 0;
  let most = 0;
  const query: ReconcileOptions['query'] = async (order) => {
    const times = asked.filter((one) => one.order === order).length;
    asked.push({ order, after: clock.now().getTime() - begun });
    underWay += 1;
    most = Math.max(most, underWay);
    await new Promise((resolve) => setImmediate(resolve));
    underWay -= 1;
    const script = states[order] ?? ['paid'];
    const said = script[Math.min(times, script.length - 1)] ?? 'paid';
    if (said instanceof PaycertError) throw said;
    return { state: said, said: said.toUpperCase() };
  };
  const options = {
    ...{ query, clock, afterMilliseconds: wechatPayTimes, signal: stop.signal, ...more },
    settled: (result: Reconciled) => void results.push(result),
  };
  return { clock, asked, results, stop, options, most: () => most };
}

/** Lets time pass until it has ended. */
async function pass<T>(clock: FakeClock, work: Promise<T>): Promise<T> {
  const over = new AbortController();
  void work.finally(() => over.abort()).catch(() => undefined);
  for (let step = 0; step < 2000 && !over.signal.aborted; step += 1) {
    await turns();
    clock.advance(clock.sleeping[0] ?? 0);
  }
  assert.ok(over.signal.aborted, 'it has not ended');
  return work;
}

describe('a reconciliation', () => {
  it('asks at the times at which notifications come, and not again once the state is final', async () => {
    const { clock, asked, results, options } = scene({ a: ['open', 'open', 'absent', 'paid'], b: ['closed'] });
    assert.deepEqual(await pass(clock, reconcile(['a', 'b'], options)), { final: 2, open: 0 });
    const seconds = asked.filter(({ order }) => order === 'a').map(({ after }) => after / 1000);
    assert.deepEqual(seconds, [0, 15, 30, 60]);
    assert.equal(asked.filter(({ order }) => order === 'b').length, 1);
    const [b, a] = results;
    assert.deepEqual([b?.order, b?.state, b?.isFinal, b?.queries], ['b', 'closed', true, 1]);
    assert.deepEqual([a?.order, a?.state, a?.said, a?.queries], ['a', 'paid', 'PAID', 4]);
  });

  it('ends after the last of these times, and says what stayed open', async () => {
    for (const [afterMilliseconds, hours] of [
      [wechatPayTimes, 24 + 4 / 60],
      [alipayTimes, 24 + 24 / 60],
    ] as const) {
      const { clock, asked, results, options } = scene({ a: ['open'] }, { afterMilliseconds });
      assert.deepEqual(await pass(clock, reconcile(['a'], options)), { final: 0, open: 1 });
      assert.equal(asked.length, afterMilliseconds.length);
      assert.ok(Math.abs((asked.at(-1)?.after ?? 0) / (60 * minute) - hours) < 0.02);
      assert.deepEqual([results[0]?.state, results[0]?.isFinal], ['open', false]);
    }
  });

  it('asks again after an error, and reports the last one beside what was known', async () => {
    const away = new PaycertError('gateway-unreachable', 'no connection');
    const { clock, results, options } = scene({ a: [away, 'paid'], b: ['open', away] });
    assert.deepEqual(await pass(clock, reconcile(['a', 'b'], options)), { final: 1, open: 1 });
    const b = results.find(({ order }) => order === 'b');
    assert.deepEqual([b?.state, b?.error?.code], ['open', 'gateway-unreachable']);
    assert.equal(results.find(({ order }) => order === 'a')?.error, undefined);
  });

  it('does not ask again for what is no number of an order', async () => {
    const refused = new PaycertError('request-invalid', 'is no order number', { field: 'order' });
    const { clock, asked, results, options } = scene({ 'a b': [refused] });
    assert.deepEqual(await pass(clock, reconcile(['a b'], options)), { final: 0, open: 1 });
    assert.equal(asked.length, 1);
    assert.equal(results[0]?.error, refused);
  });

  it('takes a number that comes twice once, and holds no more orders and queries than it may', async () => {
    const orders = Array.from({ length: 100 }, (_, index) => `o${index % 50}`);
    let taken = 0;
    const source = (function* () {
      for (const order of orders) {
        taken += 1;
        yield order;
      }
    })();
    const { clock, asked, most, options } = scene(
      { o0: ['open'] },
      { mostOrders: 10, mostQueries: 3, afterMilliseconds: [0, minute] },
    );
    const running = reconcile(source, options);
    assert.ok(taken <= 12);
    assert.deepEqual(await pass(clock, running), { final: 49, open: 1 });
    assert.equal(asked.length, 51);
    assert.ok(most() <= 3);
  });

  it('ends when it is asked to, and reports every order that it had taken', async () => {
    const { clock, results, stop, options } = scene({ a: ['open'], b: ['open'] });
    const running = reconcile(['a', 'b'], options);
    await turns();
    stop.abort();
    assert.deepEqual(await pass(clock, running), { final: 0, open: 2 });
    assert.deepEqual(
      results.map(({ order, state }) => [order, state]),
      [
        ['a', 'open'],
        ['b', 'open'],
      ],
    );
  });

  it('continues where an earlier run was: what was due is asked once, and the rest at its time', async () => {
    const clock = new FakeClock();
    const firstAt = new Map([['a', new Date(clock.now().getTime() - 5 * minute)]]);
    const { asked, results, options, clock: own } = scene({ a: ['open', 'paid'] }, { firstAt });
    await pass(own, reconcile(['a'], options));
    assert.deepEqual(
      asked.map(({ after }) => after / minute),
      [0, 9],
    );
    assert.deepEqual(results[0]?.firstAt, firstAt.get('a'));
  });
});
