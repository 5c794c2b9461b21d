// The same store, sources and providers inside a Node program: credentials that follow their material.
import { type Clock, systemClock } from './clock.ts';
import { Credentials } from './running/credentials.ts';
import { parseCredentials } from './config/load.ts';
import type { CredentialConfig } from './config/schema/credential.ts';
import { poolLimiter } from './store/limiter.ts';
import { PaycertError } from './errors.ts';
import { isolate, type Observe } from './events.ts';
import type { AskResponder } from './revocation/ask-responder.ts';
import type { Snapshot } from './store/snapshot.ts';
import { type Entry, reasonOfNoSnapshot, Store } from './store/store.ts';
import { signingThreads } from './system/threads.ts';

export interface LibraryOptions {
  /** Told of everything that happens. */
  readonly observe?: Observe;
  readonly clock?: Clock;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** How OCSP responders are asked about one's own certificates, such as through a proxy. Default: over HTTP, from here. */
  readonly askResponder?: AskResponder;
}

/** Credentials that reload themselves until `stop`. */
export interface Paycert extends AsyncDisposable {
  /**
   * The snapshot to use for one operation: take it once, and again for the next.
   * @throws PaycertError `credential-unknown`, `credential-not-loaded`
   */
  current(name: string): Snapshot;
  /** Calls `told` after each swap of that credential, until the function that it returns is called. */
  follow(name: string, told: () => void): () => void;
  /** Every credential as it stands, for health checks and status pages. */
  entries(): readonly Entry[];
  stop(): Promise<void>;
}

/**
 * Starts credentials, given as in `paycert.yaml`, and resolves when each has been looked at once.
 * RSA runs in libuv's thread pool, which a library cannot size: set UV_THREADPOOL_SIZE to the number of cores, and six
 * more for the files and names that are waited for in the same pool.
 * @throws PaycertError `config-invalid`; `credential-not-loaded` when a required one has no fit material
 */
export async function startPaycert(
  credentials: readonly CredentialConfig[],
  options: LibraryOptions = {},
): Promise<Paycert> {
  const { observe = () => undefined, clock = systemClock, environment = process.env, askResponder } = options;
  const parsed = parseCredentials(credentials);
  const store = new Store();
  const waiting = new Map(parsed.map(({ name }) => [name, Promise.withResolvers<undefined>()]));
  const tell = isolate(observe);
  const followers = new Set<Observe>();
  const watching: Observe = (event) => {
    tell(event);
    for (const follower of followers) follower(event);
    const looks =
      event.type === 'swapped' ||
      event.type === 'rejected' ||
      event.type === 'deferred' ||
      event.type === 'source-failed' ||
      event.type === 'internal-error';
    if (looks && event.credential !== undefined) waiting.get(event.credential)?.resolve(undefined);
  };
  const running = new Credentials(
    { store, clock, limiter: poolLimiter(signingThreads(environment)), observe: watching },
    { clock, observe: watching, environment, askResponder },
  );
  running.apply(parsed);
  await Promise.all([...waiting.values()].map(({ promise }) => promise));
  const missing = store.entries().find(({ isRequired, snapshot }) => isRequired && snapshot === undefined);
  if (missing !== undefined) {
    await running.stop();
    const cause = reasonOfNoSnapshot(missing);
    throw new PaycertError(
      'credential-not-loaded',
      `${missing.name} has no fit material: ${cause?.message ?? 'unknown'}`,
      { field: missing.name, cause },
    );
  }
  const stop = () => running.stop();
  return {
    current: (name) => store.current(name),
    follow(name, told) {
      const follower = isolate((event) => event.type === 'swapped' && event.credential === name && told());
      followers.add(follower);
      return () => followers.delete(follower);
    },
    entries: () => store.entries(),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
