// Once: whatever comes in whatever order, nothing is delivered twice that was taken, and memory stays within its bounds.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Once } from '../../src/delivery/once.ts';

const day = 24 * 3_600_000;

interface Model {
  readonly once: Once;
  readonly forgotten: { count: number };
  now: number;
}

function make(capacity: number, most = 100): Model {
  const forgotten = { count: 0 };
  const model: Model = {
    forgotten,
    now: 0,
    once: new Once({ milliseconds: () => model.now, capacity, most, forgotten: () => (forgotten.count += 1) }),
  };
  return model;
}

const about = (key: string, isVerifiedOnce = false) => ({ key, keyId: 'k', repeatsMilliseconds: day, isVerifiedOnce });

describe('what is delivered once', () => {
  it('is delivered again only after a failure, after its time, or after it was forgotten', async () => {
    const step = fc.record({ key: fc.integer({ min: 0, max: 8 }), isTaken: fc.boolean(), pass: fc.integer({ min: 0, max: day / 4 }) }); // prettier-ignore
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 12 }), async (steps, capacity) => {
        const model = make(capacity);
        const takenAt = new Map<number, number>();
        let excess = 0;
        for (const { key, isTaken, pass } of steps) {
          model.now += pass;
          const seen = { ran: false };
          const deliver = async () => {
            await Promise.resolve();
            seen.ran = true;
            if (!isTaken) throw new Error('not taken');
          };
          const result = await model.once.run(about(String(key)), deliver).catch(() => 'failed');
          const isKept = (takenAt.get(key) ?? -Infinity) + day > model.now;
          if (seen.ran && isKept) excess += 1;
          assert.ok(seen.ran || isKept, 'what is not delivered was taken within its time');
          assert.equal(result, seen.ran ? (isTaken ? 'first' : 'failed') : 'repeated');
          if (seen.ran && isTaken) takenAt.set(key, model.now);
          if (seen.ran && !isTaken) takenAt.delete(key);
          assert.ok(model.once.size <= capacity);
        }
        assert.ok(excess <= model.forgotten.count, 'what came again too early had been forgotten, and counted');
      }),
    );
  });

  it('has one result for all that come while it is under way, and a failure is everybody’s', async () => {
    const { once } = make(10);
    const gate = Promise.withResolvers<undefined>();
    let runs = 0;
    const deliver = async () => {
      runs += 1;
      await gate.promise;
    };
    const all = [1, 2, 3].map(() => once.run(about('a'), deliver));
    gate.reject(new Error('not taken'));
    const results = await Promise.allSettled(all);
    assert.deepEqual(
      results.map(({ status }) => status),
      ['rejected', 'rejected', 'rejected'],
    );
    assert.equal(runs, 1);
    assert.equal(await once.run(about('a'), () => Promise.resolve()), 'first');
  });

  it('is never forgotten while it is under way, and no more are under way than may be', async () => {
    const { once } = make(1, 2);
    const gate = Promise.withResolvers<undefined>();
    const running = ['a', 'b'].map((key) => once.run(about(key), () => gate.promise.then(() => undefined)));
    await assert.rejects(
      once.run(about('c'), () => Promise.resolve()),
      { code: 'overloaded' },
    );
    gate.resolve(undefined);
    assert.deepEqual(await Promise.all(running), ['first', 'first']);
  });

  it('stays known as verified where its bytes verify only once, until its time is over', async () => {
    const model = make(10);
    const fail = () => Promise.reject(new Error('not taken'));
    await assert.rejects(model.once.run(about('partner', true), fail));
    await assert.rejects(model.once.run(about('platform'), fail));
    assert.deepEqual([model.once.keyIdOf('partner'), model.once.keyIdOf('platform')], ['k', undefined]);
    model.now += day;
    assert.equal(model.once.keyIdOf('partner'), undefined);
  });
});
