// A source whose contents and ticks the test decides.
import { PaycertError } from '../../src/errors.ts';
import { type Material, material, type Source, type Tick } from '../../src/sources/source.ts';

export class FakeSource implements Source {
  readonly name: string;
  content: ReadonlyMap<string, Uint8Array> = new Map();
  about: Omit<Material, 'revision' | 'data'> = {};
  /** Thrown by the next reads, until it is removed. */
  failure: unknown;
  /** Awaited by each read. */
  gate: Promise<void> = Promise.resolve();
  reads = 0;
  watching = 0;
  #ticks: (Tick | Error | 'end')[] = [];
  #wake: () => void = () => undefined;

  constructor(name = 'fake') {
    this.name = name;
  }

  async read(): Promise<Material> {
    this.reads += 1;
    await this.gate;
    if (this.failure !== undefined) throw this.failure as Error;
    return material(this.content, this.about);
  }

  /** One tick; an error makes `changes` throw, `end` ends it. */
  tick(tick: Tick | Error | 'end' = 'event'): void {
    this.#ticks.push(tick);
    this.#wake();
  }

  async *changes(signal: AbortSignal): AsyncGenerator<Tick, void, undefined> {
    this.watching += 1;
    const wake = () => this.#wake();
    signal.addEventListener('abort', wake);
    try {
      while (!signal.aborted) {
        const tick = this.#ticks.shift();
        if (tick === 'end') return;
        if (tick instanceof Error) throw tick;
        if (tick !== undefined) yield tick;
        else await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    } finally {
      signal.removeEventListener('abort', wake);
      this.watching -= 1;
    }
  }
}

export const unreadable = (): PaycertError => new PaycertError('source-unreadable', 'the origin is away');
