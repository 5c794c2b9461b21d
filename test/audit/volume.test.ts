// An audit on a disk: what is written, rotated, removed and resumed, while it is full and while it hangs.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { auditFiles } from '../../src/audit/files.ts';
import { numberOf, readLine } from '../../src/audit/chain.ts';
import { AuditVolume } from '../../src/audit/volume.ts';
import { day, settled, startAudited, verify } from '../support/audited.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FakeDisk } from '../support/fake-disk.ts';

const note = (id: number) => ({ type: 'noted', outcome: 'ok', id });
const typesOf = (lines: readonly string[]) => lines.map((line) => readLine(line)?.record['type']);

describe('an audit on a disk', () => {
  it('writes every line in one chain, also those from before its directory was read', async () => {
    const { audit, disk, printed } = startAudited();
    const before = audit.head;
    assert.equal(before, undefined);
    for (let id = 1; id <= 5; id += 1) audit.record(note(id));
    await settled();
    audit.record(note(6));
    await audit.close();
    assert.deepEqual(verify(disk.lines).faults, []);
    assert.deepEqual(typesOf(disk.lines), ['started', ...Array.from({ length: 6 }, () => 'noted')]);
    assert.deepEqual(
      printed.map((line) => line.trimEnd()),
      disk.lines,
    );
    assert.equal(audit.head?.seq, 7);
    const { record } = readLine(disk.lines[0] ?? '') ?? assert.fail();
    assert.deepEqual([record['host'], record['version'], record['audit']], ['shop-1', '1.2.3', 1]);
  });

  it('writes a line right after the last one was written, whatever the turn', async () => {
    const disk = new FakeDisk();
    const volume = new AuditVolume({
      ...{ disk, clock: new FakeClock(), observe: () => undefined, announce: () => true, gatherMilliseconds: 0 },
      ...{
        maxFileBytes: 1_000_000,
        maxTotalBytes: 10_000_000,
        retentionMilliseconds: day,
        rotateMilliseconds: day,
        fsync: 'never',
      },
    });
    await volume.open();
    for (let seq = 1; seq <= 20; seq += 1) {
      volume.add(`line ${seq}`, seq);
      await volume.written();
      assert.equal(disk.lines.length, seq);
    }
  });

  it('gathers lines that nobody waits for into one write, and lets nobody who waits wait for more', async () => {
    const { audit, disk, clock } = startAudited({ gatherMilliseconds: 20 });
    await settled();
    clock.advance(20);
    await settled();
    const before = disk.writes;
    for (let id = 1; id <= 5; id += 1) {
      audit.record(note(id));
      await settled();
      clock.advance(3);
    }
    assert.equal(disk.writes, before);
    clock.advance(20);
    await settled();
    assert.equal(disk.writes, before + 1);
    audit.record(note(6));
    await audit.written();
    assert.equal(disk.lines.length, 7);
  });

  it('continues the chain after a restart, in the same file after a whole line, and in another after half of one', async () => {
    const disk = new FakeDisk();
    const clock = new FakeClock();
    await startAudited({ disk, clock }).audit.close();
    await settled();
    const restart = async () => {
      const { audit } = startAudited({ disk, clock });
      await settled();
      audit.record(note(1));
      await audit.close();
    };
    await restart();
    assert.equal(disk.files.size, 1);
    const [[name, text] = assert.fail()] = [...disk.files];
    disk.files.set(name, text.slice(0, -40));
    clock.advance(1000);
    await restart();
    assert.equal(disk.files.size, 2);
    assert.deepEqual(verify(disk.lines).faults, []);
  });

  it('begins another file by size and by age, and carries the chain on', async () => {
    const { audit, disk, clock } = startAudited({ maxFileBytes: 2000 });
    await settled();
    for (let id = 1; id <= 20; id += 1) {
      audit.record(note(id));
      await settled();
      clock.advance(1000);
    }
    const bySize = disk.files.size;
    assert.ok(bySize > 2);
    clock.advance(day);
    audit.record(note(21));
    await audit.close();
    assert.equal(disk.files.size, bySize + 1);
    assert.deepEqual(verify(disk.lines).faults, []);
    for (const { name, firstSeq } of auditFiles(await disk.list()))
      assert.equal(readLine((disk.files.get(name) ?? '').split('\n')[0] ?? '')?.seq, firstSeq);
  });

  it('removes what is older than it must be kept, after a line that says so', async () => {
    const { audit, disk, clock, events } = startAudited({ retentionMilliseconds: 3 * day });
    await settled();
    for (let id = 1; id <= 10; id += 1) {
      clock.advance(day);
      audit.record(note(id));
      await settled();
    }
    await audit.close();
    assert.ok(disk.files.size <= 5, String(disk.files.size));
    assert.ok(typesOf(disk.lines).includes('removed'));
    assert.deepEqual(verify(disk.lines).faults, []);
    assert.deepEqual(verify(disk.lines.slice(2)).faults[0]?.kind, 'missing');
    assert.ok(!events.some(({ type }) => type === 'audit-shortened'));
  });

  it('keeps the bytes of all files together, and says when that shortens it', async () => {
    const { audit, disk, clock, events } = startAudited({ maxFileBytes: 2000, maxTotalBytes: 8000 });
    await settled();
    for (let id = 1; id <= 200; id += 1) {
      audit.record(note(id));
      await settled();
      clock.advance(1000);
    }
    await audit.close();
    const bytes = [...disk.files.values()].reduce((sum, text) => sum + text.length, 0);
    assert.ok(bytes <= 9000, String(bytes));
    assert.deepEqual(verify(disk.lines).faults, []);
    assert.ok(events.some(({ type }) => type === 'audit-shortened'));
  });

  it('loses two files at most at a time to a clock that is years ahead', async () => {
    const { audit, disk, clock } = startAudited();
    await settled();
    for (let id = 1; id <= 10; id += 1) {
      clock.advance(day);
      audit.record(note(id));
      await settled();
    }
    const before = disk.files.size;
    clock.jump(10 * 365 * day);
    audit.record(note(11));
    await audit.close();
    assert.equal(disk.files.size, before + 1 - 2);
  });

  it('keeps lines while the disk is full, writes them in order when there is room again, and says both', async () => {
    const { audit, disk, clock, events } = startAudited();
    await settled();
    disk.room = 100;
    for (let id = 1; id <= 3; id += 1) audit.record(note(id));
    await settled();
    assert.throws(() => audit.assertAvailable(), { code: 'audit-unavailable', message: /ENOSPC/ });
    await assert.rejects(audit.written(), { code: 'audit-unavailable' });
    clock.advance(1000);
    await settled();
    assert.deepEqual(
      events.map(({ type }) => type),
      ['audit-failed'],
    );
    disk.room = Infinity;
    clock.advance(1000);
    await settled();
    assert.deepEqual(
      events.map(({ type }) => type),
      ['audit-failed', 'audit-recovered'],
    );
    audit.assertAvailable();
    await audit.close();
    assert.deepEqual(verify(disk.lines).faults, []);
    assert.equal(disk.lines.length, 4);
  });

  it('lets nobody wait for a disk that hangs longer than five seconds, and writes what waited when it is back', async () => {
    const { audit, disk, clock, events } = startAudited({ fsync: 'batch' });
    await settled();
    const release = disk.hang();
    audit.record(note(1));
    const refused = assert.rejects(audit.written(), { code: 'audit-unavailable', message: /hangs/ });
    await settled();
    clock.advance(5000);
    await refused;
    release();
    await settled();
    assert.deepEqual(
      events.map(({ type }) => type),
      ['audit-failed', 'audit-recovered'],
    );
    audit.record(note(2));
    await audit.written();
    assert.equal(disk.lines.length, 3);
    assert.deepEqual(verify(disk.lines).faults, []);
    assert.ok(disk.synced.length >= 2);
  });

  it('loses lines beyond four megabytes that wait, counts them, and writes down how many', async () => {
    const { audit, disk, events } = startAudited();
    await settled();
    const release = disk.hang();
    const long = 'x'.repeat(60_000);
    const taken = Array.from({ length: 100 }, () => audit.record({ type: 'noted', outcome: 'ok', long }));
    const lost = taken.filter((isTaken) => !isTaken).length;
    assert.ok(lost > 0 && lost < 50);
    assert.throws(() => audit.assertAvailable(), { code: 'audit-unavailable' });
    assert.equal(events.filter(({ type }) => type === 'audit-lines-lost').length, lost);
    release();
    await settled();
    audit.record(note(1));
    await audit.close();
    const said = disk.lines.map((line) => readLine(line)?.record).find((record) => record?.['type'] === 'lines-lost');
    assert.equal(said?.['lines'], lost);
    assert.deepEqual(verify(disk.lines).faults, []);
  });

  it('reports no line that a crash could take back, and where each process has continued', async () => {
    const [disk, clock] = [new FakeDisk(), new FakeClock()];
    const { audit } = startAudited({ disk, clock });
    const before = audit.sighting;
    assert.equal(before, undefined);
    await settled();
    const from = { seq: 0, number: 0, at: clock.now().toISOString() };
    assert.deepEqual(audit.sighting, { ...audit.end, from });
    const goOn = disk.hang();
    audit.record(note(1));
    await settled();
    assert.deepEqual([audit.end?.seq, audit.sighting.seq], [2, 1]);
    goOn();
    await settled();
    assert.deepEqual(audit.sighting, { ...audit.end, from });
    await audit.close();
    const next = startAudited({ disk, clock }).audit;
    await settled();
    assert.deepEqual(next.sighting?.from, { ...audit.end, at: clock.now().toISOString() });
    await next.close();
  });

  it('shows in its end that lines were cut off', async () => {
    const { audit, disk } = startAudited();
    await settled();
    for (let id = 1; id <= 5; id += 1) audit.record(note(id));
    const { head } = audit;
    await audit.close();
    const known = { seq: head?.seq ?? 0, number: numberOf(head ?? assert.fail()) };
    assert.deepEqual(verify(disk.lines, known).faults, []);
    assert.deepEqual(verify(disk.lines.slice(0, -1), known).faults[0]?.kind, 'cut');
  });
});
