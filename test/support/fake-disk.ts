// A disk in memory that can be full, refuse or hang when a test says so; its files outlive the process that writes them.
import type { AppendedFile, Disk, Listed } from '../../src/audit/disk.ts';

export class FakeDisk implements Disk {
  readonly files = new Map<string, string>();
  readonly synced: string[] = [];
  /** Bytes that it still takes. */
  room = Infinity;
  #hanging: Promise<undefined> | undefined;
  #writes = 0;

  /** No write ends until the function that it returns is called. */
  hang(): () => void {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.#hanging = promise;
    return () => {
      this.#hanging = undefined;
      resolve(undefined);
    };
  }

  get writes(): number {
    return this.#writes;
  }

  /** Every line, file by file. */
  get lines(): readonly string[] {
    return [...this.files]
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .flatMap(([, text]) => text.split('\n').slice(0, -1));
  }

  async list(): Promise<readonly Listed[]> {
    await this.#hanging;
    return [...this.files].map(([name, text]) => ({ name, bytes: text.length }));
  }

  async readEnd(name: string, most: number): Promise<Buffer> {
    return Buffer.from((this.files.get(name) ?? '').slice(-most));
  }

  async append(name: string): Promise<AppendedFile> {
    this.files.set(name, this.files.get(name) ?? '');
    return {
      write: async (bytes) => {
        this.#writes += 1;
        await this.#hanging;
        const taken = bytes.subarray(0, this.room);
        if (taken.length === 0) throw Object.assign(new Error('full'), { code: 'ENOSPC' });
        this.room -= taken.length;
        this.files.set(name, `${this.files.get(name) ?? ''}${taken.toString()}`);
        return taken.length;
      },
      sync: async () => void this.synced.push(name),
      close: async () => undefined,
    };
  }

  async remove(name: string): Promise<void> {
    this.files.delete(name);
  }
}
