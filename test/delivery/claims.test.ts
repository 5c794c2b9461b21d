// One delivery among all pods: who claims it first delivers it, and what the store cannot say is delivered all the same.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Claim, Claims, type SharedStore } from '../../src/delivery/claims.ts';
import { PaycertError } from '../../src/errors.ts';

/** What a Redis would hold, and which of its members are away. */
class StoreDouble implements SharedStore {
  readonly held = new Map<string, string>();
  away: ReadonlySet<keyof SharedStore> = new Set();

  async claim(key: string, owner: string): Promise<Claim> {
    this.#reach('claim');
    const before = this.held.get(key);
    if (before !== undefined) return before === 'delivered' ? 'delivered' : 'under-way';
    this.held.set(key, owner);
    return 'ours';
  }

  async noteDelivered(key: string): Promise<void> {
    this.#reach('noteDelivered');
    this.held.set(key, 'delivered');
  }

  async release(key: string, owner: string): Promise<void> {
    this.#reach('release');
    if (this.held.get(key) === owner) this.held.delete(key);
  }

  #reach(member: keyof SharedStore): void {
    if (this.away.has(member)) throw new PaycertError('dedupe-unavailable', 'away');
  }
}

const name = 'shop order-1001 SUCCESS';
const unwanted = () => Promise.reject(new Error('it is delivered'));
const pods = (store: SharedStore) => {
  const unshared: PaycertError[] = [];
  const pod = (secret = 'a-secret-of-all-pods') =>
    new Claims({
      ...{ store, claimMilliseconds: 1000, secret: () => secret },
      unshared: (error) => unshared.push(error),
    });
  return { pod, unshared };
};

describe('a claim', () => {
  it('lets one pod deliver, and refuses another until that has ended; afterwards it is known to all', async () => {
    const { pod, unshared } = pods(new StoreDouble());
    const [a, b] = [pod(), pod()];
    const taken = Promise.withResolvers<undefined>();
    const first = a.run(name, 1000, () => taken.promise);
    await assert.rejects(b.run(name, 1000, unwanted), { code: 'delivery-elsewhere' });
    taken.resolve(undefined);
    assert.equal(await first, 'first');
    assert.equal(await b.run(name, 1000, unwanted), 'repeated');
    assert.deepEqual(unshared, []);
  });

  it('is free again when the application has not taken it', async () => {
    const { pod } = pods(new StoreDouble());
    const refused = new PaycertError('application-refused', 'the application answered 500');
    await assert.rejects(
      pod().run(name, 1000, () => Promise.reject(refused)),
      refused,
    );
    assert.equal(await pod().run(name, 1000, async () => undefined), 'first');
  });

  for (const away of ['claim', 'noteDelivered'] as const)
    it(`that the store cannot keep (${away}) delivers all the same, and is counted once`, async () => {
      const store = new StoreDouble();
      const { pod, unshared } = pods(store);
      store.away = new Set([away]);
      let deliveries = 0;
      const deliver = async () => void (deliveries += 1);
      assert.equal(await pod().run(name, 1000, deliver), 'first');
      assert.equal(deliveries, 1);
      assert.deepEqual(unshared.map(({ code }) => code), ['dedupe-unavailable']); // prettier-ignore
    });

  it('that cannot be released hides nothing of why the application did not take it', async () => {
    const store = new StoreDouble();
    store.away = new Set(['release']);
    const refused = new PaycertError('application-refused', 'the application answered 500');
    await assert.rejects(
      pods(store)
        .pod()
        .run(name, 1000, () => Promise.reject(refused)),
      refused,
    );
  });

  it('is kept under a digest that only pods with the secret can make, and names no order', async () => {
    const store = new StoreDouble();
    const { pod } = pods(store);
    await pod().run(name, 1000, async () => undefined);
    await pod('another-secret-of-pods').run(name, 1000, async () => undefined);
    assert.equal(store.held.size, 2);
    for (const key of store.held.keys()) assert.match(key, /^[\w-]{43}$/);
  });
});
