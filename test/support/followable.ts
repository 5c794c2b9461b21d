// A credential whose swaps the test decides.
import { Limiter } from '../../src/store/limiter.ts';
import type { Subscription } from '../../src/tls/secure-context.ts';
import type { SigningContext } from '../../src/providers/provider.ts';
import { Snapshot } from '../../src/store/snapshot.ts';

const snapshot = (context: SigningContext): Snapshot =>
  new Snapshot(context, { generation: 1, loadedAt: new Date(), version: undefined, retired: [] }, new Limiter(2));

export class Followable implements Subscription {
  readonly #told = new Set<() => void>();
  #current: Snapshot;

  constructor(context: SigningContext) {
    this.#current = snapshot(context);
  }

  current(): Snapshot {
    return this.#current;
  }

  follow(_name: string, told: () => void): () => void {
    this.#told.add(told);
    return () => this.#told.delete(told);
  }

  swap(context: SigningContext): void {
    this.#current = snapshot(context);
    for (const told of this.#told) told();
  }
}
