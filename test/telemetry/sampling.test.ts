// A flood of events leaves a log that people can read, and loses no count.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PaycertError } from '../../src/errors.ts';
import type { Event } from '../../src/events.ts';
import { createLog } from '../../src/telemetry/log.ts';
import type { LogLevel } from '../../src/telemetry/log-lines.ts';

const forged = (credential: string, code: 'signature-invalid' | 'key-id-unknown' = 'signature-invalid'): Event => ({
  type: 'unverified',
  credential,
  kind: 'notification',
  error: new PaycertError(code, 'text'),
});
const quiet: Event = { type: 'unchanged', credential: 'a', isRecovery: false };

function setUp(level: LogLevel = 'info') {
  const lines: Record<string, unknown>[] = [];
  const time = { now: new Date(1_800_000_000_000) };
  const write = (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>);
  const observe = createLog(level, { write }, () => time.now);
  const pass = (milliseconds: number) => (time.now = new Date(time.now.getTime() + milliseconds));
  const flood = (event: Event, count: number) => {
    for (let i = 0; i < count; i += 1) observe(event);
  };
  return { lines, observe, pass, flood };
}

describe('a flood of events', () => {
  it('is ten lines a minute, and one that says how many were left out', () => {
    const { lines, observe, pass, flood } = setUp();
    flood(forged('a'), 10_000);
    assert.equal(lines.length, 10);
    pass(60_000);
    observe(quiet);
    assert.equal(lines.length, 11, 'any event reports it, also one without a line');
    const { event, of, credential, code, lines: omitted } = lines[10] ?? {};
    assert.deepEqual([event, of, credential, code, omitted], ['lines-omitted', 'unverified', 'a', 'signature-invalid', 9_990]); // prettier-ignore
    flood(forged('a'), 20);
    assert.equal(lines.length, 21, 'the next minute has ten of its own');
  });

  it('hides nothing of another credential, code or event', () => {
    const { lines, observe, flood } = setUp();
    flood(forged('a'), 1000);
    for (const event of [
      forged('b'),
      forged('a', 'key-id-unknown'),
      { type: 'config-rejected', file: 'token', error: new PaycertError('config-invalid', 'x') } as const,
    ])
      // prettier-ignore
      observe(event);
    assert.equal(lines.length, 13);
  });

  const rejected = (
    message: string,
    more: { credential?: string; code?: 'key-mismatch' | 'certificate-expired' } = {},
  ): Event => ({
    type: 'rejected',
    credential: more.credential ?? 'a',
    error: new PaycertError(more.code ?? 'key-mismatch', message),
    seconds: 0,
    isNew: true,
  });
  const swapped = (snapshotId: string, generation: number, isRollback = false): Event => ({
    type: 'swapped',
    credential: 'a',
    generation,
    snapshotId,
    keyId: `key ${snapshotId}`,
    notAfter: undefined,
    seconds: 0,
    changeToCurrentSeconds: undefined,
    isRollback,
    warnings: [],
  });
  const put: Event = { type: 'unchanged', credential: 'a', isRecovery: true };
  const deferred: Event = {
    type: 'deferred',
    credential: 'a',
    error: new PaycertError('certificate-not-yet-valid', 'text'),
    until: new Date(1_900_000_000_000),
    isBridged: true,
    seconds: 0,
    isNew: true,
  };
  const failed: Event = {
    type: 'source-failed',
    credential: 'a',
    error: new PaycertError('source-unreadable', 'text'),
    isNew: true,
  };
  const flaps: Readonly<Record<string, (at: number) => Event>> = {
    'between good and bad': (at) => (at % 2 ? put : rejected('text')),
    'between two good sets': (at) => swapped(at % 2 ? 'x' : 'y', at, at > 1 && at % 2 === 0),
    'between good and good later': (at) => (at % 2 ? put : deferred),
    'between read and unreadable': (at) => (at % 2 ? put : failed),
  };
  for (const [how, event] of Object.entries(flaps))
    it(`of material that flaps ${how} is a line of each, then one a minute with the count`, () => {
      const { lines, observe, pass } = setUp();
      for (let at = 0; at < 3000; at += 1) {
        observe(event(at));
        pass(100);
      }
      const firsts = lines.filter(({ event: name }) => name !== 'lines-omitted').length;
      assert.ok(firsts <= 4, `${String(firsts)} at once`);
      assert.ok(lines.length - firsts <= 2 * 5, `${String(lines.length - firsts)} in five minutes`);
      observe({ type: 'stopping', drainSeconds: 0 });
      const omitted = lines.filter(({ event: name }) => name === 'lines-omitted');
      const total = omitted.reduce((sum, { lines: count }) => sum + Number(count), 0);
      assert.equal(total + firsts, 3000, 'every one is a line or counted');
    });

  it('of reloads says at once what was not said yet: another error, set, reason or credential', () => {
    const { lines, observe, flood } = setUp();
    flood(rejected('one'), 100);
    flood(swapped('x', 1), 100);
    const others = [
      rejected('two'),
      rejected('one', { code: 'certificate-expired' }),
      rejected('one', { credential: 'b' }),
      swapped('y', 2),
      swapped('x', 3, true),
      deferred,
    ];
    for (const event of others) observe(event);
    assert.equal(lines.length, 2 + others.length);
  });

  it('of reloads that each say something else is ten lines, then one a minute', () => {
    const { lines, observe, pass } = setUp();
    for (let at = 0; at < 3000; at += 1) {
      observe(rejected(`certificate ${String(at)}`));
      pass(100);
    }
    assert.ok(lines.length <= 10 + 5, String(lines.length));
  });

  it('ends with what was left out last, so that the newest is always known', () => {
    const { lines, observe, pass, flood } = setUp();
    for (const generation of [3, 4, 5, 6, 7]) observe(swapped(generation % 2 ? 'x' : 'y', generation));
    pass(60_000);
    observe(quiet);
    const [line] = lines.slice(2);
    assert.deepEqual([line?.['event'], line?.['of'], line?.['lines']], ['lines-omitted', 'swapped', 3]);
    assert.deepEqual(line?.['last'], { credential: 'a', generation: 7, snapshotId: 'x', keyId: 'key x', seconds: 0 });
    pass(60_000);
    observe(quiet);
    flood(swapped('x', 8), 1);
    assert.deepEqual(lines.slice(3).map(({ event, generation }) => [event, generation]), [['swapped', 8]], 'a quiet minute ends it'); // prettier-ignore
  });

  it('says what was left out when the process stops', () => {
    const { lines, observe, flood } = setUp();
    flood(forged('a'), 11);
    observe({ type: 'stopping', drainSeconds: 0 });
    assert.deepEqual(lines.slice(10).map(({ event }) => event), ['lines-omitted', 'stopping']); // prettier-ignore
  });

  it('is written whole where debug lines are asked for, as far as it is of them', () => {
    const { lines, flood } = setUp('debug');
    flood({ type: 'decrypted', credential: 'a', role: 'apiv3', isRetired: false }, 50);
    assert.equal(lines.length, 50);
  });

  it('ends its minute when the clock is set back', () => {
    const { lines, observe, pass, flood } = setUp();
    flood(forged('a'), 11);
    pass(-3_600_000);
    observe(forged('a'));
    assert.deepEqual(lines.slice(10).map(({ event }) => event), ['lines-omitted', 'unverified']); // prettier-ignore
  });
});
