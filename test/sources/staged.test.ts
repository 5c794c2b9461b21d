// Two sets of one credential: which of them signs is decided by the time, or by the pod, and nothing else.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { PaycertError } from '../../src/errors.ts';
import type { Activation } from '../../src/sources/source.ts';
import { always, followed } from '../../src/sources/schedule.ts';
import { changesAt, shareAt, signsCall, signsIn } from '../../src/sources/activation.ts';
import { staged } from '../../src/sources/staged.ts';
import { filesOf, textsOf } from '../support/directories.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FakeSource, unreadable } from '../support/fake-source.ts';

const now = new Date('2026-11-22T00:00:00Z');
const canary = { failurePercent: 50, minimumCalls: 4 };
const never = new AbortController().signal;
const second = (seconds: number) => new Date(now.getTime() + seconds * 1000);
const signs = (percent: number, pod: string, next = 'secret:b') =>
  signsIn({ percent }, { now, pod, next }) === 'everything';

function make(activation: Activation, pod = 'pod-1') {
  const [current, next, clock] = [new FakeSource('a'), new FakeSource('b'), new FakeClock(now)];
  current.content = filesOf({ key: 'A' });
  next.content = filesOf({ key: 'B' });
  return { current, next, clock, source: staged({ current, next, schedule: always(activation), canary, pod, clock }) };
}

/** The set that signs, and the one beside it. */
async function read({ source }: ReturnType<typeof make>) {
  const { data, staged: about } = await source.read(never);
  const other = about?.other instanceof PaycertError ? about.other.code : textsOf(about?.other ?? new Map())['key'];
  return [textsOf(data)['key'], other, about?.isActive];
}

describe('the share of pods', () => {
  const pods = Array.from({ length: 2000 }, (_, index) => `pod-${String(index)}`);

  it('is none at 0, all at 100, and about that many in between', () => {
    for (const percent of [0, 5, 50, 100]) {
      const chosen = pods.filter((pod) => signs(percent, pod)).length / pods.length;
      assert.ok(Math.abs(chosen - percent / 100) < 0.03, `${String(chosen)} for ${String(percent)}`);
    }
    assert.deepEqual([pods.some((pod) => signs(0, pod)), pods.every((pod) => signs(100, pod))], [false, true]);
  });

  it('keeps every pod that it has as it grows, and always decides the same', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.nat(100), fc.nat(100), (pod, next, one, other) => {
        const [less, more] = [Math.min(one, other), Math.max(one, other)];
        assert.equal(signs(less, pod, next), signs(less, pod, next));
        assert.ok(!signs(less, pod, next) || signs(more, pod, next));
      }),
    );
  });

  it('is of other pods for another set', () => {
    const chosen = (next: string) => pods.filter((pod) => signs(5, pod, next));
    const both = chosen('secret:b').filter((pod) => chosen('secret:c').includes(pod));
    assert.ok(both.length < chosen('secret:b').length / 2);
  });
});

describe('the share of requests', () => {
  const calls = Array.from({ length: 20_000 }, (_, index) => `call-${String(index)}`);
  const signed = (percent: number, call: string, next = 'secret:b') => signsCall(percent, { call, next });
  const of = 'requests';

  it('is about that many of a hundred, in each pod', () => {
    for (const percent of [1, 5, 50, 99]) {
      const share = calls.filter((call) => signed(percent, call)).length / calls.length;
      assert.ok(Math.abs(share - percent / 100) < 0.015, `${String(share)} for ${String(percent)}`);
      for (const pod of ['pod-1', 'pod-2', ''])
        assert.equal(signsIn({ percent, of }, { now, pod, next: 'secret:b' }), 'some');
    }
  });

  it('keeps every call that it has as it grows, and decides the same in every pod and process', () => {
    const share = fc.integer({ min: 0, max: 100 });
    fc.assert(
      fc.property(fc.string(), fc.string(), share, share, (call, next, one, other) => {
        const [less, more] = [Math.min(one, other), Math.max(one, other)];
        assert.equal(signed(less, call, next), signed(less, call, next));
        assert.ok(!signed(less, call, next) || signed(more, call, next));
        assert.deepEqual([signed(0, call, next), signed(100, call, next)], [false, true]);
      }),
    );
    // Fixed: pods of several versions agree while one is rolled out.
    assert.deepEqual(['a', 'b', 'c', 'd', 'e', 'f'].map((call) => signed(50, call)), [true, false, false, true, false, true]); // prettier-ignore
  });

  it('is nothing at 0, and everything at 100 and after the last of its steps', () => {
    const at = (activation: Activation, time = now) =>
      signsIn(activation, { now: time, pod: 'pod-1', next: 'secret:b' });
    assert.deepEqual([at({ percent: 0, of }), at({ percent: 100, of })], ['nothing', 'everything']);
    const steps = { from: second(60), steps: [{ percent: 5, milliseconds: 60_000 }], of } as const;
    assert.deepEqual([59, 60, 119, 120].map((one) => at(steps, second(one))), ['nothing', 'some', 'some', 'everything']); // prettier-ignore
  });
});

