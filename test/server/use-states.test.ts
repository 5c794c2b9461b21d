// What a status says of keys that stay elsewhere: whether the last use of each succeeded, and since when not.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PaycertError } from '../../src/errors.ts';
import type { Event, RemoteOutcome } from '../../src/events.ts';
import { UseStates } from '../../src/server/use-states.ts';
import { FakeClock } from '../support/fake-clock.ts';

const sealed = new PaycertError('key-service-unavailable', 'Vault is sealed (503)');
const held = new PaycertError('key-service-unavailable', 'nothing was sent to hashivault, which failed');

const used = (outcome: RemoteOutcome, error?: PaycertError, key = 'hashivault://pay?version=3 pss'): Event => ({
  type: 'remote-signed',
  ...{ service: 'hashivault', use: 'sign', key, outcome, seconds: 0, ...(error && { error }) },
});
const start = () => {
  const clock = new FakeClock();
  return { clock, states: new UseStates(clock) };
};

describe('the keys that stay elsewhere', () => {
  it('are those that were used, each with the first time of the failures that it is in and the newest reason', () => {
    const { clock, states } = start();
    assert.deepEqual(states.list(), []);
    states.observe(used('ok'));
    const about = { service: 'hashivault', use: 'sign', key: 'hashivault://pay?version=3 pss' };
    const shown = () =>
      states.list().map(({ service, use, key, error, since }) => ({ service, use, key, error, since }));
    assert.deepEqual(shown(), [{ ...about, error: undefined, since: undefined }]);
    const since = clock.now();
    states.observe(used('timed-out', held));
    clock.advance(1000);
    states.observe(used('unavailable', sealed));
    assert.deepEqual(shown(), [{ ...about, error: sealed, since }]);
    states.observe(used('ok'));
    assert.deepEqual(shown(), [{ ...about, error: undefined, since: undefined }]);
  });

  it('keep the reason for which a breaker has opened while nothing is sent', () => {
    const { states } = start();
    states.observe(used('unavailable', sealed));
    states.observe(used('held-back', held));
    assert.equal(states.list()[0]?.error, sealed);
  });

  it('are forgotten where they failed and nobody asked again for a quarter of an hour', () => {
    const { clock, states } = start();
    states.observe(used('refused', sealed, 'old'));
    states.observe(used('ok', undefined, 'new'));
    clock.advance(16 * 60_000);
    assert.deepEqual(
      states.list().map(({ key }) => key),
      ['new'],
    );
  });

  it('take no more room than 256 of them, however many keys there were', () => {
    const { states } = start();
    for (let index = 0; index < 300; index += 1) states.observe(used('ok', undefined, String(index)));
    assert.deepEqual([states.list().length, states.list().at(-1)?.key], [256, '299']);
  });
});
