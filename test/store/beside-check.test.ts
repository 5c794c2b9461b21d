// A platform that is asked about a set that waits: what it refuses is known before its time, and no call is signed with it.
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { PaycertError } from '../../src/errors.ts';
import type { Staged } from '../../src/sources/source.ts';
import { BesideCheck } from '../../src/store/beside-check.ts';
import type { LiveCheckOptions, LiveVerdict } from '../../src/store/live-check.ts';
import { describeMaterial } from '../support/fake-provider.ts';
import { Reloading } from '../support/reloading.ts';

const minute = 60_000;
const accepted: LiveVerdict = { verdict: 'accepted' };
const refused: LiveVerdict = { verdict: 'refused', error: new PaycertError('refused-by-platform', '401') };
const unknown: LiveVerdict = { verdict: 'none', error: new PaycertError('key-unconfirmed', 'no network') };

const waits = { isActive: false, isRejected: false, share: 0, activation: { percent: 0 } } as const;
const shared = {
  ...{ isActive: false, isRejected: false, share: 50, activation: { percent: 50, of: 'requests' as const } },
  ...{ signs: () => true, judge: () => undefined },
} as const;

/** A credential that signs with A, with B beside it, and a platform that says what the test says. */
async function start(t: TestContext, about: Omit<Staged, 'other'>, says: LiveVerdict) {
  const platform = { says, asked: [] as (string | undefined)[] };
  const ask: LiveCheckOptions['ask'] = async ({ set }) => {
    platform.asked.push(set.signer?.facts.keyId);
    return platform.says;
  };
  const besideCheck = new BesideCheck({ ask, withinMilliseconds: 10 * minute, otherwise: 'accept' });
  const reloading = new Reloading(t, { besideCheck });
  const load = (staged: Omit<Staged, 'other'>, [signing, other]: readonly [string, string] = ['A', 'B']) => {
    reloading.source.about = { staged: { ...staged, other: describeMaterial({ keyId: other }) } };
    return reloading.load({ keyId: signing });
  };
  await load(about);
  const errorOf = () => reloading.entry.staged?.error?.code;
  const signerOf = () => reloading.current.signingFor({ id: 'any' }).context.set.signer?.facts.keyId;
  /** Lets the loop ask again. */
  const wait = (milliseconds: number) => reloading.step(() => reloading.clock.advance(milliseconds));
  return { platform, reloading, load, errorOf, signerOf, wait };
}

describe('a set that waits beside the one that signs', () => {
  it('is asked about from the start on, once, and nothing is said of one that is accepted', async (t) => {
    const { platform, reloading, load } = await start(t, waits, accepted);
    await load({ ...waits, activation: { percent: 0 } });
    assert.deepEqual([platform.asked, reloading.signsWith, reloading.entry.staged?.error], [['B'], 'A', undefined]);
    await load(waits, ['A', 'C']);
    assert.deepEqual(platform.asked, ['B', 'C']);
  });

  it('that is refused is of no use until the console has it, and the other one signs', async (t) => {
    const { platform, reloading, load, errorOf, wait } = await start(t, waits, refused);
    assert.deepEqual([reloading.signsWith, reloading.rejection], ['A', undefined]);
    assert.equal(errorOf(), 'refused-by-platform');
    await load({ ...waits, activation: { percent: 0 } });
    await wait(5 * minute);
    assert.equal(errorOf(), 'refused-by-platform');
    assert.equal(platform.asked.length, 2);
    platform.says = accepted;
    await wait(5 * minute);
    assert.equal(errorOf(), undefined);
    const told = reloading.recorder.of('staged').map(({ error }) => error?.code);
    assert.deepEqual([told.at(-2), told.at(-1)], ['refused-by-platform', undefined]);
  });

  it('signs its share of requests only once it is accepted', async (t) => {
    const { platform, reloading, signerOf, wait } = await start(t, shared, refused);
    assert.deepEqual([signerOf(), reloading.entry.staged?.isPartial], ['A', undefined]);
    platform.says = accepted;
    await wait(5 * minute);
    assert.deepEqual([signerOf(), reloading.entry.staged?.isPartial], ['B', true]);
  });

  it('signs its share too when nobody knows for as long as is configured', async (t) => {
    const { signerOf, wait } = await start(t, shared, unknown);
    for (const signer of ['A', 'A', 'B']) {
      assert.equal(signerOf(), signer);
      await wait(5 * minute);
    }
  });

  it('is not asked about where it was replaced, or has the same key', async (t) => {
    const { platform, load } = await start(t, waits, accepted);
    await load({ ...waits, isActive: true, share: 100, activation: { percent: 100 } }, ['B', 'A']);
    await load(waits, ['A', 'A']);
    assert.deepEqual(platform.asked, ['B']);
  });
});
