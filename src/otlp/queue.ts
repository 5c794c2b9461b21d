// Items that wait for a collector, bounded in number and in bytes; and those who wait until theirs are taken.

const mostItems = 2048;
const mostBytes = 4 * 1024 * 1024;

interface Waiter {
  /** Of all items ever, the last that it waits for. */
  readonly last: number;
  readonly resolve: () => void;
  readonly reject: (why: Error) => void;
}

export class Queue {
  #items: string[] = [];
  #bytes = 0;
  /** How many have left it. */
  #gone = 0;
  #waiters: Waiter[] = [];

  get size(): number {
    return this.#items.length;
  }

  get hasRoom(): boolean {
    return this.#items.length < mostItems && this.#bytes < mostBytes;
  }

  get isAwaited(): boolean {
    return this.#waiters.length > 0;
  }

  add(item: string): void {
    this.#items.push(item);
    this.#bytes += item.length;
  }

  /** They stay until they are removed. */
  first(most: number): readonly string[] {
    return this.#items.slice(0, most);
  }

  /** The first so many have been taken; with `why`, they are lost. */
  remove(count: number, why?: Error): void {
    for (const item of this.#items.splice(0, count)) this.#bytes -= item.length;
    this.#gone += count;
    const ended = this.#waiters.filter(({ last }) => last <= this.#gone);
    this.#waiters = this.#waiters.filter(({ last }) => last > this.#gone);
    for (const { resolve, reject } of ended) {
      if (why === undefined) resolve();
      else reject(why);
    }
  }

  /** Nobody waits any more; the items stay. */
  refuse(why: Error): void {
    for (const { reject } of this.#waiters.splice(0)) reject(why);
  }

  /** When every item until now is taken. @throws what it was refused or removed with */
  taken(): Promise<void> {
    const last = this.#gone + this.#items.length;
    if (this.#items.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => this.#waiters.push({ last, resolve, reject }));
  }
}
