// One credential of a configuration, loaded for a command that ends: as a sidecar loads it, and no other.
import type { Clock } from '../../clock.ts';
import type { Config } from '../../config/schema/config.ts';
import { PaycertError } from '../../errors.ts';
import type { Event } from '../../events.ts';
import type { Learn } from '../../gateway/proving.ts';
import type { WayOut } from '../../gateway/way-out.ts';
import { RunningConfiguration } from '../../running/configuration.ts';
import { poolLimiter } from '../../store/limiter.ts';
import { reasonOfNoSnapshot, Store } from '../../store/store.ts';
import { signingPool } from '../../system/pool-size.ts';
import { usageError } from '../command.ts';

export interface LoadedCredential {
  readonly store: Store;
  /** What happens to its queries, and may be a reason to ask a platform for a certificate. */
  noticed(event: Event): void;
  readonly learn: Learn;
  stop(): Promise<void>;
}

interface Loading {
  readonly clock: Clock;
  readonly environment: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  readonly wayOut: WayOut | undefined;
}

/** What says that its material was looked at. */
const looks: ReadonlySet<Event['type']> = new Set([
  ...(['swapped', 'rejected', 'deferred', 'source-failed', 'internal-error', 'resource-refused'] as const),
]);

/** @throws PaycertError `usage`, `credential-not-loaded` */
export async function loadCredential(
  { credentials, resources }: Config,
  name: string,
  { clock, environment, signal, wayOut }: Loading,
): Promise<LoadedCredential> {
  const wanted = {
    credentials: credentials.filter((one) => one.name === name),
    resources: resources.filter((one) => (one.name ?? one.resource) === name),
  };
  if (wanted.credentials.length + wanted.resources.length === 0)
    throw usageError(`the configuration has no credential ${JSON.stringify(name)}`);
  const store = new Store();
  const looked = Promise.withResolvers<undefined>();
  const observe = (event: Event) => {
    running.noticed(event);
    const isSuspended = event.type === 'resource-followed' && event.isSuspended;
    if ((looks.has(event.type) || isSuspended) && 'credential' in event && event.credential === name)
      looked.resolve(undefined);
  };
  const running = new RunningConfiguration(
    { store, clock, limiter: poolLimiter(...signingPool(environment)), observe },
    { clock, observe, environment, wayOut },
  );
  signal.addEventListener('abort', () => looked.resolve(undefined), { once: true });
  running.declare({ ...wanted });
  running.apply(wanted);
  await looked.promise;
  const entry = store.entry(name);
  if (entry.snapshot !== undefined)
    return { store, noticed: (event) => running.noticed(event), learn: running.learn, stop: () => running.stop() };
  await running.stop();
  const cause = reasonOfNoSnapshot(entry);
  throw new PaycertError('credential-not-loaded', `${name} has no valid material: ${cause?.message ?? 'nothing was read'}`, { cause }); // prettier-ignore
}
