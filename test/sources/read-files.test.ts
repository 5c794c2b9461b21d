// Reading: everything as of one instant, or an error that names the path.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, readFile, readlink, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { PaycertError } from '../../src/errors.ts';
import { currentMounts, memoryMountOf } from '../../src/sources/mounts.ts';
import { readPaths } from '../../src/sources/read-files.ts';
import { readMemory } from '../../src/sources/read-memory.ts';
import { maxFileBytes } from '../../src/system/read-bounded.ts';
import { filesLane } from '../../src/system/lanes.ts';
import { runForeign } from '../../src/system/threads.ts';
import { createSecretVolume } from '../../src/testing/secret-volume.ts';
import { filesOf, makeDirectory, makeMemoryDirectory, textsOf } from '../support/directories.ts';

/** As `files` does: what is in memory is read at once. */
const access = (paths: readonly string[]) => {
  const mounts = paths.flatMap((path) => {
    const mount = memoryMountOf(currentMounts(), path);
    return mount === undefined ? [] : [[path, mount] as const];
  });
  return { lane: filesLane, memory: new Map(mounts) };
};
const read = async (...paths: string[]) => textsOf((await readPaths(paths, access(paths))).data);

const places = { 'on a disk': makeDirectory, 'in memory': makeMemoryDirectory };

for (const [place, makeDirectory] of Object.entries(places))
  describe(`a mounted Secret ${place}`, () => {
    it('is read through ..data: names that are not published yet or no more are not there', async (t) => {
      const directory = await makeDirectory(t);
      const volume = await createSecretVolume(directory, filesOf({ key: '1', 'platform/a.pem': 'a' }));
      const prepared = await volume.prepare(filesOf({ key: '2', extra: 'x' }));
      assert.deepEqual(await read(directory), { key: '1', 'platform/a.pem': 'a' });
      await prepared.publish();
      assert.deepEqual(await read(directory), { extra: 'x', key: '2' });
      await prepared.cleanup();
      assert.deepEqual(await read(directory), { extra: 'x', key: '2' });
    });

    it('is atomic, and says when it was swapped', async (t) => {
      const directory = await makeDirectory(t);
      await createSecretVolume(directory, filesOf({ key: '1' }));
      const { isAtomic, changedAt } = await readPaths([directory], access([directory]));
      assert.equal(isAtomic, true);
      assert.ok(changedAt !== undefined && Math.abs(Date.now() - changedAt.getTime()) < 60_000);
    });

    it('never shows a mixture, however fast it is swapped', async (t) => {
      const directory = await makeDirectory(t);
      const version = (i: number) => filesOf(Object.fromEntries(['a', 'b', 'c', 'd'].map((n) => [n, String(i)])));
      const volume = await createSecretVolume(directory, version(0));
      const writer = { isBusy: true };
      const swaps = (async () => {
        for (let i = 1; i <= 200; i += 1) await volume.write(version(i));
        writer.isBusy = false;
      })();
      let last = 0;
      // Single files of one Secret too: whoever lists them means one set.
      const single = ['a', 'b', 'c', 'd'].map((name) => join(directory, name));
      for (let i = 0; writer.isBusy; i += 1) {
        const texts = await read(...(i % 2 === 0 ? [directory] : single)).catch((error: unknown) => {
          assert.ok(error instanceof PaycertError && error.kind === 'source');
          return undefined;
        });
        if (texts === undefined) continue;
        const versions = new Set(Object.values(texts));
        assert.deepEqual([Object.keys(texts).length, versions.size], [4, 1]);
        assert.ok(Number([...versions][0]) >= last);
        last = Number([...versions][0]);
      }
      await swaps;
    });
  });

describe('a Secret in memory', () => {
  const secret = async (t: TestContext) => {
    const directory = await makeMemoryDirectory(t);
    const volume = await createSecretVolume(directory, filesOf({ key: '1', 'platform/a.pem': 'a' }));
    return { directory, volume, mount: memoryMountOf(currentMounts(), directory) ?? '' };
  };
  const found = (reading: ReturnType<typeof readMemory>) => reading && textsOf(reading.data);

  it('is read without a thread, while every thread that files may have is held', async (t) => {
    const { directory } = await secret(t);
    const { promise: never, resolve } = Promise.withResolvers<undefined>();
    t.after(() => resolve(undefined));
    for (let held = 0; held < filesLane.most; held++) void runForeign(filesLane, () => never);
    assert.deepEqual(await read(directory), { key: '1', 'platform/a.pem': 'a' });
    resolve(undefined);
  });

  it('is left to the reader of disks where a link may lead out of memory, or where it holds what is no file', async (t) => {
    const elsewhere = await makeDirectory(t);
    await writeFile(join(elsewhere, 'key'), 'x');
    const odd: Record<string, (directory: string, root: string) => Promise<unknown>> = {
      'a link to a file': (_, root) => symlink(join(elsewhere, 'key'), join(root, 'link')),
      'a link to a directory': (_, root) => symlink(elsewhere, join(root, 'link')),
      'a link in a directory': (_, root) => symlink(join(elsewhere, 'key'), join(root, 'platform/link')),
      'a pipe': async (_, root) => execFileSync('mkfifo', [join(root, 'pipe')]),
      'a deeper directory': (_, root) => mkdir(join(root, 'platform/deeper')),
      'a file beyond the limit': async (_, root) => {
        await writeFile(join(root, 'large'), '');
        await truncate(join(root, 'large'), maxFileBytes + 1);
      },
      '..data leads elsewhere': async (directory) => {
        await rm(join(directory, '..data'));
        await symlink(elsewhere, join(directory, '..data'));
      },
      '..data is a directory': async (directory) => {
        await rm(join(directory, '..data'));
        await mkdir(join(directory, '..data'));
      },
      'no ..data': (directory) => rm(join(directory, '..data')),
    };
    for (const [what, make] of Object.entries(odd)) {
      const { directory, mount } = await secret(t);
      assert.deepEqual(found(readMemory(directory, mount)), { key: '1', 'platform/a.pem': 'a' });
      await make(directory, join(directory, await readlink(join(directory, '..data'))));
      assert.equal(readMemory(directory, mount), undefined, what);
    }
    const { directory, mount } = await secret(t);
    await symlink(directory, `${directory}-link`);
    t.after(() => rm(`${directory}-link`));
    assert.equal(readMemory(`${directory}-link`, mount), undefined, 'a link on the way');
  });
});

