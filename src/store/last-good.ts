// What outlives the process: accepted material is kept for a restart, unless it turns out to be revoked.
import type { Clock } from '../clock.ts';
import { PaycertError } from '../errors.ts';
import type { Observe } from '../events.ts';
import type { LastGood } from '../sources/last-good.ts';
import type { Material } from '../sources/source.ts';
import type { Store } from './store.ts';

/** A credential, as far as something of it is kept. */
interface Keeping {
  readonly name: string;
  readonly lastGood?: LastGood | undefined;
}

interface Dependencies {
  readonly store: Store;
  readonly clock: Clock;
  readonly observe: Observe;
}

export const revoked = 'certificate-revoked';

/** With a swap. Never throws. */
export function keepLastGood({ name, lastGood }: Keeping, material: Material, dependencies: Dependencies): void {
  if (lastGood === undefined) return;
  const at = dependencies.clock.now();
  try {
    lastGood.keep(material, at);
    dependencies.store.update(name, (entry) => ({ ...entry, kept: { at } }));
  } catch (error) {
    noteUnkept(name, error, dependencies);
  }
}

/**
 * After a refusal: material that is kept and turns out to be revoked is not restored any more, whether or not a list says so then.
 * Anything else may pass, such as a list that cannot be fetched.
 */
export function dropRevoked(
  { name, lastGood }: Keeping,
  material: Material,
  error: PaycertError,
  dependencies: Dependencies,
): void {
  if (error.code === revoked && lastGood?.drop(material) === true) noteUnkept(name, error, dependencies);
}

/** Why nothing is kept, or what was kept is not restored. */
export function noteUnkept(name: string, error: unknown, { store, clock, observe }: Dependencies): void {
  if (!store.has(name)) return;
  if (!(error instanceof PaycertError)) {
    observe({ type: 'internal-error', where: 'last-good', credential: name, error });
    return;
  }
  const isNew = store.entry(name).kept?.error?.code !== error.code;
  store.update(name, (entry) => ({ ...entry, kept: { at: clock.now(), error } }));
  observe({ type: 'last-good-failed', credential: name, error, isNew });
}
