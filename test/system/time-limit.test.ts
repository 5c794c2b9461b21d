// A time limit beside another signal: whichever comes first ends the work, and neither stays when it is done.
import assert from 'node:assert/strict';
import { getEventListeners, once } from 'node:events';
import { describe, it } from 'node:test';
import { TimeLimit } from '../../src/system/time-limit.ts';

describe('a time limit', () => {
  it('aborts with the reason of the outer signal, also where that was over before', () => {
    const outer = new AbortController();
    using before = new TimeLimit(outer.signal, 60_000);
    outer.abort(new Error('enough'));
    using after = new TimeLimit(outer.signal, 60_000);
    for (const { signal, isLate } of [before, after]) {
      assert.match(String(signal.reason), /enough/);
      assert.equal(isLate, false);
    }
  });

  it('aborts when its time is over, and says that it was that', async () => {
    using limit = new TimeLimit(new AbortController().signal, 1);
    // The timer alone keeps no process: something else has to.
    const keep = setTimeout(() => undefined, 60_000);
    await once(limit.signal, 'abort');
    clearTimeout(keep);
    assert.equal(limit.isLate, true);
  });

  it('that is disposed of leaves nothing at the outer signal, and never aborts', () => {
    const outer = new AbortController();
    const limit = new TimeLimit(outer.signal, 60_000);
    limit[Symbol.dispose]();
    assert.deepEqual(getEventListeners(outer.signal, 'abort'), []);
    outer.abort();
    assert.equal(limit.signal.aborted, false);
  });
});