describe('steps', () => {
  const minute = 60_000;
  const steps = [{ percent: 5, milliseconds: minute }, { percent: 25, milliseconds: 2 * minute }]; // prettier-ignore
  const activation = { from: second(60), steps };

  it('grow one after the other, and end in every pod', () => {
    const shares = [0, 59, 60, 119, 120, 239, 240, 1e6].map((at) => shareAt(activation, second(at)));
    assert.deepEqual(shares, [0, 0, 5, 5, 25, 25, 100, 100]);
    const changes = [0, 60, 120, 240].map((at) => changesAt(activation, second(at))?.getTime());
    assert.deepEqual(changes, [second(60).getTime(), second(120).getTime(), second(240).getTime(), undefined]);
  });

  it('are looked at when each begins, and say in how many pods the next set signs', async () => {
    const one = make(activation, 'pod-1');
    const stop = new AbortController();
    for (const source of [one.current, one.next]) source.tick('start');
    const ticks = one.source.changes(stop.signal)[Symbol.asyncIterator]();
    await ticks.next();
    const revisions = new Set([(await one.source.read(never)).revision]);
    for (const [pause, share] of [[60_000, 5], [60_000, 25], [120_000, 100]] as const) {
      assert.deepEqual(one.clock.sleeping, [pause]);
      const due = ticks.next();
      one.clock.advance(pause);
      assert.equal((await due).value, 'event');
      const { revision, staged: about } = await one.source.read(never);
      revisions.add(revision);
      assert.equal(about?.share, share);
    } // prettier-ignore
    assert.equal(revisions.size, 4);
    stop.abort();
    await ticks.next();
  });
});

