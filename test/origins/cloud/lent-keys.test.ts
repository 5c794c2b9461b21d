// The access key that we have at a cloud: one exchange for all who ask, another before it ends, and none for each signature while there is none.
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { PaycertError } from '../../../src/errors.ts';
import { LentKeys } from '../../../src/origins/cloud/lent-keys.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { Recorder } from '../../support/recorder.ts';

const hour = 3_600_000;

function make(t: TestContext, isRenewedAhead = true) {
  const clock = new FakeClock();
  const state = { obtained: 0, fails: false };
  const recorder = new Recorder();
  const keys = new LentKeys({
    ...{ service: 'awskms', clock, isRenewedAhead, random: () => 1, observe: recorder.observe },
    async obtain() {
      state.obtained += 1;
      if (state.fails) throw new PaycertError('origin-unreachable', 'STS is away');
      return { key: { id: state.obtained }, milliseconds: hour };
    },
  });
  const kept = keys.keep();
  t.after(() => kept[Symbol.dispose]());
  const turns = async () => {
    for (let n = 0; n < 20; n++) await new Promise((resolve) => setImmediate(resolve));
  };
  return { clock, state, keys, turns, recorder, id: async () => (await keys.current(t.signal)).id };
}

describe('a lent key', () => {
  it('is one for all who ask at the same time', async (t) => {
    const { id, state } = make(t);
    assert.deepEqual(await Promise.all([id(), id(), id()]), [1, 1, 1]);
    assert.equal(state.obtained, 1);
  });

  it('is replaced at two thirds of its time, with nobody asking', async (t) => {
    const { clock, id, state, turns } = make(t);
    assert.equal(await id(), 1);
    await turns();
    clock.advance((hour * 2) / 3 - 1);
    await turns();
    assert.equal(state.obtained, 1);
    clock.advance(1);
    await turns();
    assert.deepEqual([state.obtained, await id()], [2, 2]);
  });

  it('is used to its end while there is no other, and then nobody gets one', async (t) => {
    const { clock, id, state, turns } = make(t);
    assert.equal(await id(), 1);
    await turns();
    state.fails = true;
    clock.advance((hour * 2) / 3);
    await turns();
    assert.deepEqual([state.obtained, await id()], [2, 1]);
    clock.advance(hour / 3);
    await turns();
    await assert.rejects(id(), { code: 'origin-unreachable' });
    const before = state.obtained;
    await assert.rejects(id(), { code: 'origin-unreachable' });
    assert.equal(state.obtained, before);
    state.fails = false;
    clock.advance(10_000);
    assert.equal(await id(), before + 1);
  });

  it('that is forgotten is replaced for the next one who asks, and only once', async (t) => {
    const { id, keys, state } = make(t);
    const first = await keys.current(t.signal);
    keys.forget(first);
    assert.equal(await id(), 2);
    keys.forget(first);
    assert.deepEqual([await id(), state.obtained], [2, 2]);
  });

  it('of files is read again when it is asked for, and not by itself', async (t) => {
    const { clock, id, state, turns } = make(t, false);
    assert.equal(await id(), 1);
    clock.advance(hour);
    await turns();
    assert.equal(state.obtained, 1);
    assert.equal(await id(), 2);
  });

  it('of files that cannot be read is used on, and read again each time that its own is over, until it is taken no more', async (t) => {
    const { clock, id, keys, state } = make(t, false);
    const first = await keys.current(t.signal);
    state.fails = true;
    for (let n = 2; n <= 4; n++) {
      clock.advance(hour);
      assert.deepEqual([await id(), await id(), state.obtained], [1, 1, n]);
    }
    keys.forget(first);
    await assert.rejects(id(), { code: 'origin-unreachable' });
    state.fails = false;
    assert.equal(await id(), 6);
  });

  it('of files that cannot be read is said to be used on once, and once that it is no more', async (t) => {
    const { clock, id, keys, state, recorder } = make(t, false);
    const said = () => recorder.of('access-key-kept').map(({ service, error }) => [service, error?.code]);
    await id();
    state.fails = true;
    for (let n = 0; n < 3; n++) {
      clock.advance(hour);
      await id();
    }
    assert.deepEqual(said(), [['awskms', 'origin-unreachable']]);
    state.fails = false;
    clock.advance(hour);
    const held = await keys.current(t.signal);
    assert.deepEqual(said().slice(1), [['awskms', undefined]]);
    state.fails = true;
    clock.advance(hour);
    await id();
    keys.forget(held);
    await assert.rejects(id(), { code: 'origin-unreachable' });
    assert.deepEqual(said().slice(2), [
      ['awskms', 'origin-unreachable'],
      ['awskms', undefined],
    ]);
  });

  it('of files that is refused while they are read is not used on', async (t) => {
    const { clock, id, keys, state } = make(t, false);
    const first = await keys.current(t.signal);
    state.fails = true;
    clock.advance(hour);
    const asked = id();
    keys.forget(first);
    await assert.rejects(asked, { code: 'origin-unreachable' });
  });
});