describe('a plain directory', () => {
  it('is read with its direct subdirectories, without names that start with a dot', async (t) => {
    const directory = await makeDirectory(t);
    for (const path of ['platform/.cache', 'retired', '.git']) await mkdir(join(directory, path), { recursive: true });
    for (const path of ['key', 'platform/a', 'platform/.b', 'platform/.cache/x', 'retired/r', '.git/c', '.hidden'])
      await writeFile(join(directory, path), path);
    assert.deepEqual(Object.keys(await read(directory)), ['key', 'platform/a', 'retired/r']);
    assert.equal((await readPaths([directory])).isAtomic, false);
  });

  it('may hold links to files and directories elsewhere', async (t) => {
    const [directory, elsewhere] = [await makeDirectory(t), await makeDirectory(t)];
    await writeFile(join(elsewhere, 'a'), '1');
    await symlink(elsewhere, join(directory, 'platform'));
    await symlink(join(elsewhere, 'a'), join(directory, 'key'));
    assert.deepEqual(await read(directory), { key: '1', 'platform/a': '1' });
  });

  it('may be empty', async (t) => {
    assert.deepEqual(await read(await makeDirectory(t)), {});
  });

  it('may hold what is no file: a pipe, a socket, a directory deeper down', { timeout: 300_000 }, async (t) => {
    const directory = await makeDirectory(t);
    await mkdir(join(directory, 'platform/deeper'), { recursive: true });
    execFileSync('mkfifo', [join(directory, 'pipe')]);
    const server = createServer().listen(join(directory, 'socket'));
    t.after(() => server.close());
    await new Promise((resolve) => server.once('listening', resolve));
    await writeFile(join(directory, 'key'), '1');
    assert.deepEqual(await read(directory), { key: '1' });
  });

  it('is read again when a file is renamed away between listing and opening', async (t) => {
    const directory = await makeDirectory(t);
    await writeFile(join(directory, 'key'), '0');
    const writer = { isBusy: true };
    const writes = (async () => {
      for (let i = 1; i <= 300; i += 1) {
        await writeFile(join(directory, 'key.new'), String(i));
        await rename(join(directory, 'key.new'), join(directory, 'key'));
      }
      writer.isBusy = false;
    })();
    while (writer.isBusy) {
      const texts = await read(directory).catch((error: unknown) => {
        assert.ok(error instanceof PaycertError && error.kind === 'source');
        return { key: '' };
      });
      assert.ok('key' in texts);
    }
    await writes;
  });

  it('is refused with the name of the link that leads nowhere', async (t) => {
    const directory = await makeDirectory(t);
    await symlink('/nowhere', join(directory, 'key'));
    await assert.rejects(readPaths([directory]), { code: 'source-unreadable', message: /\/key cannot.*ENOENT/ });
  });
});

describe('a path', () => {
  it('is one file, under its base name', async (t) => {
    const directory = await makeDirectory(t);
    await writeFile(join(directory, 'key'), '1');
    assert.deepEqual(await read(join(directory, 'key')), { key: '1' });
  });

  it('is read to its end when it is longer than the system said', async () => {
    // Of size 0, as everything under /proc.
    assert.deepEqual(await read('/proc/version'), { version: await readFile('/proc/version', 'utf8') });
  });

  it('is refused when it is missing, a pipe or too large, by its name', { timeout: 300_000 }, async (t) => {
    const directory = await makeDirectory(t);
    const missing = join(directory, 'missing');
    await assert.rejects(readPaths([missing]), { code: 'source-unreadable', field: missing, message: /ENOENT/ });
    const pipe = join(directory, 'pipe');
    execFileSync('mkfifo', [pipe]);
    await assert.rejects(readPaths([pipe]), { code: 'source-unreadable', field: pipe });
    await rm(pipe);
    const large = join(directory, 'large');
    await writeFile(large, '');
    await truncate(large, 4 * 1024 * 1024 + 1);
    for (const path of [large, directory]) {
      await assert.rejects(readPaths([path]), { code: 'source-too-large', field: path });
    }
    await truncate(large, 3 * 1024 * 1024);
    await writeFile(join(directory, 'second'), '');
    await truncate(join(directory, 'second'), 2 * 1024 * 1024);
    await assert.rejects(readPaths([directory]), { code: 'source-too-large', field: directory });
  });

  it('may be given several times over, as long as the contents agree', async (t) => {
    const [a, b] = [await makeDirectory(t), await makeDirectory(t)];
    await writeFile(join(a, 'key'), '1');
    await writeFile(join(b, 'cert'), '2');
    assert.deepEqual(await read(a, b, join(a, 'key')), { cert: '2', key: '1' });
    await writeFile(join(b, 'key'), 'other');
    await assert.rejects(readPaths([a, b]), { code: 'source-conflict', field: 'key' });
  });
});
