// A flood of events leaves a log that people can read, and loses no count.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PaycertError } from '../../src/errors.ts';
import type { Event } from '../../src/events.ts';
import { createLog, type LogLevel } from '../../src/telemetry/log.ts';

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

  it('of a source that flaps is as few lines, of every outcome', () => {
    const { lines, observe, pass } = setUp();
    const error = new PaycertError('key-mismatch', 'text');
    for (let i = 0; i < 1200; i += 1) {
      observe({ type: 'rejected', credential: 'a', error, seconds: 0, isNew: true });
      observe({ type: 'unchanged', credential: 'a', isRecovery: true });
      pass(100);
    }
    assert.ok(lines.length <= 2 * 2 * 11, String(lines.length));
    observe({ type: 'stopping', drainSeconds: 0 });
    const omitted = lines.filter(({ event }) => event === 'lines-omitted');
    const total = omitted.reduce((sum, { lines: count }) => sum + Number(count), 0);
    assert.equal(total + lines.length - omitted.length, 2400 + 1, 'every one is a line or counted');
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
