// The volume changes as kubelet changes it, in steps that a test can stop between.
import assert from 'node:assert/strict';
import { lstat, mkdtemp, readdir, readFile, readlink, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import { createSecretVolume } from '../../src/testing/secret-volume.ts';
import type { Files } from '../../src/testing/secret-volume.ts';

const now = (): Date => new Date('2026-03-01T04:05:06.789Z');
const filesOf = (texts: Readonly<Record<string, string>>): Files =>
  new Map(Object.entries(texts).map(([name, text]) => [name, Buffer.from(text)]));

async function makeDirectory(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'paycert-volume-'));
  t.after(() => rm(directory, { recursive: true }));
  return directory;
}
const read = (directory: string, name: string): Promise<string> => readFile(join(directory, name), 'utf8');
const list = async (directory: string): Promise<string[]> => (await readdir(directory)).sort();

describe('a Secret volume', () => {
  it('links every visible name through ..data to a timestamped directory', async (t) => {
    const directory = join(await makeDirectory(t), 'new/mount');
    await createSecretVolume(directory, filesOf({ key: '1', 'platform/a.pem': 'a', 'platform/b/c.pem': 'c' }), { now });
    const data = await readlink(join(directory, '..data'));
    assert.match(data, /^\.\.2026_03_01_04_05_06\.\d{9}$/);
    assert.deepEqual(await list(directory), [data, '..data', 'key', 'platform'].sort());
    assert.equal(await readlink(join(directory, 'key')), '..data/key');
    assert.equal(await readlink(join(directory, 'platform')), '..data/platform');
    assert.equal(await read(directory, 'platform/b/c.pem'), 'c');
  });

  it('shows nothing new before publish and all of it after', async (t) => {
    const directory = await makeDirectory(t);
    const volume = await createSecretVolume(directory, filesOf({ cert: 'old', key: 'old' }), { now });
    const old = await readlink(join(directory, '..data'));

    const prepared = await volume.prepare(filesOf({ cert: 'new', extra: 'new' }));
    assert.equal(await read(directory, 'cert'), 'old');
    assert.equal(await read(join(directory, prepared.directory), 'cert'), 'new');
    assert.deepEqual(await list(directory), [old, prepared.directory, '..data', 'cert', 'key'].sort());

    await prepared.publish();
    assert.equal(await readlink(join(directory, '..data')), prepared.directory);
    assert.equal(await read(directory, 'extra'), 'new');
    // Until cleanup, a reader that resolved ..data earlier still reads a whole set, and a stale link dangles.
    assert.equal(await read(join(directory, old), 'key'), 'old');
    assert.ok((await lstat(join(directory, 'key'))).isSymbolicLink());
    await assert.rejects(read(directory, 'key'), { code: 'ENOENT' });

    await prepared.cleanup();
    assert.deepEqual(await list(directory), [prepared.directory, '..data', 'cert', 'extra'].sort());
  });

  it('keeps the link of a folder from which one file goes', async (t) => {
    const directory = await makeDirectory(t);
    const volume = await createSecretVolume(directory, filesOf({ 'platform/a': 'a', 'platform/b': 'b' }));
    await volume.write(filesOf({ 'platform/b': 'b' }));
    assert.deepEqual(await list(join(directory, 'platform')), ['b']);
  });

  it('writes nothing when the content is equal', async (t) => {
    const directory = await makeDirectory(t);
    const volume = await createSecretVolume(directory, filesOf({ key: '1', 'platform/a': 'a' }));
    const before = await list(directory);
    const prepared = await volume.prepare(filesOf({ 'platform/a': 'a', key: '1' }));
    assert.equal(prepared.changed, false);
    await prepared.publish();
    await prepared.cleanup();
    assert.deepEqual(await list(directory), before);
  });

  it('restores a missing link when the content is equal', async (t) => {
    const directory = await makeDirectory(t);
    const volume = await createSecretVolume(directory, filesOf({ key: '1' }));
    await rm(join(directory, 'key'));
    await volume.write(filesOf({ key: '1' }));
    assert.equal(await read(directory, 'key'), '1');
  });

  it('uses a new directory for every write, even within one instant', async (t) => {
    const directory = await makeDirectory(t);
    const volume = await createSecretVolume(directory, filesOf({ key: '0' }), { now });
    const writes = await Promise.all(['1', '2', '3', '4'].map((text) => volume.prepare(filesOf({ key: text }))));
    assert.equal(new Set(writes.map((write) => write.directory)).size, 4);
  });

  it('gives every file the mode asked for, whatever the umask', async (t) => {
    const directory = await makeDirectory(t);
    await createSecretVolume(directory, filesOf({ key: '1' }), { mode: 0o666 });
    assert.equal((await stat(join(directory, 'key'))).mode & 0o777, 0o666);
  });

  for (const name of ['', '/etc/key', '../key', 'a/../../key', '..data', 'x'.repeat(256)]) {
    it(`refuses the name ${JSON.stringify(name.slice(0, 12))}`, async (t) => {
      await assert.rejects(createSecretVolume(await makeDirectory(t), filesOf({ [name]: '1' })), RangeError);
    });
  }
});
