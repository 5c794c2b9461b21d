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

  it('that take long are written in several turns, in their order, and later ones after them', async () => {
    let now = 0;
    const answers = new BatchedWrites(() => now);
    const told: number[] = [];
    const push = (index: number) =>
      answers.push(() => {
        told.push(index);
        now += 3;
      });
    for (let index = 0; index < 8; index += 1) push(index);
    await setImmediate();
    assert.deepEqual(told, [0, 1, 2]);
    push(8);
    for (let turn = 0; turn < 2; turn += 1) await setImmediate();
    assert.deepEqual(told, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });
});
