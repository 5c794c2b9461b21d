// When the next of two staged sets signs, as a file says it: what makes no sense, or is away, changes nothing.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PaycertError } from '../../src/errors.ts';
import { followed } from '../../src/sources/schedule.ts';
import { filesOf } from '../support/directories.ts';
import { FakeSource, unreadable } from '../support/fake-source.ts';

const never = new AbortController().signal;

function make() {
  const source = new FakeSource();
  const refusals: string[] = [];
  const parse = (bytes: Uint8Array) => {
    const text = Buffer.from(bytes).toString();
    if (text === 'bad') throw new PaycertError('activation-invalid', 'is not JSON');
    return text === '' ? undefined : { percent: Number(text) };
  };
  const refused = ({ code }: PaycertError) => void refusals.push(code);
  const schedule = followed({ source, configured: { percent: 5 }, parse, refused });
  const say = (text: string | undefined) => {
    source.content = text === undefined ? new Map() : filesOf({ activations: text });
    return schedule.read(never);
  };
  return { source, schedule, refusals, say };
}

describe('a schedule that follows a file', () => {
  it('is what the file says, and what was configured while that says nothing', async () => {
    const { say, schedule } = make();
    assert.deepEqual(schedule.configured, { percent: 5 });
    assert.deepEqual([await say('50'), await say(''), await say('7'), await say(undefined)], [50, 5, 7, 5].map((percent) => ({ percent }))); // prettier-ignore
  });

  it('stays what it was while the file makes no sense or is away, and says so once for each', async () => {
    const { source, say, refusals, schedule } = make();
    await say('50');
    for (let times = 0; times < 2; times += 1) assert.deepEqual(await say('bad'), { percent: 50 });
    source.failure = unreadable();
    assert.deepEqual(await schedule.read(never), { percent: 50 });
    assert.deepEqual(refusals, ['activation-invalid', 'source-unreadable']);
    source.failure = undefined;
    assert.deepEqual(await say('100'), { percent: 100 });
    await say('bad');
    assert.deepEqual(refusals.length, 3);
  });

  it('throws a bug of its source', async () => {
    const { source, schedule } = make();
    source.failure = new TypeError('a bug');
    await assert.rejects(schedule.read(never), { name: 'TypeError' });
  });
});
