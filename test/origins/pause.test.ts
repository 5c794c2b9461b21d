// Pauses after failures: longer with each in a row, bounded, over at the first success, and no clock makes them last.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PaycertError } from '../../src/errors.ts';
import { Pause } from '../../src/origins/pause.ts';
import { FakeClock } from '../support/fake-clock.ts';

const error = new PaycertError('origin-sealed', 'sealed');

function stage() {
  const clock = new FakeClock();
  const pause = new Pause({ clock, random: () => 1, longestMilliseconds: 4000 });
  const lasts = (milliseconds: number) => {
    clock.advance(milliseconds - 1);
    assert.throws(() => pause.assertOver(), error);
    clock.advance(1);
    pause.assertOver();
  };
  return { clock, pause, lasts };
}

describe('a pause', () => {
  it('doubles with each failure in a row, up to its limit, and begins again after a success', () => {
    const { pause, lasts } = stage();
    pause.assertOver();
    for (const milliseconds of [500, 1000, 2000, 4000, 4000]) {
      pause.begin(error);
      lasts(milliseconds);
    }
    pause.end();
    pause.begin(error);
    lasts(500);
  });

  it('is over when the clock is set back or forward', () => {
    for (const jump of [-3_600_000, 3_600_000]) {
      const { clock, pause } = stage();
      pause.begin(error);
      clock.jump(jump);
      pause.assertOver();
    }
  });
});