describe('a staged source', () => {
  it('signs with the current set before its time, and with the next one from then on', async () => {
    const one = make({ at: second(60) });
    assert.deepEqual(await read(one), ['A', 'B', false]);
    one.clock.advance(59_999);
    assert.deepEqual(await read(one), ['A', 'B', false]);
    one.clock.advance(1);
    assert.deepEqual(await read(one), ['B', 'A', true]);
  });

  it('says to look again at its time, and only then', async () => {
    const one = make({ at: second(60) });
    const stop = new AbortController();
    for (const source of [one.current, one.next]) source.tick('start');
    const ticks = one.source.changes(stop.signal)[Symbol.asyncIterator]();
    assert.equal((await ticks.next()).value, 'start');
    assert.deepEqual(one.clock.sleeping, [60_000]);
    const next = ticks.next();
    one.clock.advance(60_000);
    assert.equal((await next).value, 'event');
    stop.abort();
    assert.equal((await ticks.next()).done, true);
  });

  it('follows what says when, and looks again at a time that it learns while it waits', async () => {
    const [one, file] = [make({ percent: 0 }), new FakeSource('file')];
    let said: Activation = { percent: 0 };
    const options = { source: file, configured: said, parse: () => said, refused: () => undefined };
    const source = staged({ ...one, schedule: followed(options), canary, pod: 'pod-1' });
    const stop = new AbortController();
    const ticks = source.changes(stop.signal)[Symbol.asyncIterator]();
    for (const each of [one.current, one.next, file]) each.tick('start');
    assert.equal((await ticks.next()).value, 'start');
    const first = await source.read(never);
    said = { at: second(60) };
    file.tick();
    assert.equal((await ticks.next()).value, 'event');
    const [due, asleep] = [ticks.next(), one.clock.nextSleep()];
    const { revision } = await source.read(never);
    assert.notEqual(revision, first.revision, 'what waits has another time');
    assert.equal(await asleep, 60_000);
    one.clock.advance(60_000);
    assert.equal((await due).value, 'event');
    assert.deepEqual(await read({ ...one, source }), ['B', 'A', true]);
    stop.abort();
    await ticks.next();
  });

  it('gives the current set again when its platform refuses the next one, and looks at once', async () => {
    const one = make({ percent: 99 });
    const stop = new AbortController();
    for (const source of [one.current, one.next]) source.tick('start');
    const ticks = one.source.changes(stop.signal)[Symbol.asyncIterator]();
    await ticks.next();
    const tried = await one.source.read(never);
    assert.equal(tried.staged?.isActive, true);
    const due = ticks.next();
    for (let times = 0; times < canary.minimumCalls; times += 1) tried.staged.judge?.(true);
    assert.equal((await due).value, 'event');
    const back = await one.source.read(never);
    assert.deepEqual([textsOf(back.data)['key'], back.staged?.isRejected, back.staged?.judge], ['A', true, undefined]);
    one.next.content = filesOf({ key: 'C' });
    assert.deepEqual(await read(one), ['C', 'A', true], 'another set is another trial');
    stop.abort();
    await ticks.next();
  });

  it('has the current set sign but for a share of requests, until their platform refuses the next one', async () => {
    const one = make({ percent: 50, of: 'requests' });
    const { data, staged: about } = await one.source.read(never);
    assert.deepEqual([textsOf(data)['key'], about?.isActive, about?.share], ['A', false, 50]);
    const calls = Array.from({ length: 100 }, (_, index) => String(index));
    const tried = calls.map((call) => about?.signs?.(call));
    assert.deepEqual(tried, calls.map((call) => signsCall(50, { call, next: one.next.name }))); // prettier-ignore
    assert.ok(tried.includes(true) && tried.includes(false));
    for (let times = 0; times < canary.minimumCalls; times += 1) about?.judge?.(true);
    const { staged: back } = await one.source.read(never);
    assert.deepEqual([back?.isRejected, back?.signs, back?.judge], [true, undefined, undefined]);
  });

  it('has every request signed by the current set while the next one cannot be read', async () => {
    const one = make({ percent: 50, of: 'requests' });
    one.next.failure = unreadable();
    assert.deepEqual(await read(one), ['A', 'source-unreadable', false]);
  });

  it('asks for no judgement of a set that signs everywhere, or by its time', async () => {
    for (const activation of [{ percent: 100 }, { at: now }, { percent: 0 }])
      assert.equal((await make(activation).source.read(never)).staged?.judge, undefined);
  });

  it('is other material when either set changes, and when the other one signs', async () => {
    const one = make({ at: second(60) });
    const revision = async () => (await one.source.read(never)).revision;
    const seen = new Set([await revision()]);
    assert.ok(seen.has(await revision()));
    one.next.content = filesOf({ key: 'C' });
    seen.add(await revision());
    one.current.content = filesOf({ key: 'D' });
    seen.add(await revision());
    one.next.failure = unreadable();
    seen.add(await revision());
    one.next.failure = undefined;
    one.clock.advance(60_000);
    seen.add(await revision());
    assert.equal(seen.size, 5);
  });

  it('continues with the set that signs while the other one cannot be read, whichever it is', async () => {
    const before = make({ percent: 0 });
    before.next.failure = unreadable();
    assert.deepEqual(await read(before), ['A', 'source-unreadable', false]);
    const after = make({ percent: 100 });
    after.current.failure = unreadable();
    assert.deepEqual(await read(after), ['B', 'source-unreadable', true]);
  });

  it('goes back to the current set for nobody who cannot read the next one', async () => {
    const one = make({ percent: 100 });
    one.next.failure = unreadable();
    await assert.rejects(one.source.read(never), { code: 'source-unreadable' });
  });

  it('says of both sets where they never update, lie a second time, or may be torn', async () => {
    const one = make({ percent: 0 });
    const copy = (secret: string) => ({ namespace: 'pay', secret, annotation: 'x' });
    one.current.about = { frozenPaths: ['/a'], copies: [copy('a')], mayBeTorn: false };
    one.next.about = { frozenPaths: ['/b'], copies: [copy('b')], mayBeTorn: true };
    const { frozenPaths, copies, mayBeTorn } = await one.source.read(never);
    assert.deepEqual([frozenPaths, copies, mayBeTorn], [['/a', '/b'], [copy('a'), copy('b')], true]);
  });

  it('throws a bug of either source', async () => {
    const one = make({ percent: 0 });
    one.next.failure = new TypeError('a bug');
    await assert.rejects(one.source.read(never), { name: 'TypeError' });
  });

  it('says of neither set when it changed once the next one signs: its activation is no change of an origin', async () => {
    for (const [percent, changedAt] of [
      [0, now],
      [100, undefined],
    ] as const) {
      // prettier-ignore
      const one = make({ percent });
      one.current.about = one.next.about = { changedAt: now };
      assert.deepEqual((await one.source.read(never)).changedAt, changedAt);
    }
  });
});
