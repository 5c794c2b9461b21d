// The end of a call, as those hear of it who wait for its response: once, and as an AbortSignal says it.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CallEnd, signalOf } from '../../src/store/call-end.ts';
import type { EndListener } from '../../src/store/call.ts';

function listening(): EndListener & { heard: number } {
  return {
    heard: 0,
    handleEvent() {
      this.heard += 1;
    },
  };
}

const gone = new Error('gone');

describe('the end of a call', () => {
  it('tells each listener once, with the first reason', () => {
    const [end, one, other] = [new CallEnd(), listening(), listening()];
    end.addEventListener('abort', one);
    end.addEventListener('abort', other);
    assert.deepEqual([end.aborted, end.reason], [false, undefined]);
    end.abort(gone);
    end.abort(new Error('late'));
    assert.deepEqual([one.heard, other.heard, end.aborted, end.reason], [1, 1, true, gone]);
  });

  it('tells none that listens no more, and none that comes later', () => {
    const [end, left, late] = [new CallEnd(), listening(), listening()];
    end.addEventListener('abort', left);
    end.removeEventListener('abort', left);
    end.removeEventListener('abort', late);
    end.abort(gone);
    end.addEventListener('abort', late);
    assert.deepEqual([left.heard, late.heard], [0, 0]);
  });

  it('tells those that are left, whichever of them leaves', () => {
    for (const leaves of [0, 1, 2]) {
      const [end, all] = [new CallEnd(), [listening(), listening(), listening()]];
      for (const one of all) end.addEventListener('abort', one);
      end.removeEventListener('abort', all[leaves]!);
      end.abort(gone);
      assert.deepEqual(all.map(({ heard }) => heard), [0, 1, 2].map((at) => Number(at !== leaves))); // prettier-ignore
    }
  });

  it('is a signal for those who take nothing else, before it and after it', () => {
    const end = new CallEnd();
    const before = signalOf(end);
    assert.equal(before.aborted, false);
    end.abort(gone);
    for (const signal of [before, signalOf(end)]) assert.deepEqual([signal.aborted, signal.reason], [true, gone]);
    const { signal } = new AbortController();
    assert.equal(signalOf(signal), signal);
  });
});
