// A new key that its platform is asked about first: payments wait for no platform, and the last good key signs meanwhile.
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { PaycertError } from '../../src/errors.ts';
import { LiveCheck, type LiveCheckOptions, type LiveVerdict } from '../../src/store/live-check.ts';
import { Reloading } from '../support/reloading.ts';

const minute = 60_000;
const accepted: LiveVerdict = { verdict: 'accepted' };
const refused: LiveVerdict = { verdict: 'refused', error: new PaycertError('refused-by-platform', '401') };
const unknown: LiveVerdict = { verdict: 'none', error: new PaycertError('key-unconfirmed', 'no network') };

/** A credential that signs with A, and a platform that says what the test says. */
async function start(t: TestContext, { otherwise = 'accept' }: Partial<LiveCheckOptions> = {}) {
  const platform = { says: accepted, asked: [] as (string | undefined)[] };
  const ask: LiveCheckOptions['ask'] = async ({ set }) => {
    platform.asked.push(set.signer?.facts.keyId);
    return platform.says;
  };
  const liveCheck = new LiveCheck({ ask, withinMilliseconds: 10 * minute, otherwise });
  const reloading = new Reloading(t, { liveCheck });
  await reloading.load({ keyId: 'A' });
  /** Lets the loop ask again. */
  const wait = (milliseconds: number) => reloading.step(() => reloading.clock.advance(milliseconds));
  return { platform, reloading, wait };
}

describe('a key that its platform is asked about', () => {
  it('is not asked about at a start: there is nothing to sign with meanwhile', async (t) => {
    const { platform, reloading } = await start(t);
    assert.deepEqual([reloading.signsWith, platform.asked], ['A', []]);
  });

  it('becomes current when it is accepted, and is asked about once', async (t) => {
    const { platform, reloading } = await start(t);
    await reloading.load({ keyId: 'B' });
    assert.deepEqual([reloading.signsWith, platform.asked], ['B', ['B']]);
    assert.deepEqual(reloading.recorder.of('live-checked').map(({ verdict }) => verdict), ['accepted']); // prettier-ignore
  });

  it('is not asked about when only other parts of its set change', async (t) => {
    const { platform, reloading } = await start(t);
    await reloading.load({ keyId: 'A', platform: { P: '2030-01-01T00:00:00Z' } });
    assert.deepEqual([reloading.current.generation, platform.asked], [2, []]);
  });

  it('is rejected when it is refused, and becomes current once the console has it', async (t) => {
    const { platform, reloading, wait } = await start(t);
    platform.says = refused;
    await reloading.load({ keyId: 'B' });
    assert.deepEqual([reloading.signsWith, reloading.rejection], ['A', 'refused-by-platform']);
    for (const pause of [500, 1000, 2000]) await wait(pause);
    assert.equal(platform.asked.length, 4);
    assert.equal(reloading.recorder.of('rejected').filter(({ isNew }) => isNew).length, 1);
    platform.says = accepted;
    await wait(4000);
    assert.deepEqual([reloading.signsWith, reloading.rejection], ['B', undefined]);
  });

  it('is deferred while nobody knows, asked about again with growing pauses, and current when it is accepted', async (t) => {
    const { platform, reloading, wait } = await start(t);
    platform.says = unknown;
    await reloading.load({ keyId: 'B' });
    assert.deepEqual(
      [reloading.signsWith, reloading.deferral, reloading.rejection],
      ['A', 'key-unconfirmed', undefined],
    );
    for (const pause of [500, 1000, 2000]) await wait(pause);
    assert.equal(platform.asked.length, 4);
    platform.says = accepted;
    await wait(4000);
    assert.deepEqual([reloading.signsWith, reloading.deferral], ['B', undefined]);
  });

  for (const [otherwise, signs, rejection] of [
    ['accept', 'B', undefined],
    ['reject', 'A', 'key-unconfirmed'],
  ] as const)
    // prettier-ignore
    it(`is ${otherwise}ed when nobody knows for as long as is configured, if that says so`, async (t) => {
      const { platform, reloading, wait } = await start(t, { otherwise });
      platform.says = unknown;
      const began = reloading.clock.now().getTime();
      await reloading.load({ keyId: 'B' });
      while (reloading.entry.deferral !== undefined) {
        assert.equal(reloading.signsWith, 'A');
        await wait(Math.min(...reloading.clock.sleeping));
      }
      assert.equal(reloading.clock.now().getTime() - began, 10 * minute);
      assert.deepEqual([reloading.signsWith, reloading.rejection], [signs, rejection]);
      platform.says = accepted;
      if (otherwise === 'reject') await wait(Math.min(...reloading.clock.sleeping));
      assert.equal(reloading.signsWith, 'B');
    });

  it('waits as long as is configured for each new key by itself', async (t) => {
    const { platform, reloading, wait } = await start(t);
    platform.says = unknown;
    await reloading.load({ keyId: 'B' });
    await wait(5 * minute);
    await reloading.load({ keyId: 'C' });
    const { until } = reloading.entry.deferral ?? {};
    assert.equal(until?.getTime(), reloading.clock.now().getTime() + 10 * minute);
  });

  it('waits for nobody when what is current cannot sign any more', async (t) => {
    const { platform, reloading } = await start(t);
    const end = new Date(reloading.clock.now().getTime() + minute).toISOString();
    await reloading.load({ keyId: 'B', notAfter: end });
    platform.says = unknown;
    reloading.clock.jump(2 * minute);
    await reloading.load({ keyId: 'C' });
    assert.deepEqual([reloading.signsWith, platform.asked], ['C', ['B']]);
  });

  it('has no effect once its credential was removed while it was asked about', async (t) => {
    const gate = Promise.withResolvers<LiveVerdict>();
    const asking = Promise.withResolvers<undefined>();
    const ask = () => {
      asking.resolve(undefined);
      return gate.promise;
    };
    const reloading = new Reloading(t, { liveCheck: new LiveCheck({ ask, withinMilliseconds: minute, otherwise: 'accept' }) }); // prettier-ignore
    await reloading.load({ keyId: 'A' });
    reloading.source.content = new Map([['context', Buffer.from(JSON.stringify({ keyId: 'B' }))]]);
    reloading.source.tick();
    await asking.promise;
    await reloading.step(() => {
      reloading.store.remove(reloading.name);
      gate.resolve(accepted);
    });
    assert.deepEqual(reloading.recorder.of('live-checked'), []);
  });
});
