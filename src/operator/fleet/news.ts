// Which PaymentCredentials the answers of Pods concern, passed on at most once a second: one status counts many Pods.
import { ResourceKey } from '../resource-key.ts';

export const newsPause = 1000;

export class News {
  readonly #changed: (key: ResourceKey) => void;
  /** By the key's text. */
  readonly #waiting = new Map<string, ResourceKey>();
  #passedAt = Number.NEGATIVE_INFINITY;

  /** `changed`: the Pods of this one may have something else now. */
  constructor(changed: (key: ResourceKey) => void) {
    this.#changed = changed;
  }

  /** Names of PaymentCredentials. `now`: in milliseconds since 1970. */
  add(namespace: string, names: Iterable<string>, now: number): void {
    for (const name of names) {
      const key = new ResourceKey('PaymentCredential', namespace, name);
      this.#waiting.set(key.toString(), key);
    }
    if (now - this.#passedAt >= newsPause) this.pass(now);
  }

  /** All that waits, at once. */
  pass(now: number): void {
    this.#passedAt = now;
    const keys = [...this.#waiting.values()];
    this.#waiting.clear();
    keys.forEach(this.#changed);
  }
}
