// Incidents of others in which a rotation was not seen: each is a guarantee here.
import assert from 'node:assert/strict';
import { stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createSecretVolume } from '../../src/testing/secret-volume.ts';
import { makeDirectory } from '../support/directories.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { describeMaterial } from '../support/fake-provider.ts';
import { Reloading } from '../support/reloading.ts';
import { Watching } from '../support/watching.ts';

const limit = { timeout: 300_000 };
const context = (keyId: string) => describeMaterial({ keyId });

describe('rotations', () => {
  it('second rotation missed (istio#59912): every rotation after the first is seen too', limit, async (t) => {
    const directory = await makeDirectory(t);
    const volume = await createSecretVolume(directory, context('0'));
    const watching = new Watching(t, { paths: [directory] });
    await watching.untilSignsWith('0');
    for (let i = 1; i <= 10; i += 1) await watching.change(() => volume.write(context(String(i))), String(i));
    assert.equal(watching.current.generation, 11);
  });

  it('single missed event (linkerd2#15109): one poll repairs it, and says that it did', async (t) => {
    const loop = new Reloading(t);
    await loop.load({ keyId: 'A' });
    loop.source.content = context('B');
    await loop.step(() => loop.source.tick('poll'));
    assert.equal(loop.signsWith, 'B');
    assert.equal(loop.recorder.of('found-by-poll').length, 1);
  });

  it('many missed events: one poll finds the last state, whatever happened between', async (t) => {
    const loop = new Reloading(t);
    await loop.load({ keyId: 'A' });
    for (let i = 0; i < 100; i += 1) loop.source.content = context(String(i));
    await loop.step(() => loop.source.tick('poll'));
    assert.equal(loop.signsWith, '99');
    assert.equal(loop.current.generation, 2);
  });

  it('missed events: an hour without a tick is one read, even when the source never ticks again', async (t) => {
    const loop = new Reloading(t);
    await loop.load({ keyId: 'A' });
    loop.source.content = context('B');
    await loop.step(() => loop.clock.advance(3_600_000));
    assert.equal(loop.signsWith, 'B');
  });

  it('mtime unchanged (csi-driver#264): contents count, not times', limit, async (t) => {
    const directory = await makeDirectory(t);
    const file = join(directory, 'context');
    await writeFile(file, '{"keyId":"A"}');
    const { atime, mtime } = await stat(file);
    const clock = new FakeClock();
    const watching = new Watching(t, { paths: [directory], clock, pollMilliseconds: 1000 });
    await watching.untilSignsWith('A');
    await writeFile(file, '{"keyId":"B"}');
    await utimes(file, atime, mtime);
    const time = setInterval(() => clock.advance(1000), 5);
    t.after(() => clearInterval(time));
    await watching.untilSignsWith('B');
    assert.deepEqual((await stat(file)).mtime, mtime);
  });
});
