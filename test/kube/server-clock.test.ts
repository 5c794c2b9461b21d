// The clock here against the API server's: both directions, to the second, and no alarm about the time that a response takes.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ServerClock } from '../../src/kube/server-clock.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { Recorder } from '../support/recorder.ts';

const start = new Date('2026-03-01T00:00:00.250Z');
/** What a response says that a server wrote, whose clock is behind by so much, after part of the time that it took. */
function compare(
  aheadMilliseconds: number,
  took: number,
  share = 0.5,
  server?: ServerClock,
  recorder = new Recorder(),
) {
  const clock = new FakeClock(start);
  const compared = server ?? new ServerClock(clock, recorder.observe);
  clock.advance(took);
  const written = new Date(start.getTime() + took * share - aheadMilliseconds);
  compared.compare(start, written.toUTCString());
  return recorder.of('clock-compared').at(-1)!;
}

describe('the clock of the API server', () => {
  it('shows how far ours is ahead or behind, to the second, whatever a response takes', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -3e8, max: 3e8 }),
        fc.integer({ min: 0, max: 9000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (seconds, took, share) => {
          const { aheadSeconds } = compare(seconds * 1000, took, share);
          assert.ok(
            Math.abs(aheadSeconds - seconds) <= 1.5 + took / 1000,
            `${String(aheadSeconds)} for ${String(seconds)}`,
          );
          assert.ok(Math.abs(aheadSeconds) <= Math.abs(seconds), 'what it says is certain');
        },
      ),
    );
  });

  it('is news when it goes wrong and when it is right again, and not in between', () => {
    const recorder = new Recorder();
    const clock = new FakeClock(start);
    const compared = new ServerClock(clock, recorder.observe);
    for (const date of ['00:00:00', '00:10:00', '00:11:00', '00:00:30'])
      compared.compare(start, `Sun, 01 Mar 2026 ${date} GMT`);
    const told = recorder.of('clock-compared').map(({ aheadSeconds, isNews }) => [aheadSeconds, isNews]);
    assert.deepEqual(told, [[0, false], [-600, true], [-660, false], [-30, true]]); // prettier-ignore
  });

  it('is not known from a response without a date, or with one that cannot be read', () => {
    const recorder = new Recorder();
    const compared = new ServerClock(new FakeClock(start), recorder.observe);
    for (const date of [undefined, '', 'soon']) compared.compare(start, date);
    assert.deepEqual(recorder.of('clock-compared'), []);
  });
});
