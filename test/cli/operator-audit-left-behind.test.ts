// The operator's own audit on a volume that Pods share: what those that are gone have left goes in time, by a line of its chain.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { nameOf } from '../../src/audit/files.ts';
import { startOperatorAudit } from '../../src/cli/operator-audit.ts';
import { type Clock, systemClock } from '../../src/clock.ts';

it(
  'the audit of an operator removes the directory of a Pod that is gone, and says so',
  { timeout: 900_000 },
  async (t) => {
    const directory = await mkdtemp(join(tmpdir(), 'paycert-claim-'));
    t.after(() => rm(directory, { recursive: true }));
    const old = new Date(Date.now() - 40 * 86_400_000);
    await mkdir(join(directory, 'operator-a'));
    await writeFile(join(directory, 'operator-a', nameOf(1, old)), '');
    for (const path of [join('operator-a', nameOf(1, old)), 'operator-a'])
      await utimes(join(directory, path), old, old);
    const end = new AbortController();
    let days = 0;
    // A day is over as soon as what it brings is written; all else takes its time.
    const sleep: Clock['sleep'] = async (milliseconds, signal) => {
      if (milliseconds < 86_400_000) return systemClock.sleep(milliseconds, signal);
      await started.audit.written().catch(() => undefined);
      days += 1;
      if (days > 20 && !(await readdir(directory)).includes('operator-a')) end.abort();
      return systemClock.sleep(1, signal);
    };
    const started = await startOperatorAudit({
      ...{ keyFile: undefined, stdout: false, otlp: false, volume: { directory, retention: '30d' } },
      ...{ clock: { ...systemClock, sleep }, observe: () => undefined, version: '0', identity: 'operator/b' },
      ...{ environment: {}, print: () => undefined },
    });
    const [task] = started.tasks;
    await task!(end.signal);
    await started.audit.close();
    assert.deepEqual(await readdir(directory), ['operator%2Fb']);
    const [file = ''] = await readdir(join(directory, 'operator%2Fb'));
    const lines = (await readFile(join(directory, 'operator%2Fb', file), 'utf8')).trimEnd().split('\n');
    const [, removed] = lines.map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
    assert.deepEqual([removed?.['type'], removed?.['directory'], removed?.['files']], ['removed', 'operator-a', 1]);
  },
);
