// The directory of an audit. A disk may be full and may hang, so whatever waits for it has a thread of its own.
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { auditLane } from '../system/lanes.ts';
import { runForeign } from '../system/threads.ts';

export interface Listed {
  readonly name: string;
  readonly bytes: number;
}

export interface AppendedFile {
  /** How many of the bytes were written. */
  write(bytes: Buffer): Promise<number>;
  /** They outlive the machine. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** Rejects with what the system says. */
export interface Disk {
  list(): Promise<readonly Listed[]>;
  /** The last bytes of a file. */
  readEnd(name: string, most: number): Promise<Buffer>;
  /** Made, if it is not there. */
  append(name: string): Promise<AppendedFile>;
  remove(name: string): Promise<void>;
}

/** Others read it who are given the group: what ships logs. */
const [directoryMode, fileMode] = [0o750, 0o640];

/** A pipe that somebody has put there is waited for by nobody. */
const safely = constants.O_NONBLOCK | constants.O_NOCTTY;
const forReading = constants.O_RDONLY | safely;
const forAppending = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | safely;

export class DirectoryDisk implements Disk {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  list(): Promise<readonly Listed[]> {
    return runForeign(auditLane, async () => {
      await mkdir(this.#directory, { recursive: true, mode: directoryMode });
      const listed: Listed[] = [];
      for (const name of await readdir(this.#directory))
        listed.push({ name, bytes: (await stat(join(this.#directory, name))).size });
      return listed;
    });
  }

  readEnd(name: string, most: number): Promise<Buffer> {
    return runForeign(auditLane, async () => {
      const file = await open(join(this.#directory, name), forReading);
      try {
        const { size } = await file.stat();
        const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.min(size, most)), { position: Math.max(size - most, 0) }); // prettier-ignore
        return buffer.subarray(0, bytesRead);
      } finally {
        await file.close();
      }
    });
  }

  async append(name: string): Promise<AppendedFile> {
    const file = await runForeign(auditLane, () => open(join(this.#directory, name), forAppending, fileMode));
    return new Appended(file);
  }

  remove(name: string): Promise<void> {
    return runForeign(auditLane, () => unlink(join(this.#directory, name)));
  }
}

class Appended implements AppendedFile {
  readonly #file: FileHandle;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  async write(bytes: Buffer): Promise<number> {
    const { bytesWritten } = await runForeign(auditLane, () => this.#file.write(bytes));
    return bytesWritten;
  }

  sync(): Promise<void> {
    return runForeign(auditLane, () => this.#file.datasync());
  }

  close(): Promise<void> {
    return runForeign(auditLane, () => this.#file.close());
  }
}
