// Events of what flaps: at most one a minute for each object and reason, with how many they were, and none lost to a missing permission.
import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { describe, it } from 'node:test';
import { PaycertError } from '../../src/errors.ts';
import { EventRecorder } from '../../src/operator/event-recorder.ts';
import { Leadership } from '../../src/operator/leadership.ts';
import type { PaymentCredential } from '../../src/operator/resource.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { Recorder } from '../support/recorder.ts';

const resource: PaymentCredential = { kind: 'PaymentCredential', namespace: 'pay', name: 'w', uid: 'u', resourceVersion: '1', generation: 1, spec: {}, status: undefined }; // prettier-ignore

function start() {
  const stop = new AbortController();
  const clock = new FakeClock(new Date('2026-03-01T00:00:00Z'));
  const leadership = new Leadership();
  void leadership.lead(() => undefined, stop.signal);
  const recorder = new Recorder();
  const created: string[] = [];
  let refusal: PaycertError | undefined;
  const client = async () => ({
    create: async (_: unknown, event: object) => {
      if (refusal) throw refusal;
      const { reason, note } = event as { reason: string; note: string };
      created.push(`${reason}: ${note}`);
      return event as never;
    },
  });
  const events = new EventRecorder({ client, clock, identity: 'o', leadership, observe: recorder.observe });
  const record = (reason: string, index: number, of = resource) =>
    events.record(of, { type: 'Warning', reason, note: `text ${String(index)}`, since: String(index) }, stop.signal);
  const advance = async (milliseconds: number) => {
    clock.advance(milliseconds);
    for (let turn = 0; turn < 5; turn += 1) await setImmediate();
  };
  const refuse = (error: PaycertError | undefined) => (refusal = error);
  return { record, created, clock, advance, refuse, recorder, stop };
}

describe('Events', () => {
  it('of a Secret that flaps ten times a second for two minutes are one a minute and reason, with a count', async () => {
    const { record, created, advance } = start();
    for (let index = 0; index < 1200; index += 1) {
      await record(index % 2 === 0 ? 'KeyMismatch' : 'Ready', index);
      await advance(100);
    }
    await advance(60_000);
    assert.equal(created.length, 6);
    assert.equal(created[0], 'KeyMismatch: text 0');
    const counts = created.map((text) => Number(/: ([0-9]+) times since 2026-03-01T/.exec(text)?.[1] ?? 1));
    assert.equal(
      counts.reduce((sum, count) => sum + count),
      1200,
      'none is left out',
    );
    assert.match(created.at(-1) ?? '', /last: text 119[89]$/);
  });

  it('of other objects, and after a quiet minute, come at once', async () => {
    const { record, created, advance } = start();
    await record('KeyMismatch', 1);
    await record('KeyMismatch', 2, { ...resource, uid: 'v', name: 'x' });
    await advance(60_000);
    await record('KeyMismatch', 3);
    assert.deepEqual(created, ['KeyMismatch: text 1', 'KeyMismatch: text 2', 'KeyMismatch: text 3']);
  });

  it('that could not be created are tried again every minute, and said to be lost until then', async () => {
    const { record, created, advance, refuse, recorder } = start();
    refuse(new PaycertError('cluster-forbidden', 'text'));
    await record('KeyMismatch', 1);
    await record('KeyMismatch', 2);
    await advance(60_000);
    assert.deepEqual(recorder.of('event-lost').map(({ isNew }) => isNew), [true, false]); // prettier-ignore
    refuse(undefined);
    await advance(60_000);
    assert.deepEqual(created, ['KeyMismatch: 2 times since 2026-03-01T00:00:00.000Z, last: text 2']);
    assert.equal(recorder.of('event-recorded').length, 1);
  });

  it('are no reason to stay when the operator stops', async () => {
    const { record, created, stop, advance } = start();
    await record('KeyMismatch', 1);
    await record('KeyMismatch', 2);
    stop.abort();
    await advance(60_000);
    assert.equal(created.length, 1);
  });
});
