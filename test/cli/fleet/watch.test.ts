// paycert fleet --watch: writes what is new, stays through a restart of the API server, and ends with its signal.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { watchFleet } from '../../../src/cli/fleet/fleet.ts';
import { PaycertError } from '../../../src/errors.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const away = new PaycertError('cluster-unreachable', 'the API server is away');
const forbidden = new PaycertError('cluster-forbidden', 'it is forbidden');

async function watch(shown: readonly (string | PaycertError)[]) {
  const clock = new FakeClock();
  const [stop, written] = [new AbortController(), [] as string[]];
  const left = shown.values();
  const show = async () => {
    const { value, done } = left.next();
    if (done === true) stop.abort();
    if (value instanceof PaycertError) throw value;
    return value ?? 'after the end';
  };
  const write = (text: string, isNext: boolean) => void written.push(`${isNext ? 'again' : 'first'}: ${text}`);
  const ended = watchFleet(show, { clock, write }, stop.signal).finally(() => stop.abort());
  // Awaited below, when time has passed for it.
  ended.catch(() => undefined);
  while (!stop.signal.aborted) {
    clock.advance(5000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await ended;
  return written.filter((text) => !text.includes('after the end'));
}

describe('watchFleet', () => {
  it('writes a report once, and again when it has changed', async () => {
    assert.deepEqual(await watch(['a', 'a', 'b', 'b', 'a']), ['first: a', 'again: b', 'again: a']);
  });

  it('stays while the API server is away, and says nothing', async () => {
    assert.deepEqual(await watch(['a', away, away, 'a', 'b']), ['first: a', 'again: b']);
  });

  it('ends with what cannot pass, and with an API server that never was there', async () => {
    await assert.rejects(watch(['a', forbidden, 'b']), /forbidden/);
    await assert.rejects(watch([away, 'a']), /away/);
  });
});
