// When answers are written: together with others that are ready, and never later than the loop would wait.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { BatchedWrites } from '../../src/server/batched-writes.ts';

describe('answers', () => {
  it('that are ready in one turn are written in one go, in their order', async () => {
    const answers = new BatchedWrites();
    const told: string[] = [];
    for (const name of ['first', 'second']) {
      told.push(`${name} ready`);
      answers.push(() => told.push(`${name} written`));
      await Promise.resolve();
    }
    await setImmediate();
    assert.deepEqual(told, ['first ready', 'second ready', 'first written', 'second written']);
  });

  it('that become ready while others are written wait for the next turn, not for another answer', async () => {
    const answers = new BatchedWrites();
    const told: string[] = [];
    answers.push(() => {
      told.push('first');
      answers.push(() => told.push('second'));
    });
    await setImmediate();
    assert.deepEqual(told, ['first']);
    await setImmediate();
    assert.deepEqual(told, ['first', 'second']);
  });
});
