// The only place that reads files whose content others choose: without waiting for a writer, and no more than there is room for.
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { isBlank } from '../blank.ts';
import { filesLane, type Lane } from './lanes.ts';
import { runForeign } from './threads.ts';

/** A Secret holds at most 1 MiB; a few of them may be projected into one directory. */
export const maxFileBytes = 4 * 1024 * 1024;

export interface FileContent {
  readonly bytes: Buffer;
  /** When its inode changed last. */
  readonly changedAt: Date;
}

/** Why a path is not read, apart from what the system says. */
export class FileRefused extends Error {
  override readonly name = 'FileRefused';
  /** After the path: `is not a regular file`. */
  readonly reason: string;
  readonly isTooLarge: boolean;

  constructor(reason: string, isTooLarge: boolean) {
    super(reason);
    this.reason = reason;
    this.isTooLarge = isTooLarge;
  }
}

interface Room {
  /** Left over for all files that are read together; each takes its own from it. */
  bytes: number;
}

/** A pipe would wait for its writer, in a thread of the pool, for ever; a terminal would become this process's own. */
const openFlags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

/**
 * A whole regular file, through one descriptor.
 * @throws FileRefused for what is not a regular file (a directory, a pipe, a device), and for one that there is no room for,
 * however large the system says it is: under `/proc` a file has no size and may have no end
 * @throws what the system says
 */
export function readBounded(
  path: string | Buffer,
  room: Room = { bytes: maxFileBytes },
  lane: Lane = filesLane,
): Promise<FileContent> {
  return runForeign(lane, async () => {
    const file = await open(path, openFlags).catch((error: unknown) => {
      // A socket; or a device without hardware.
      if (isSystemCode(error, 'ENXIO', 'ENODEV')) throw notRegular();
      throw error;
    });
    try {
      const stats = await file.stat();
      if (!stats.isFile()) throw notRegular();
      if (stats.size > room.bytes) throw tooLarge();
      const bytes = await readToEnd(file, stats.size, room);
      return { bytes, changedAt: stats.ctime };
    } finally {
      await file.close();
    }
  });
}

/**
 * A file that must say something. What is written in two steps is empty for a moment; and nothing, where a server or an option is given it,
 * may mean something else than the file does. `called`: what the refusal says is not there.
 * @throws as `readBounded`; FileRefused
 */
export async function readFilled(path: string, called: string): Promise<Buffer> {
  const { bytes } = await readBounded(path);
  if (isBlank(bytes)) throw new FileRefused(`is empty: it holds no ${called}`, false);
  return bytes;
}

const notRegular = () => new FileRefused('is not a regular file', false);
const tooLarge = () => new FileRefused('is larger than it may be', true);

/** Enough to see the end of most files in the call that reads them. */
const spareBytes = 4096;

async function readToEnd(file: FileHandle, expected: number, room: Room): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (let length = expected + spareBytes; ; length = spareBytes * 16) {
    const chunk = Buffer.alloc(length);
    const { bytesRead } = await file.read(chunk, 0, length, null);
    room.bytes -= bytesRead;
    if (room.bytes < 0) throw tooLarge();
    chunks.push(chunk.subarray(0, bytesRead));
    // A file that grows, and one under /proc, holds more than the system says.
    if (bytesRead === 0 || (chunks.length === 1 && bytesRead === expected)) return Buffer.concat(chunks);
  }
}

const isSystemCode = (error: unknown, ...codes: readonly string[]): boolean =>
  error instanceof Error && codes.includes((error as NodeJS.ErrnoException).code ?? '');

/** Why a file could not be read, to stand after its path. Not the system's message, which may quote more than the path. */
export function whyUnreadable(error: unknown): string {
  if (error instanceof FileRefused) return error.reason;
  return `cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`;
}
