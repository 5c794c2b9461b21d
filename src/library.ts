// The same store, sources and providers inside a Node program: credentials that follow their material.
import { randomUUID } from 'node:crypto';
import { type Clock, systemClock } from './clock.ts';
import { Credentials } from './running/credentials.ts';
import { parseCredentials } from './config/load.ts';
import type { CredentialConfig } from './config/schema/credential.ts';
import { poolLimiter } from './store/limiter.ts';
import { PaycertError } from './errors.ts';
import { isolate, type Observe } from './events.ts';
import { checked, checkedReceived } from './library-input.ts';
import type {
  AuthorizedRequest,
  Ciphertext,
  Decrypted,
  Encrypted,
  Moment,
  OpenedNotification,
  PaymentParametersInput,
  Received,
  ReceivedNotification,
  RequestToAuthorize,
  Signed,
  Verified,
} from './providers/provider.ts';
import type { AskResponder } from './revocation/ask-responder.ts';
import { type Around, aroundEach, type Call } from './store/call.ts';
import type { Snapshot } from './store/snapshot.ts';
import { type Entry, reasonOfNoSnapshot, Store } from './store/store.ts';
import { Use } from './store/use.ts';
import { signingThreads } from './system/threads.ts';

export interface LibraryOptions {
  /** Receives every event. */
  readonly observe?: Observe;
  readonly clock?: Clock;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** How OCSP responders are asked about our own certificates, such as through a proxy. Default: over HTTP, from here. */
  readonly askResponder?: AskResponder;
}

/** What a program may say of its use. */
export interface CallOptions {
  /** Aborted when nobody waits for the result: what has not been signed then is not, `caller-gone`. */
  readonly signal?: AbortSignal;
  /** To find the call again in what is observed. Default: random. */
  readonly id?: string;
}

/**
 * A credential as it is current now: its facts, and its operations. Each is counted as the sidecar counts it. A moment or a
 * time that is not given is now, and a nonce is random.
 */
export interface CurrentCredential extends Pick<
  Snapshot,
  'generation' | 'snapshotId' | 'context' | 'loadedAt' | 'version'
> {
  sign(message: Uint8Array): Promise<Signed>;
  authorize(request: RequestToAuthorize, moment?: Partial<Moment>): Promise<AuthorizedRequest>;
  verify(received: Received, now?: Date): Promise<Verified>;
  /** Verifies a notification and opens it, in one step. */
  receive(received: ReceivedNotification, now?: Date): Promise<OpenedNotification>;
  decrypt(input: Ciphertext, now?: Date): Promise<Decrypted>;
  encrypt(plaintext: Uint8Array, now?: Date, keyId?: string): Promise<Encrypted>;
  paymentParameters(input: PaymentParametersInput, moment?: Partial<Moment>): Promise<Readonly<Record<string, string>>>;
}

/** Credentials that reload themselves until `stop`. */
export interface Paycert extends AsyncDisposable {
  /**
   * The credential to use for one operation: take it once, and again for the next.
   * @throws PaycertError `credential-unknown`, `credential-not-loaded`
   */
  current(name: string, options?: CallOptions): CurrentCredential;
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
  const around = aroundEach({ observe: watching, milliseconds: () => performance.now(), most: mostCalls });
  return {
    current: (name, options) => useOf(store.current(name), name, { around, observe: watching, clock, ...options }),
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

/** Under way at once. More would wait in memory longer than anybody waits for them. */
const mostCalls = 4096;

interface UseOptions extends CallOptions {
  readonly around: Around;
  readonly observe: Observe;
  readonly clock: Clock;
}

const endless = new AbortController().signal;

function useOf(snapshot: Snapshot, credential: string, options: UseOptions): CurrentCredential {
  const { around, observe, clock, id = randomUUID(), signal = endless } = options;
  const run = <T>(operation: string, work: (use: Use) => Promise<T>, now?: Date): Promise<T> => {
    const startedAt = now ?? clock.now();
    const call: Call = { id, caller: { listener: 'library' }, credential, operation, startedAt, signal };
    return around(call, () => work(new Use(call, snapshot, observe)));
  };
  const complete = ({ call }: Use, moment: Partial<Moment> = {}): Moment => ({
    now: moment.now ?? call.startedAt,
    nonce: moment.nonce ?? randomUUID().replaceAll('-', ''),
  });
  const { generation, snapshotId, context, loadedAt, version } = snapshot;
  return {
    ...{ generation, snapshotId, context, loadedAt, version },
    sign: (message) => run('sign', (use) => use.sign(checked({ message }).message)),
    authorize: (request, moment) => run('authorize', (use) => use.authorize(checked(request), complete(use, moment))),
    verify: (received, now) => run('verify', (use) => use.verify(checkedReceived(received)), now),
    receive: (received, now) => run('notification', (use) => use.receive(checkedReceived(received)), now),
    decrypt: (input, now) => run('decrypt', (use) => use.decrypt(checked(input)), now),
    encrypt: (plaintext, now, keyId) =>
      run('encrypt', (use) => use.encrypt(checked({ plaintext }).plaintext, keyId), now),
    paymentParameters: (input, moment) =>
      run('payment-parameters', (use) => use.paymentParameters(checked(input), complete(use, moment))),
  };
}
