// Standard output as a destination of lines: what cannot be written is dropped and counted, so that nothing waits for its reader.
import { fstatSync, write } from 'node:fs';
import type { Writable } from 'node:stream';
import { promisify } from 'node:util';
import { outputLane } from '../system/lanes.ts';
import { runForeign } from '../system/threads.ts';

export interface Output {
  write(line: string): void;
  /** Resolves when nothing waits to be written any more. */
  flush(): Promise<void>;
}

/** What may wait for a reader that is slow: some thousand lines. */
const maxWaitingBytes = 1024 * 1024;

/** `dropped` gets the number of lines that were lost, each time that some are. */
export type Dropped = (lines: number) => void;

/** As the file descriptor is: a pipe or socket is written without waiting, everything else in a thread of its own. */
export function openOutput(dropped: Dropped, stream: Writable & { readonly fd: number } = process.stdout): Output {
  const stats = statOf(stream.fd);
  if (stats?.isFIFO() === true || stats?.isSocket() === true) return new StreamOutput(stream, dropped);
  return new FileOutput(stream.fd, dropped);
}

function statOf(fd: number) {
  try {
    return fstatSync(fd);
  } catch {
    // It was closed before the start: every write fails, and is counted.
    return undefined;
  }
}

/** Node writes pipes and sockets without blocking, and keeps what does not fit yet. */
class StreamOutput implements Output {
  readonly #stream: Writable;
  readonly #dropped: Dropped;
  #isBroken = false;

  constructor(stream: Writable, dropped: Dropped) {
    this.#stream = stream;
    this.#dropped = dropped;
    stream.on('error', () => (this.#isBroken = true));
  }

  write(line: string): void {
    if (this.#isBroken || this.#stream.writableLength + line.length > maxWaitingBytes) this.#dropped(1);
    else
      this.#stream.write(line, (error) => {
        if (error) this.#dropped(1);
      });
  }

  flush(): Promise<void> {
    if (this.#isBroken) return Promise.resolve();
    return new Promise((resolve) => this.#stream.write('', () => resolve()));
  }
}

const writeOnce = promisify(write);

/** A file or device, which may be full and may hang: one write at a time, outside the event loop. */
class FileOutput implements Output {
  readonly #fd: number;
  readonly #dropped: Dropped;
  #waiting: string[] = [];
  #length = 0;
  #writing: Promise<void> | undefined;

  constructor(fd: number, dropped: Dropped) {
    this.#fd = fd;
    this.#dropped = dropped;
  }

  write(line: string): void {
    if (this.#length + line.length > maxWaitingBytes) {
      this.#dropped(1);
      return;
    }
    this.#waiting.push(line);
    this.#length += line.length;
    this.#writing ??= this.#writeAll().finally(() => (this.#writing = undefined));
  }

  async flush(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const lines = this.#waiting;
      this.#waiting = [];
      this.#length = 0;
      try {
        await this.#writeWhole(Buffer.from(lines.join('')));
      } catch {
        // Full, or gone: the next lines are tried again.
        this.#dropped(lines.length);
      }
    }
  }

  async #writeWhole(bytes: Buffer): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      const { bytesWritten } = await runForeign(outputLane, () =>
        writeOnce(this.#fd, bytes, at, bytes.length - at, null),
      );
      at += bytesWritten;
    }
  }
}
