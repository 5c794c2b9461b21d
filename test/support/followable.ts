// A credential whose swaps the test decides.
import { Turns } from '../../src/crypto/turns.ts';
import type { Followed } from '../../src/gateway/tls.ts';
import type { SigningContext } from '../../src/providers/provider.ts';
import { Snapshot } from '../../src/store/snapshot.ts';

const snapshot = (context: SigningContext): Snapshot =>
  new Snapshot(context, { generation: 1, loadedAt: new Date(), version: undefined, retired: [] }, new Turns(2));

export class Followable implements Followed {
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
