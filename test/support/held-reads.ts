// Reads of a Secret that a test holds up until it says so, on the way to a real API server.
import type { KubeClient } from '../../src/kube/client.ts';

type Client = Pick<KubeClient, 'get' | 'list' | 'watch'>;

export class HeldReads {
  readonly client: Client;
  /** How many there were. */
  count = 0;
  #gate: PromiseWithResolvers<undefined> | undefined;
  #asked = Promise.withResolvers<undefined>();
  #failed = Promise.withResolvers<undefined>();

  constructor(real: Client) {
    this.client = {
      list: (...call) => real.list(...call),
      watch: (...call) => real.watch(...call),
      get: async (...call) => {
        this.count += 1;
        this.#asked.resolve(undefined);
        await this.#gate?.promise;
        try {
          return await real.get(...call);
        } catch (error) {
          this.#failed.resolve(undefined);
          throw error;
        }
      },
    };
  }

  /** From now on. Resolves when one is held. */
  hold(): Promise<void> {
    this.#gate = Promise.withResolvers();
    this.#asked = Promise.withResolvers();
    return this.#asked.promise;
  }

  /** Those that are held go on. Resolves when one of them, or a later one, has failed. */
  release(): Promise<void> {
    this.#failed = Promise.withResolvers();
    this.#gate?.resolve(undefined);
    this.#gate = undefined;
    return this.#failed.promise;
  }
}
