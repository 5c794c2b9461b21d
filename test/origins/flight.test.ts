// Work that is shared: done once for all who wait, called off when nobody does, and not handed to those who come after that.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Flight } from '../../src/origins/flight.ts';

const patient = () => new AbortController();

describe('a flight', () => {
  it('does the work once for everybody who joins it, and again for those who come later', async () => {
    const flight = new Flight<number>();
    let runs = 0;
    const work = async () => ++runs;
    const join = () => flight.join(work, patient().signal);
    assert.deepEqual(await Promise.all([join(), join(), join()]), [1, 1, 1]);
    assert.equal(await join(), 2);
  });

  it('gives its failure to everybody, and is forgotten', async () => {
    const flight = new Flight<number>();
    const fail = () => flight.join(() => Promise.reject(new Error('no')), patient().signal);
    for (const result of await Promise.allSettled([fail(), fail()])) assert.equal(result.status, 'rejected');
    assert.equal(await flight.join(async () => 7, patient().signal), 7);
  });

  it('goes on when one of two leaves, and is called off when the last one does', async () => {
    const flight = new Flight<number>();
    const done = Promise.withResolvers<number>();
    let stop: AbortSignal | undefined;
    const work = (signal: AbortSignal) => {
      stop = signal;
      return done.promise;
    };
    const [first, second] = [patient(), patient()];
    const joined = [flight.join(work, first.signal), flight.join(work, second.signal)] as const;
    first.abort(new Error('gone'));
    await assert.rejects(joined[0], /^Error: gone$/);
    assert.equal(stop!.aborted, false);
    second.abort(new Error('gone too'));
    await assert.rejects(joined[1], /^Error: gone too$/);
    assert.equal(stop!.aborted, true);
    // What has been called off is not waited for by others, and its result reaches nobody.
    const other = flight.join(async () => 2, patient().signal);
    done.resolve(1);
    assert.equal(await other, 2);
  });

  it('does not begin for one that has left already', async () => {
    const flight = new Flight<number>();
    const leave = patient();
    leave.abort(new Error('gone'));
    await assert.rejects(
      flight.join(() => assert.fail('it began'), leave.signal),
      /^Error: gone$/,
    );
  });
});
