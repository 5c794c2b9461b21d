// Check values: what tells symmetric keys apart in public, derived slowly (RFC 7914) so that guessing a weak key from one is costly.
import { createHmac, type KeyObject, scrypt } from 'node:crypto';

/** Some hundredths of a second and 8 MiB: nothing for a load, too much for a dictionary. */
const cost = { N: 2 ** 13, r: 8, p: 1 } as const;

/** The same everywhere: the value is equal in every process that holds the key. */
const salt = 'paycert key check value';

/**
 * What was derived last, by a digest that never leaves this process. Most loads bring keys that have not changed: a
 * certificate that rotates costs no derivation of the secret beside it.
 */
const derived = new Map<string, Derived>();
/** As many as an operator has credentials; an entry is a few hundred bytes. */
const mostDerived = 1024;

interface Derived {
  readonly promise: Promise<string>;
  /** Once it is there. */
  value?: string;
}

/** What names a symmetric key where it is compared and shown. */
export type NameSecret = (key: KeyObject) => Promise<string>;

/** One after the other, so that they hold one thread of the pool and the memory of one derivation. */
let last: Promise<unknown> = Promise.resolve();

/** Four bytes in hex that tell keys apart and tell nothing else, as payment HSMs show key check values. */
export const checkValue: NameSecret = (key) => {
  const id = idOf(key);
  const known = derived.get(id);
  if (known !== undefined) return known.promise;
  const entry: Derived = { promise: last.then(() => derive(key)) };
  last = entry.promise.then(
    (value) => (entry.value = value),
    () => derived.delete(id),
  );
  derived.set(id, entry);
  const [oldest] = derived.keys();
  if (derived.size > mostDerived && oldest !== undefined) derived.delete(oldest);
  return entry.promise;
};

const idOf = (key: KeyObject): string => createHmac('sha256', key).update('paycert derived check value').digest('hex');

/** In place of the check value of a key that differs from all that it is compared with. */
export const newSecret = 'new';

/**
 * Names keys for a comparison with others, whose check values are given. Where this process has derived all of those itself, a key
 * that it has not derived is another one: that is known without a derivation, and it is called `newSecret`.
 */
export const nameAmong =
  (others: readonly string[]): NameSecret =>
  async (key) => {
    if (derived.has(idOf(key))) return checkValue(key);
    const values = new Set([...derived.values()].map(({ value }) => value));
    return others.every((other) => values.has(other)) ? newSecret : checkValue(key);
  };

function derive(key: KeyObject): Promise<string> {
  return new Promise((resolve, reject) => {
    scrypt(key.export(), salt, 4, cost, (error, bytes) => {
      if (error === null) resolve(bytes.toString('hex'));
      else reject(error);
    });
  });
}

/** As it was before it was derived slowly: only for comparison with what an earlier version has written. */
export function formerCheckValue(key: KeyObject): string {
  return createHmac('sha256', key).update(salt).digest('hex').slice(0, 8);
}
