// Reading files as of one instant: a mounted Secret through its `..data`, a plain directory twice.
import { lstat, readlink, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { PaycertError } from '../errors.ts';
import { mergeData } from './merge.ts';
import { filesLane, type Lane } from '../system/lanes.ts';
import { runForeign } from '../system/threads.ts';
import { readMemory } from './read-memory.ts';
import { isCode, isSystemError, readFile, readTree } from './read-tree.ts';

const attempts = 20;

export interface Reading {
  readonly data: Map<string, Uint8Array>;
  /** Written by swapping a directory: what was read is whole, and needs no settling. */
  readonly isAtomic: boolean;
  readonly changedAt?: Date;
}

/** How to read. */
export interface Access {
  /** For what is not in memory. */
  readonly lane: Lane;
  /** Where the mount begins of each path that is in memory. */
  readonly memory?: ReadonlyMap<string, string>;
}

/**
 * What the paths hold together, as of one instant: the files of a directory by relative name, one file by its base name.
 * One swapped directory is whole as it is. Of everything else two reads must agree, and of several paths too: the second
 * read of the first began after the first read of the last had ended, and nothing had changed between.
 */
export async function readPaths(paths: readonly string[], access: Access = { lane: filesLane }): Promise<Reading> {
  let before: Reading | undefined;
  let vanished: PaycertError | undefined;
  for (let attempt = 0; attempt < attempts; attempt++) {
    try {
      const reading = await readOnce(paths, access);
      const isWhole = reading.isAtomic && paths.length === 1;
      if (isWhole || (before !== undefined && isEqual(before.data, reading.data))) return reading;
      before = reading;
    } catch (error) {
      // Listed, and gone when it was opened: the writer was between two steps.
      if (!(error instanceof Vanished)) throw error;
      vanished = error.reason;
    }
  }
  const [field = ''] = paths;
  throw vanished ?? new PaycertError('source-unstable', `${field} changed during each of ${attempts} reads`, { field });
}

async function readOnce(paths: readonly string[], access: Access): Promise<Reading> {
  const readings = await Promise.all(paths.map((path) => readPath(path, access)));
  const changes = readings.flatMap(({ changedAt }) => (changedAt ? [changedAt.getTime()] : []));
  return {
    data: mergeData(readings.map(({ data }) => data)),
    isAtomic: readings.every(({ isAtomic }) => isAtomic),
    ...(changes.length > 0 && { changedAt: new Date(Math.max(...changes)) }),
  };
}

class Vanished extends Error {
  readonly reason: PaycertError;

  constructor(reason: PaycertError) {
    super(reason.message);
    this.reason = reason;
  }
}

async function readPath(path: string, { lane, memory }: Access): Promise<Reading> {
  const mount = memory?.get(path);
  const whole = mount === undefined ? undefined : readMemory(path, mount);
  if (whole !== undefined) return { ...whole, isAtomic: true };
  let isThere = false;
  try {
    const [stats, pinned] = await Promise.all([runForeign(lane, () => stat(path)), dataLink(path, lane)]);
    isThere = true;
    return await (stats.isDirectory() ? readDirectory(path, pinned, lane) : readOne(path, lane));
  } catch (error) {
    if (!isSystemError(error)) throw error;
    const unreadable = new PaycertError('source-unreadable', `${error.path ?? path} cannot be read (${error.code})`, {
      field: path,
    });
    throw isThere && error.code === 'ENOENT' ? new Vanished(unreadable) : unreadable;
  }
}

async function readOne(path: string, lane: Lane): Promise<Reading> {
  const { bytes, changedAt } = await readFile(path, { lane });
  if (bytes === undefined) throw new PaycertError('source-unreadable', `${path} is not a file`, { field: path });
  return { data: new Map([[basename(path), bytes]]), isAtomic: false, changedAt };
}

async function readDirectory(path: string, link: DataLink | undefined, lane: Lane): Promise<Reading> {
  let pinned = link;
  for (let attempt = 0; attempt < attempts; attempt++) {
    if (pinned === undefined) return { ...(await readTree(path, lane)), isAtomic: false };
    const { target, changedAt } = pinned;
    // Swapped away while it was read, so that there is a newer one: gone, or the link leads elsewhere.
    const tree = await readTree(resolve(path, target), lane).catch((error: unknown) => {
      if (!isCode(error, 'ENOENT')) throw error;
      return undefined;
    });
    pinned = await dataLink(path, lane);
    if (tree !== undefined && pinned?.target === target) return { data: tree.data, isAtomic: true, changedAt };
  }
  throw new PaycertError('source-unstable', `${path} was swapped during each of ${attempts} reads`, { field: path });
}

interface DataLink {
  readonly target: string;
  /** That of the rename: the writer of the files cannot set it. */
  readonly changedAt: Date;
}

/** Where `..data` points; nothing in what is no directory, or none that is swapped. */
async function dataLink(path: string, lane: Lane): Promise<DataLink | undefined> {
  const link = join(path, '..data');
  try {
    return await runForeign(lane, async () => {
      const target = await readlink(link);
      return { target, changedAt: (await lstat(link)).ctime };
    });
  } catch (error) {
    if (isCode(error, 'ENOENT', 'ENOTDIR', 'EINVAL')) return undefined;
    throw error;
  }
}

function isEqual(a: ReadonlyMap<string, Uint8Array>, b: ReadonlyMap<string, Uint8Array>): boolean {
  return (
    a.size === b.size &&
    [...a].every(([name, bytes]) => Buffer.compare(bytes, b.get(name) ?? Buffer.of(0)) === 0 && b.has(name))
  );
}
