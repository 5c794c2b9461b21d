// A nonce is good for once, and the memory of it is bounded without ever forgetting early.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Nonces } from '../../../src/providers/shared/nonces.ts';
import { refusal } from '../../support/wechatpay.ts';

const start = Date.UTC(2026, 2, 1);
const at = (milliseconds: number): Date => new Date(start + milliseconds);
const seen = refusal('nonce-seen');
const full = refusal('nonces-full');

describe('nonces', () => {
  it('are refused once remembered, until they expire', () => {
    const nonces = new Nonces({ milliseconds: 1000, capacity: 10 });
    nonces.assertUnseen('a', at(0));
    nonces.remember('a', at(0));
    assert.throws(() => nonces.assertUnseen('a', at(999)), seen);
    nonces.assertUnseen('a', at(1000));
    nonces.assertUnseen('b', at(1));
  });

  it('stay refused after the clock has jumped ahead and back, with everything signed no later', () => {
    const nonces = new Nonces({ milliseconds: 1000, capacity: 10 });
    nonces.remember('a', at(0), at(100));
    nonces.assertUnseen('later', at(7_200_000));
    for (const nonce of ['a', 'never seen']) assert.throws(() => nonces.assertUnseen(nonce, at(200), at(100)), seen);
    nonces.assertUnseen('b', at(200), at(101));
  });

  it('of one’s own make room for new ones instead of refusing them', () => {
    const nonces = new Nonces({ milliseconds: 1000, capacity: 2, whenFull: 'forget' });
    for (const nonce of ['a', 'b', 'c']) nonces.remember(nonce, at(0));
    assert.deepEqual(
      ['a', 'b', 'c'].map((nonce) => nonces.has(nonce, at(1))),
      [false, true, true],
    );
  });

  it('are refused when the memory is full, and taken again when the oldest have expired', () => {
    const nonces = new Nonces({ milliseconds: 1000, capacity: 2 });
    nonces.remember('a', at(0));
    nonces.remember('b', at(500));
    assert.throws(() => nonces.remember('c', at(999)), full);
    assert.throws(() => nonces.assertUnseen('a', at(999)), seen);
    nonces.remember('c', at(1000));
    assert.throws(() => nonces.assertUnseen('b', at(1000)), seen);
    assert.equal(nonces.size, 2);
  });

  it('of any length take the same room, and differ', () => {
    const nonces = new Nonces({ milliseconds: 1000, capacity: 10 });
    nonces.remember('x'.repeat(100_000), at(0));
    nonces.assertUnseen(`${'x'.repeat(99_999)}y`, at(0));
    assert.throws(() => nonces.assertUnseen('x'.repeat(100_000), at(0)), seen);
  });

  it('are never more than the capacity, and none is accepted twice before the clock has once shown its end', () => {
    const step = fc.tuple(fc.integer({ min: 0, max: 20 }), fc.integer({ min: -3000, max: 3000 }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const nonces = new Nonces({ milliseconds: 1000, capacity: 5 });
        const accepted = new Map<string, number>();
        let [time, latest] = [0, 0];
        for (const [number, jump] of steps) {
          time += jump;
          latest = Math.max(latest, time);
          const nonce = String(number);
          try {
            nonces.assertUnseen(nonce, at(time));
            nonces.remember(nonce, at(time));
          } catch {
            continue;
          }
          const before = accepted.get(nonce);
          assert.ok(before === undefined || before + 1000 <= latest, `${nonce} at ${time}`);
          accepted.set(nonce, time);
          assert.ok(nonces.size <= 5);
        }
      }),
    );
  });
});
