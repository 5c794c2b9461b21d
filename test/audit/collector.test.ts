// An audit whose lines go to a collector of OpenTelemetry: in one chain, while it takes nothing, and beside a directory.
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { Audit, type AuditOptions } from '../../src/audit/audit.ts';
import { AuditCollector, auditedExports } from '../../src/audit/collector.ts';
import { Exporter } from '../../src/otlp/exporter.ts';
import { auditKey, day, settled, verify } from '../support/audited.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FakeDisk } from '../support/fake-disk.ts';
import { startOtlpReceiver } from '../support/otlp-receiver.ts';
import { Recorder } from '../support/recorder.ts';

const note = (id: number) => ({ type: 'noted', outcome: 'ok', credential: 'shop', id });

async function start(t: TestContext, options: Partial<AuditOptions> = {}) {
  const [receiver, clock, recorder] = [await startOtlpReceiver(t), new FakeClock(), new Recorder()];
  const exporter = new Exporter({
    ...{ signal: 'logs', resource: { 'service.name': 'paycert' }, version: '1.2.3', clock, flushMilliseconds: 1000 },
    target: { url: new URL(`${receiver.origin}/v1/logs`), headers: {}, timeoutMilliseconds: 10_000 },
    ...{ observe: auditedExports(recorder.observe), random: () => 1 },
  });
  const audit = new Audit({
    ...{ clock, observe: recorder.observe, host: 'shop-1', about: {}, key: () => auditKey, ...options },
    collector: new AuditCollector(exporter),
  });
  t.after(async () => {
    const closed = audit.close();
    await settled();
    clock.advance(1000);
    await closed;
  });
  await settled();
  const lines = () => receiver.logs.map(({ body }) => body);
  return { receiver, clock, recorder, audit, lines };
}

describe('an audit at a collector', { timeout: 900_000 }, () => {
  it('is a chain of log records, whose bodies are its lines', async (t) => {
    const { receiver, clock, audit, recorder, lines } = await start(t);
    for (let id = 1; id <= 3; id += 1) audit.record(note(id));
    const exported = recorder.next('exported');
    clock.advance(1000);
    await exported;
    assert.deepEqual(verify(lines()), { ...verify(lines()), lines: 4, faults: [] });
    assert.deepEqual(receiver.logs[1]?.attributes, {
      ...{
        'paycert.audit.seq': 2,
        'paycert.audit.type': 'noted',
        'paycert.outcome': 'ok',
        'paycert.credential': 'shop',
      },
    });
    assert.equal(audit.head?.seq, 4);
  });

  it('that must be written is there before anything is handed out, without a wait for others', async (t) => {
    const { audit, lines } = await start(t);
    audit.record(note(1));
    audit.assertAvailable();
    await audit.written();
    assert.equal(lines().length, 2);
  });

  it('that must be written is unavailable while the collector takes nothing, and complete afterwards', async (t) => {
    const { receiver, clock, recorder, audit, lines } = await start(t);
    await audit.written();
    receiver.respond((response) => void response.writeHead(503).end());
    audit.record(note(1));
    await assert.rejects(audit.written(), { code: 'audit-unavailable', message: /HTTP 503/ });
    assert.throws(() => audit.assertAvailable(), { code: 'audit-unavailable' });
    assert.equal(recorder.of('audit-failed').length, 1);
    await settled();
    receiver.respond((response) => void response.end('{}'));
    const recovered = recorder.next('audit-recovered');
    clock.advance(1000);
    await recovered;
    await settled();
    audit.assertAvailable();
    const unique = [...new Set(lines())];
    assert.deepEqual([unique.length, verify(unique).faults], [2, []]);
  });

  it('says in its chain how many lines it has not, where too many waited', async (t) => {
    const { receiver, clock, recorder, audit, lines } = await start(t);
    receiver.respond((response) => response.destroy());
    const failed = recorder.next('export-failed');
    let taken = 0;
    for (let id = 1; id <= 3000; id += 1) taken += Number(audit.record(note(id)));
    assert.equal(taken, 2047, 'and the first line of the process');
    await failed;
    await settled();
    receiver.respond((response) => void response.end('{}'));
    const all = recorder.next('exported', () => recorder.of('exported').length === 4);
    clock.advance(1000);
    await all;
    audit.record(note(3001));
    await audit.written();
    const unique = [...new Set(lines())];
    assert.deepEqual(verify(unique).faults, []);
    assert.match(unique.at(-2) ?? '', /"type":"lines-lost".*"lines":953/);
    assert.equal(recorder.of('audit-lines-lost').length, 953);
  });

  it('loses nothing of its directory beside it, and is waited for only where that is asked', async (t) => {
    const disk = new FakeDisk();
    const volume = {
      ...{ disk, maxFileBytes: 1_000_000, maxTotalBytes: 10_000_000, retentionMilliseconds: 190 * day },
      ...{ rotateMilliseconds: day, gatherMilliseconds: 0, fsync: 'never' as const },
    };
    const { receiver, audit } = await start(t, { volume, waitsFor: { volume: true, collector: false } });
    receiver.respond(() => undefined);
    for (let id = 1; id <= 3000; id += 1) assert.equal(audit.record(note(id)), true);
    await audit.written();
    audit.assertAvailable();
    assert.equal(disk.lines.length, 3001);
    assert.deepEqual(verify(disk.lines).faults, []);
  });
});
