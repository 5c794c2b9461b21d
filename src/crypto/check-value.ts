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
const derived = new Map<string, Promise<string>>();
const mostDerived = 64;

/** One after the other, so that they hold one thread of the pool and the memory of one derivation. */
let last: Promise<unknown> = Promise.resolve();

/** Four bytes in hex that tell keys apart and tell nothing else, as payment HSMs show key check values. */
export function checkValue(key: KeyObject): Promise<string> {
  const id = createHmac('sha256', key).update('paycert derived check value').digest('hex');
  const known = derived.get(id);
  if (known !== undefined) return known;
  const value = last.then(() => derive(key));
  last = value.catch(() => derived.delete(id));
  derived.set(id, value);
  const [oldest] = derived.keys();
  if (derived.size > mostDerived && oldest !== undefined) derived.delete(oldest);
  return value;
}

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
