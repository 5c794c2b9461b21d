// Incidents of others in which the watch itself died: each is a guarantee here.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createSecretVolume } from '../../src/testing/secret-volume.ts';
import { makeDirectory } from '../support/directories.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { describeMaterial } from '../support/fake-provider.ts';
import { Reloading } from '../support/reloading.ts';
import { Watching } from '../support/watching.ts';

const context = (keyId: string) => describeMaterial({ keyId });

/** Why a child may not run out of inotify; nothing when it may. */
function reasonNotToExhaust(): string | undefined {
  if (process.platform !== 'linux') return 'inotify is Linux’s';
  try {
    execFileSync('unshare', ['-Ur', 'test', '-w', '/proc/sys/user/max_inotify_watches'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'this process may not make a user namespace';
  }
}
const reason = reasonNotToExhaust();

describe('watches', () => {
  it(
    'watcher death, directory deleted and recreated: swapped within a poll, and watched again',
    { timeout: 300_000 },
    async (t) => {
      const directory = join(await makeDirectory(t), 'mount');
      await createSecretVolume(directory, context('0'));
      const clock = new FakeClock();
      const watching = new Watching(t, { paths: [directory], clock, pollMilliseconds: 10_000 });
      await watching.untilSignsWith('0');
      const failed = watching.recorder.next('source-failed');
      await rm(directory, { recursive: true });
      const time = setInterval(() => clock.advance(1000), 5);
      t.after(() => clearInterval(time));
      await failed;
      assert.equal(watching.signsWith, '0');
      const volume = await createSecretVolume(directory, context('1'));
      await watching.untilSignsWith('1');
      for (const id of ['2', '3']) await watching.change(() => volume.write(context(id)), id);
    },
  );

  it('watcher death, changes throw: the source is asked again and told of', async (t) => {
    const loop = new Reloading(t);
    await loop.load({ keyId: 'A' });
    await loop.step(() => loop.source.tick(new Error('the watch is gone')));
    loop.clock.advance(10_000);
    await loop.load({ keyId: 'B' });
    assert.equal(loop.signsWith, 'B');
  });

  for (const [code, file] of [
    ['ENOSPC', 'max_inotify_watches'],
    ['EMFILE', 'max_inotify_instances'],
  ] as const) {
    it(
      `inotify exhaustion (${code}): the poll goes on alone, says so once, and the watch returns`,
      { skip: reason ?? false, timeout: 300_000 },
      async (t) => {
        const directory = await makeDirectory(t);
        const child = join(import.meta.dirname, '../support/exhausted-child.ts');
        const limitFile = `/proc/sys/user/${file}`;
        const script = `read before < ${limitFile}; echo 0 > ${limitFile}; exec "$@" "$before"`;
        const command = ['-Ur', 'sh', '-c', script, 'sh', process.execPath, child, directory, limitFile];
        const output = execFileSync('unshare', command, { encoding: 'utf8', timeout: 240_000 });
        const { reasons, generation, restarted, byEvent } = JSON.parse(output) as Record<string, unknown>;
        assert.deepEqual(reasons, [code], 'told once, however many polls and directories failed');
        assert.deepEqual([generation, restarted, byEvent], [5, 1, true]);
      },
    );
  }
});
