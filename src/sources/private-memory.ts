// A directory in memory that is this process's own, and files in it that nobody else reads or writes.
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { currentMounts, fileSystemAt } from './mounts.ts';

/** Why a directory or a file is not used, to stand after what it is. */
export class NotPrivate extends Error {
  override readonly name = 'NotPrivate';
}

const others = 0o077;
const readFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const createFlags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/**
 * Makes the directory, where it is not there. Everything here is done at once, in the event loop: it is in memory, so that nothing is
 * waited for, and takes no thread that signs.
 * @throws NotPrivate
 */
export function openPrivateDirectory(path: string): void {
  // By what the kernel says, before anything is touched: a disk would keep keys, and might hang.
  const kind = fileSystemAt(currentMounts(), path);
  if (kind !== 'tmpfs') throw new NotPrivate(`is not in memory: it is on ${kind ?? 'an unknown file system'}`);
  explained(() => {
    const parent = dirname(path);
    const real = realpathSync(parent);
    if (real !== parent) throw new NotPrivate(`is behind a symbolic link: say ${real} in place of ${parent}`);
    mkdirSync(path, { mode: 0o700, recursive: true });
    const stats = lstatSync(path);
    if (!stats.isDirectory()) throw new NotPrivate('is not a directory');
    assertOwn(stats, 'name a new directory inside');
  });
}

/**
 * A whole file of ours, no larger than that.
 * @throws NotPrivate
 */
export function readPrivateFile(path: string, maxBytes: number): Buffer {
  return explained(() => {
    const file = openSync(path, readFlags);
    try {
      const stats = fstatSync(file);
      if (!stats.isFile()) throw new NotPrivate('is not a regular file');
      assertOwn(stats, 'it was not written here');
      if (stats.size > maxBytes) throw new NotPrivate(`is larger than ${String(maxBytes)} bytes`);
      return readFileSync(file);
    } finally {
      closeSync(file);
    }
  });
}

/**
 * Written beside, under a name with a dot, and renamed: a file is there whole or not at all. Read-only from the moment it exists.
 * @throws NotPrivate
 */
export function replacePrivateFile(directory: string, name: string, bytes: Uint8Array): void {
  const beside = join(directory, `.${name}`);
  explained(() => {
    try {
      rmSync(beside, { force: true });
      const file = openSync(beside, createFlags, 0o400);
      try {
        writeFileSync(file, bytes);
      } finally {
        closeSync(file);
      }
      renameSync(beside, join(directory, name));
    } finally {
      rmSync(beside, { force: true });
    }
  });
}

interface Owned {
  readonly uid: number;
  readonly mode: number;
}

function assertOwn({ uid, mode }: Owned, remedy: string): void {
  if (uid !== process.getuid?.()) throw new NotPrivate(`is owned by uid ${String(uid)}: ${remedy}`);
  if ((mode & others) !== 0)
    throw new NotPrivate(`is open to other users (mode 0${(mode & 0o777).toString(8)}): ${remedy}`);
}

function explained<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (error instanceof NotPrivate || code === undefined) throw error;
    throw new NotPrivate(`cannot be used (${code})`);
  }
}
