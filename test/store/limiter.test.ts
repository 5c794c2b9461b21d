// Limiter bound what runs at once and serve lanes in rotation: proved by ending works by hand, one at a time.
import assert from 'node:assert/strict';
import { setImmediate as settle } from 'node:timers/promises';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { poolLimiter, Limiter } from '../../src/store/limiter.ts';

/** Works that start when it is their turn and end when they are told to. */
function stage(limiter: Limiter) {
  const started: string[] = [];
  const running = new Map<string, PromiseWithResolvers<string>>();
  return {
    started,
    running,
    run: (lane: object, name: string) =>
      limiter.run(lane, () => {
        started.push(name);
        const work = Promise.withResolvers<string>();
        running.set(name, work);
        return work.promise;
      }),
    end: async (name: string, failure?: Error) => {
      const work = running.get(name) ?? assert.fail(`${name} is not running`);
      running.delete(name);
      if (failure) work.reject(failure);
      else work.resolve(name);
      await settle();
    },
  };
}

describe('limiter', () => {
  it('start what is within the limit at once, in the same tick', () => {
    const { run, started } = stage(new Limiter(2));
    void run({}, 'a');
    void run({}, 'b');
    void run({}, 'c');
    assert.deepEqual(started, ['a', 'b']);
  });

  it('never let more run than the limit, whatever ends when', async () => {
    const script = fc.array(fc.record({ lane: fc.nat(3), isEnd: fc.boolean(), fails: fc.boolean() }), {
      maxLength: 40,
    });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 4 }), script, async (limit, steps) => {
        const { run, running, started, end } = stage(new Limiter(limit));
        const lanes = [{}, {}, {}, {}];
        const all: Promise<unknown>[] = [];
        for (const [index, { lane, isEnd, fails }] of steps.entries()) {
          const [first] = running.keys();
          if (isEnd && first !== undefined) await end(first, fails ? new Error('failed') : undefined);
          else all.push(run(lanes[lane]!, String(index)).catch(() => undefined));
          assert.ok(running.size <= limit);
          assert.equal(running.size, Math.min(limit, all.length - (started.length - running.size)));
        }
        for (let [first] = running.keys(); first !== undefined; [first] = running.keys()) await end(first);
        await Promise.all(all);
        assert.equal(started.length, all.length);
      }),
    );
  });

  it('serve lanes in rotation: a single request waits for one of each lane before it', async () => {
    const { run, started, end } = stage(new Limiter(1));
    const [batch, another, single] = [{}, {}, {}];
    for (const name of ['b1', 'b2', 'b3']) void run(batch, name);
    for (const name of ['c1', 'c2']) void run(another, name);
    void run(single, 's');
    for (const name of ['b1', 'b2', 'c1', 's', 'b3', 'c2']) await end(name);
    assert.deepEqual(started, ['b1', 'b2', 'c1', 's', 'b3', 'c2']);
  });

  it('serve a lane that has been given nothing before those that have: a single request waits for no batch', async () => {
    const { run, started, running, end } = stage(new Limiter(1));
    const batches = Array.from({ length: 32 }, () => ({}));
    for (let item = 0; item < 4; item += 1)
      for (const [index, batch] of batches.entries()) void run(batch, `${String(index)}.${String(item)}`);
    const endOne = () => end([...running.keys()][0] ?? assert.fail('nothing runs'));
    // Each batch has had one by then.
    while (started.length < 100) await endOne();
    void run({}, 'single');
    await endOne();
    assert.equal(started.at(-1), 'single');
    for (let [first] = running.keys(); first !== undefined; [first] = running.keys()) await end(first);
  });

  it('starve no batch by single requests, however many come', async () => {
    const { run, started, running, end } = stage(new Limiter(1));
    const batch = {};
    const single = () => void run({}, 'single').then(single);
    for (let index = 0; index < 33; index += 1) single();
    for (let item = 0; item < 9; item += 1) void run(batch, `b${String(item)}`);
    // One of a batch among each that wait, as in a plain rotation: 33 singles and the batch.
    for (let turn = 0; turn < 400; turn += 1) await end([...running.keys()][0] ?? assert.fail('nothing runs'));
    const served = started.flatMap((name, at) => (name === 'single' ? [] : [at]));
    assert.equal(served.length, 9);
    for (const [index, at] of served.slice(1).entries()) assert.ok(at - (served[index] ?? 0) <= 36, served.join(' '));
  });

  it('serve each lane first come, first served', async () => {
    const { run, started, end } = stage(new Limiter(1));
    const lane = {};
    const names = ['1', '2', '3', '4'];
    for (const name of names) void run(lane, name);
    for (const name of names) await end(name);
    assert.deepEqual(started, names);
  });

  it('let nobody overtake: one who comes as a turn is handed on waits behind those who waited', async () => {
    const { run, started, running } = stage(new Limiter(1));
    const first = run({}, 'first');
    const waiting = run({}, 'waiting');
    const late = first.then(() => run({}, 'late'));
    running.get('first')?.resolve('first');
    await first;
    await settle();
    assert.deepEqual(started, ['first', 'waiting']);
    running.get('waiting')?.resolve('waiting');
    await waiting;
    await settle();
    running.get('late')?.resolve('late');
    assert.equal(await late, 'late');
  });

  it('free the turn of a work that fails, late or at once', async () => {
    const limiter = new Limiter(1);
    const { run, started, end } = stage(limiter);
    const failing = run({}, 'failing');
    const throwing = limiter.run({}, () => {
      throw new TypeError('at once');
    });
    void run({}, 'next');
    await Promise.all([
      assert.rejects(failing, /late/),
      assert.rejects(throwing, TypeError),
      end('failing', new Error('late')),
    ]);
    await settle();
    assert.deepEqual(started, ['failing', 'next']);
  });

  it('do the work of a call that is alone here and at once, and that of any other when it is its turn', async () => {
    const limiter = new Limiter(1);
    const { run, started, end } = stage(limiter);
    const elsewhere = () => Promise.resolve('in the pool');
    const inThread = () => 'here';
    const [alone, oneOfMany] = [{ alone: { isAlone: true } }, { alone: { isAlone: false } }];
    assert.equal(await limiter.run(alone, elsewhere, inThread), 'here');
    assert.equal(await limiter.run(alone, elsewhere), 'in the pool');
    for (const lane of [{}, oneOfMany]) assert.equal(await limiter.run(lane, elsewhere, inThread), 'in the pool');
    void run({}, 'a');
    const behind = limiter.run(alone, elsewhere, inThread);
    void run({}, 'b');
    await end('a');
    assert.equal(await behind, 'in the pool');
    assert.deepEqual(started, ['a', 'b']);
  });

  it('reject what fails here, and do nothing here for a caller who has gone', async () => {
    const limiter = new Limiter(1);
    const elsewhere = () => Promise.resolve();
    const alone = { isAlone: true };
    await assert.rejects(limiter.run({ alone }, elsewhere, () => assert.fail('as OpenSSL does')), /as OpenSSL does/); // prettier-ignore
    const gone = { alone, signal: { aborted: true } };
    await assert.rejects(limiter.run(gone, elsewhere, () => assert.fail('not run')), { code: 'caller-gone' }); // prettier-ignore
  });

  it('return what the work returns', async () => {
    assert.equal(await new Limiter(1).run({}, async () => Promise.resolve(42)), 42);
  });
});

describe('the limiter of the thread pool', () => {
  it('lets twice as many in as there are threads that sign', () => {
    const { run, started } = stage(poolLimiter(3));
    for (let index = 0; index < 40; index += 1) void run({}, String(index));
    assert.equal(started.length, 6);
  });

  it('keeps the few others busy that foreign calls leave, and not many of them', () => {
    const letIn = (...[threads, all]: [number, number]) => {
      const { run, started } = stage(poolLimiter(threads, all));
      for (let index = 0; index < 40; index += 1) void run({}, String(index));
      return started.length;
    };
    assert.deepEqual([letIn(2, 3), letIn(2, 4), letIn(2, 14), letIn(8, 9)], [5, 6, 4, 17]);
  });
});
