// A breaker by itself: when it opens, what may try, what closes it, and what says nothing.
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { describe, it, type TestContext } from 'node:test';
import {
  Breaker,
  BreakerOpen,
  type BreakerOptions,
  type BreakerState,
  type CallResult,
} from '../../src/system/breaker.ts';

interface Opened {
  readonly breaker: Breaker;
  /** Emits `rotate` each second. */
  readonly rotation: EventEmitter;
  readonly states: BreakerState[];
  /** Resolves when it is in that state from now on. */
  readonly next: (state: BreakerState) => Promise<void>;
  /** One call, which its platform answers with that. */
  readonly call: (result: CallResult) => Promise<string>;
}

function start(t: TestContext, options: Partial<BreakerOptions> = {}): Opened {
  const states: BreakerState[] = [];
  let waiting: { readonly state: BreakerState; readonly resolve: () => void }[] = [];
  const rotation = new EventEmitter();
  const changed = (state: BreakerState) => {
    states.push(state);
    for (const one of waiting) if (one.state === state) one.resolve();
    waiting = waiting.filter((one) => one.state !== state);
  };
  const figures = { failurePercent: 50, minimumCalls: 20, openMilliseconds: 60_000, ...options };
  const breaker = new Breaker({ ...figures, rotation, changed });
  t.after(() => breaker.close());
  return {
    breaker,
    rotation,
    states,
    next: (state) => new Promise((resolve) => waiting.push({ state, resolve })),
    call: (result) =>
      breaker.run(
        async () => result,
        () => result,
      ),
  };
}

const many = async ({ call }: Opened, result: CallResult, times: number): Promise<void> => {
  for (let index = 0; index < times; index += 1) await call(result);
};

describe('a breaker', () => {
  it('opens at the share of failures, of no fewer calls than configured', async (t) => {
    const opened = start(t);
    await many(opened, 'success', 10);
    await many(opened, 'failure', 9);
    assert.deepEqual([opened.states, opened.breaker.state, opened.breaker.refuses], [[], 'closed', false]);
    await many(opened, 'failure', 1);
    assert.deepEqual([opened.states, opened.breaker.state, opened.breaker.refuses], [['open'], 'open', true]);
  });

  it('stays closed below that share, however many fail', async (t) => {
    const opened = start(t);
    for (let index = 0; index < 100; index += 1) {
      await many(opened, 'success', 2);
      await many(opened, 'failure', 1);
    }
    assert.deepEqual(opened.states, []);
  });

  it('counts nothing that says nothing as a failure', async (t) => {
    const opened = start(t);
    await many(opened, 'none', 50);
    assert.deepEqual(opened.states, []);
  });

  it('gives back what a call ended with, whatever it says of the platform', async (t) => {
    const { breaker } = start(t);
    for (const result of ['success', 'failure', 'none'] as const) {
      assert.equal(await breaker.run(async () => result, () => result), result); // prettier-ignore
      await assert.rejects(
        breaker.run(
          async () => Promise.reject(new RangeError(result)),
          () => result,
        ),
        { name: 'RangeError', message: result },
      );
    }
  });

  it('runs nothing while it is open', async (t) => {
    const opened = start(t);
    await many(opened, 'failure', 20);
    let runs = 0;
    const run = opened.breaker.run(
      async () => void (runs += 1),
      () => 'success',
    );
    await assert.rejects(run, BreakerOpen);
    assert.equal(runs, 0);
  });

  it('lets one call try after its time, and no other until that one has ended', async (t) => {
    const opened = start(t, { openMilliseconds: 1 });
    const halfOpen = opened.next('half-open');
    await many(opened, 'failure', 20);
    await halfOpen;
    assert.equal(opened.breaker.refuses, false);
    const tried: PromiseWithResolvers<void> = Promise.withResolvers();
    const trial = opened.breaker.run(
      () => tried.promise,
      () => 'success',
    );
    assert.equal(opened.breaker.refuses, true);
    await assert.rejects(opened.call('success'), BreakerOpen);
    tried.resolve();
    await trial;
    assert.deepEqual(
      [opened.states, opened.breaker.state, opened.breaker.refuses],
      [['open', 'half-open', 'closed'], 'closed', false],
    );
  });

  for (const result of ['failure', 'none'] as const)
    it(`opens again where the call that tries ends with ${result}: only a success is proof of one`, async (t) => {
      const opened = start(t, { openMilliseconds: 1 });
      const halfOpen = opened.next('half-open');
      await many(opened, 'failure', 20);
      await halfOpen;
      const again = opened.next('half-open');
      await opened.call(result);
      await again;
      await opened.call('success');
      assert.deepEqual(opened.states, ['open', 'half-open', 'open', 'half-open', 'closed']);
    });

  it('begins anew when it closes: what failed before it opened counts no more', async (t) => {
    const opened = start(t, { openMilliseconds: 1 });
    const halfOpen = opened.next('half-open');
    await many(opened, 'failure', 20);
    await halfOpen;
    await many(opened, 'success', 1);
    await many(opened, 'failure', 19);
    assert.deepEqual(opened.states, ['open', 'half-open', 'closed']);
    await many(opened, 'failure', 1);
    assert.deepEqual(opened.states, ['open', 'half-open', 'closed', 'open']);
  });

  it('hears nothing more of calls that began before it opened, once it has closed', async (t) => {
    const opened = start(t, { openMilliseconds: 1 });
    const hanging: PromiseWithResolvers<void> = Promise.withResolvers();
    const late = Array.from({ length: 20 }, () =>
      opened.breaker.run(
        () => hanging.promise,
        () => 'failure',
      ),
    );
    const halfOpen = opened.next('half-open');
    await many(opened, 'failure', 20);
    await halfOpen;
    await many(opened, 'success', 1);
    hanging.resolve();
    await Promise.all(late);
    assert.deepEqual([opened.states, opened.breaker.state], [['open', 'half-open', 'closed'], 'closed']);
  });

  it('is independent of others', async (t) => {
    const [one, other] = [start(t), start(t)];
    await many(one, 'failure', 20);
    assert.deepEqual([one.breaker.state, other.breaker.state], ['open', 'closed']);
    assert.equal(await other.call('success'), 'success');
  });

  it('forgets what is older than ten seconds', async (t) => {
    const opened = start(t);
    await many(opened, 'failure', 19);
    for (let second = 0; second < 10; second += 1) opened.rotation.emit('rotate');
    await many(opened, 'failure', 19);
    assert.deepEqual(opened.states, []);
    await many(opened, 'failure', 1);
    assert.deepEqual(opened.states, ['open']);
  });
});
