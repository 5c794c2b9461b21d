// Two pods, platforms that send by their schedules, an application that fails: nothing is lost, and with Redis nothing comes twice.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { noRedis, startRedis } from '../support/redis.ts';
import { makeDirectory } from '../support/sidecar.ts';
import { type Tally, TwoPods } from '../support/two-pods/pods.ts';

const numbers = (name: string, length: number) => Array.from({ length }, (_, index) => `${name}-${String(index)}`);

function assertAllHandled({ accepted, handled, unhandled, lost }: Tally, count: number): void {
  assert.deepEqual(
    { accepted, handled, unhandled, lost },
    { accepted: count, handled: count, unhandled: [], lost: [] },
  );
}

describe('two pods that take the same notifications', { timeout: 900_000 }, () => {
  it('lose none and accept none that is not handled, each with a memory of its own', async (t) => {
    const both = await TwoPods.start(t, await makeDirectory(t));
    assertAllHandled(await both.take(numbers('alone', 60)), 60);
  });

  it(
    'deliver none again after a 2xx with a Redis that they share, and lose none while it is away',
    { skip: noRedis },
    async (t) => {
      const redis = await startRedis(t);
      const both = await TwoPods.start(t, await makeDirectory(t), redis);
      const shared = await both.take(numbers('shared', 120));
      assertAllHandled(shared, 120);
      // A machine that stops for a second shares less, and counts it.
      assert.ok(shared.again <= shared.unshared, JSON.stringify(shared));

      const away = await both.take(numbers('away', 60), [() => redis.kill()]);
      assertAllHandled(away, 60);
      assert.ok(away.unshared > 0);

      const back = both.pods.map((pod) => pod.event('dedupe-changed', { level: 'info' }, pod.lines.length));
      await redis.start();
      await Promise.all(back);
      const again = await both.take(numbers('again', 60));
      assertAllHandled(again, 60);
      assert.ok(again.again <= again.unshared, JSON.stringify(again));
    },
  );
});
