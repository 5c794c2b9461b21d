// Every event becomes one line of JSON or nothing, and no line repeats what a foreign error says.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PaycertError } from '../../src/errors.ts';
import type { Event } from '../../src/events.ts';
import { createLog } from '../../src/telemetry/log.ts';
import type { LogLevel } from '../../src/telemetry/log-lines.ts';
import { everyEvent } from '../support/events.ts';

function log(level: LogLevel, ...events: readonly Event[]): Record<string, unknown>[] {
  const lines: string[] = [];
  const observe = createLog(level, { write: (line) => void lines.push(line) }, () => new Date(0));
  for (const event of events) observe(event);
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

const error = new PaycertError('key-mismatch', 'apiclient_key.pem does not belong', { field: 'apiclient_key.pem' });

describe('the log', () => {
  for (const [type, event] of Object.entries(everyEvent)) {
    it(`makes of ${type} one line of JSON that names it, or none`, () => {
      const lines = log('debug', event);
      assert.equal(
        lines.length,
        [
          'unchanged',
          'lines-dropped',
          'event-recorded',
          'watch-ended',
          'exported',
          'own-called',
          'key-missed',
        ].includes(type)
          ? 0
          : 1,
      );
      for (const line of lines) {
        assert.equal(line['event'], type);
        assert.match(String(line['time']), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
        assert.ok(['debug', 'info', 'warn', 'error'].includes(String(line['level'])));
        assert.equal(typeof line['msg'], 'string');
        if ('credential' in event) assert.equal(line['credential'], event.credential);
      }
    });
  }

  it('leaves out of a log without debug lines nothing that is of another level', () => {
    for (const event of Object.values(everyEvent)) {
      const [line] = log('debug', event);
      const isDebug = line === undefined || line['level'] === 'debug';
      assert.equal(log('info', event).length, isDebug ? 0 : 1, event.type);
    }
    const timedOut = { ...everyEvent.attempted, outcome: 'timed-out' } as const;
    const unknown = { ...everyEvent.forwarded, outcome: 'unknown' } as const;
    const off = { ...everyEvent['platform-clock-compared'], isNews: true } as const;
    assert.equal(log('info', { ...everyEvent.operated, outcome: 'error' }, timedOut, unknown, off).length, 4);
    const responded = { ...everyEvent.attempted, outcome: 'responded' } as const;
    const refused = { ...everyEvent.forwarded, outcome: 'refused' } as const;
    assert.deepEqual(log('info', { ...everyEvent.operated, outcome: 'refused' }, responded, refused, { ...off, isNews: false }), []); // prettier-ignore
  });

  it('tells code, detail, remedy and field of a deliberate error', () => {
    const [line] = log('info', { type: 'rejected', credential: 'a', error, seconds: 0, isNew: true });
    assert.deepEqual(
      [line?.['code'], line?.['detail'], line?.['hint'], line?.['field']],
      ['key-mismatch', error.message, error.hint, 'apiclient_key.pem'],
    );
  });

  it('tells of a watch that may not be what is missing, and of one on files the system’s reason', () => {
    const forbidden = new PaycertError('cluster-forbidden', 'list secrets in namespace "pay": forbidden');
    const failed = { type: 'watch-failed', source: 'secrets/pay', reason: forbidden.code } as const;
    const [line, files] = log('info', { ...failed, error: forbidden }, { ...failed, reason: 'ENOSPC' });
    assert.deepEqual([line?.['detail'], line?.['hint']], [forbidden.message, forbidden.hint]);
    assert.deepEqual([files?.['reason'], files?.['detail']], ['ENOSPC', undefined]);
  });

  it('never repeats the message of an unknown error, nor of its cause, and tells where it was thrown', () => {
    const cause = new Error('cause-canary');
    const thrown = new TypeError('message-canary\nsecond-canary', { cause });
    for (const canary of [thrown, 'string-canary', { message: 'object-canary' }, undefined]) {
      const [line] = log('debug', { type: 'internal-error', where: 'reload', credential: 'a', error: canary });
      assert.ok(!JSON.stringify(line).includes('canary"') && !/\w-canary/.test(JSON.stringify(line)));
    }
    const [line] = log('debug', { type: 'internal-error', where: 'reload', error: thrown });
    assert.equal(line?.['error'], 'TypeError');
    assert.match(JSON.stringify(line['stack']), /^\["at /);
  });

  it('says once at error what is repeated at debug', () => {
    const events: Event[] = [
      { type: 'rejected', credential: 'a', error, seconds: 0, isNew: true },
      { type: 'rejected', credential: 'a', error, seconds: 0, isNew: false },
      { type: 'source-failed', credential: 'a', error, isNew: true },
      { type: 'source-failed', credential: 'a', error, isNew: false },
    ];
    assert.equal(log('info', ...events).length, 2);
    assert.equal(log('debug', ...events).length, 4);
  });

  it('says that the last good snapshot stays only where there is one', () => {
    const { rejected, 'source-failed': failed } = everyEvent;
    const events = [{ ...rejected, isFirst: true }, { ...failed, isFirst: true }, rejected, failed];
    const messages = events.map((event) => log('info', event)[0]?.['msg']);
    assert.deepEqual(messages, [
      'material rejected; no snapshot is current yet',
      'the source cannot be read; no snapshot is current yet',
      'material rejected; the last good snapshot stays current',
      'the source cannot be read; the last good snapshot stays current',
    ]);
  });

  it('keeps traffic out of every level but debug', () => {
    const { operated, decrypted } = everyEvent;
    assert.deepEqual(log('info', operated, decrypted), []);
  });

  it('warns of a rollback and of material with warnings', () => {
    const { swapped } = everyEvent;
    assert.equal(log('info', { ...swapped, isRollback: false, warnings: [] })[0]?.['level'], 'info');
    assert.equal(log('info', { ...swapped, isRollback: true, warnings: [] })[0]?.['level'], 'warn');
    assert.equal(log('info', { ...swapped, isRollback: false, warnings: [error] })[0]?.['level'], 'warn');
  });
});
