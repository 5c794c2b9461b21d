// Which mounts can never change: subPath mounts, found by what the kernel says of them.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { files } from '../../src/sources/files.ts';
import { areLocal, frozenMounts, hasRemoteInside, mountPointsOf, parseMounts } from '../../src/sources/mounts.ts';
import { makeDirectory } from '../support/directories.ts';
import { FakeClock } from '../support/fake-clock.ts';

const stamp = '/..2026_11_22_15_09_00.123456789';
const line = (root: string, point: string) => `43 27 0:39 ${root} ${point} rw,relatime - tmpfs tmpfs rw`;
const mounts = parseMounts(
  [
    '27 1 254:0 / / rw,relatime - ext4 /dev/vda rw',
    line('/', '/whole'),
    line(`${stamp}/key.pem`, '/app/key.pem'),
    line(`${stamp}/platform`, '/app/platform'),
    line(`${stamp}/a\\040b.pem//deleted`, '/app/a\\040b.pem'),
    line('/etc-hosts', '/etc/hosts'),
    line(`${stamp}/key.pem`, '/hidden'),
    line('/', '/hidden'),
  ].join('\n'),
);
const find = (path: string, isFile = false) => frozenMounts(mounts, [{ path, isFile }]);

describe('a frozen mount', () => {
  it('is a path that is mounted from inside a timestamped directory', () => {
    assert.deepEqual(find('/app/key.pem', true), ['/app/key.pem']);
    assert.deepEqual(find('/app/platform'), ['/app/platform']);
  });

  it('is found inside a directory that is read', () => {
    assert.deepEqual(find('/app').sort(), ['/app/a b.pem', '/app/key.pem', '/app/platform']);
  });

  it('is found around a path that is read', () => {
    assert.deepEqual(find('/app/platform/a.pem', true), ['/app/platform/a.pem']);
  });

  it('is any file that is a mount point by itself', () => {
    assert.deepEqual(find('/etc/hosts', true), ['/etc/hosts']);
  });

  it('is not a whole volume, what is beside it, or one that a later mount hides', () => {
    for (const path of ['/whole', '/whole/key.pem', '/elsewhere', '/apple', '/etc', '/hidden']) {
      assert.deepEqual(find(path), [], path);
    }
  });

  it('is none where there is no mountinfo', () => {
    assert.deepEqual(frozenMounts(parseMounts(''), [{ path: '/app', isFile: false }]), []);
  });
});

describe('the mount of a path', () => {
  it('is the innermost that it lies in, by name alone, and each is named once', () => {
    const points = (...paths: string[]) => mountPointsOf(mounts, paths);
    assert.deepEqual(points('/whole/key.pem', '/whole', '/whole/a/b'), ['/whole']);
    assert.deepEqual(points('/app/platform/a.pem', '/app/key.pem'), ['/app/key.pem', '/app/platform']);
    assert.deepEqual(points('/wholesale', '/elsewhere'), ['/']);
    assert.deepEqual(mountPointsOf(parseMounts(''), ['/app']), ['/']);
  });
});

describe('a directory', () => {
  const kinds = (...inside: readonly string[]) =>
    parseMounts(
      inside.map((kind, index) => `4${String(index)} 27 0:39 / /etc/a/b${String(index)} rw - ${kind} x rw`).join('\n'),
    );

  it('has something remote inside where anything but a disk or the kernel is mounted in it, at any depth', () => {
    for (const kind of ['nfs4', 'fuse.s3fs', '9p', 'cifs'])
      for (const directory of ['/', '/etc', '/etc/a']) assert.ok(hasRemoteInside(kinds('ext4', kind), directory), kind);
  });

  it('has none for disks, for memory, for what is mounted beside it, and for being a mount itself', () => {
    assert.ok(!hasRemoteInside(kinds('ext4', 'tmpfs', 'proc', 'overlay'), '/'));
    for (const directory of ['/etc/a/b0', '/etc/a/b', '/var']) assert.ok(!hasRemoteInside(kinds('nfs4'), directory));
  });
});

/** The program, when this process may mount; else why not. */
const mayMount = (): string | undefined => {
  if (process.platform !== 'linux') return 'mounts are Linux’s';
  try {
    execFileSync('unshare', ['--mount', 'true'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'this process may not mount (CAP_SYS_ADMIN)';
  }
};

describe('a real subPath mount', () => {
  const reason = mayMount();

  it('is detected from inside the directory that is read', { skip: reason ?? false }, async (t) => {
    const directory = await makeDirectory(t);
    const [volume, keys] = [join(directory, 'volume'), join(directory, 'my keys')];
    await mkdir(volume);
    await mkdir(keys);
    await writeFile(join(keys, 'key.pem'), '');
    const run = (...command: [string, ...string[]]) => execFileSync(command[0], command.slice(1));
    const target = join(keys, 'key.pem');
    run('mount', '-t', 'tmpfs', 'paycert-test', volume);
    try {
      await mkdir(join(volume, stamp));
      await writeFile(join(volume, stamp, 'key.pem'), 'k');
      run('mount', '--bind', join(volume, stamp, 'key.pem'), target);
      const observe = () => undefined;
      const source = files({ paths: [keys], pollMilliseconds: 10_000, clock: new FakeClock(), observe });
      const { frozenPaths, data } = await source.read(new AbortController().signal);
      assert.deepEqual([frozenPaths, data.get('key.pem')?.byteLength], [[target], 1]);
    } finally {
      // Before the directory goes; lazily, for what failed half-way.
      run('umount', '--recursive', '--lazy', target, volume);
    }
  });
});

describe('a file system', () => {
  const kinds = parseMounts(
    Object.entries({ '/': 'ext4', '/keys': 'tmpfs', '/far': 'nfs4', '/far/near': 'overlay', '/program': 'fuse.sshfs' })
      .map(([point, kind]) => `43 27 0:39 / ${point} rw - ${kind} none rw`)
      .join('\n'),
  );

  it('is of this machine where it waits for nothing but a disk: every path must be', () => {
    for (const path of ['/etc', '/keys/a', '/far/near/a']) assert.ok(areLocal(kinds, [path]), path);
    for (const path of ['/far', '/far/a', '/program/a']) assert.ok(!areLocal(kinds, ['/etc', path]), path);
    assert.ok(!areLocal(parseMounts(''), ['/etc']));
  });
});
