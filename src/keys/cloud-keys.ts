// Keys of a cloud’s KMS: the public half when material is new, and a request for each signature or ciphertext, since none of them takes batches.
import type { KeyObject } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { AliyunReference, AwsReference } from '../crypto/cloud-reference.ts';
import type { PrivateKey } from '../crypto/private-key.ts';
import type { Suite } from '../crypto/suites.ts';
import { type ErrorCode, PaycertError } from '../errors.ts';
import type { Observe } from '../events.ts';
import type { KeyService } from './key-services.ts';
import { openElsewhere, type Unopened } from './open-elsewhere.ts';
import { callersError } from './own-file.ts';
import { remoteKey } from './remote-key.ts';
import { type KeyUse, Signer } from './signer.ts';

type CloudReference = AwsReference | AliyunReference;

/** What clouds differ in. */
export interface Cloud<R extends CloudReference> {
  readonly service: R['service'];
  /** As it is written, for people. */
  readonly textOf: (reference: R) => string;
  /** @throws PaycertError of kind source */
  readonly publicHalf: (reference: R, what: string, signal: AbortSignal) => Promise<PublicHalf<R>>;
  /** @throws PaycertError of kind source */
  readonly sign: (request: SigningRequest<R>, what: string, signal: AbortSignal) => Promise<Uint8Array>;
  /** OAEP with SHA-1. @throws PaycertError of kind source, `origin-refused` where the key does not open that */
  readonly open: (key: R, ciphertext: Uint8Array, what: string, signal: AbortSignal) => Promise<Uint8Array>;
  readonly keep: () => Disposable;
}

export interface PublicHalf<R extends CloudReference> {
  readonly publicKey: KeyObject;
  /** The key itself, where the reference was another name of it: what is asked later on. */
  readonly itself: R;
  /** A key of a cloud does one of both, for ever. */
  readonly use: KeyUse;
}

export interface SigningRequest<R extends CloudReference> {
  readonly key: R;
  readonly padding: Suite['padding']['name'];
  readonly digest: Uint8Array;
}

export interface CloudKeysOptions {
  readonly deadlineMilliseconds: number;
  readonly clock: Clock;
  readonly observe: Observe;
}

interface Way<R extends CloudReference> {
  readonly key: R;
  readonly name: string;
  readonly how: Suite['padding']['name'] | 'oaep';
}

/** A signature takes 3 to 20 ms there, and a quota begins at 200 a second. */
export const cloudConcurrent = 16;

export class CloudKeys<R extends CloudReference> implements KeyService<R>, Disposable {
  readonly #cloud: Cloud<R>;
  readonly #deadlineMilliseconds: number;
  readonly #signer: Signer<Way<R>, Uint8Array | Unopened>;
  readonly #ends = new DisposableStack();

  constructor(cloud: Cloud<R>, options: CloudKeysOptions) {
    this.#cloud = cloud;
    this.#deadlineMilliseconds = options.deadlineMilliseconds;
    this.#signer = new Signer({
      ...options,
      service: cloud.service,
      batch: 1,
      concurrent: cloudConcurrent,
      send: async (way, inputs, signal) =>
        Promise.all(inputs.map((input) => this.#use(way, input, signal))).catch((error: unknown) =>
          rethrow(error, cloud.service),
        ),
    });
    this.#ends.use(cloud.keep());
    this.#ends.use(this.#signer);
  }

  async key(reference: R, signal: AbortSignal): Promise<PrivateKey> {
    const name = this.#cloud.textOf(reference);
    const what = `read the public key of ${name}`;
    const late = AbortSignal.timeout(this.#deadlineMilliseconds);
    const {
      publicKey,
      itself: key,
      use,
    } = await this.#cloud.publicHalf(reference, what, AbortSignal.any([signal, late])).catch((error: unknown) => {
      if (error instanceof PaycertError || !late.aborted) throw error;
      throw new PaycertError('key-service-timeout', `${what}: no response within ${String(this.#deadlineMilliseconds)} ms`); // prettier-ignore
    });
    const ask = (how: Way<R>['how'], input: Uint8Array) =>
      this.#signer.ask(`${name} ${how}`, { key, name, how }, input, how === 'oaep' ? 'decrypt' : 'sign');
    const remote = remoteKey(name, publicKey, async ({ padding }, digest) => {
      const signature = await ask(padding.name, digest);
      return 'unopened' in signature ? Buffer.alloc(0) : signature;
    });
    if (use === 'sign') return remote;
    const cannotSign = new PaycertError('key-missing', `${name} ${onlyOpens}`);
    return { ...remote, open: openElsewhere(name, publicKey, (ciphertext) => ask('oaep', ciphertext)), cannotSign };
  }

  async #use({ key, name, how }: Way<R>, input: Uint8Array, signal: AbortSignal): Promise<Uint8Array | Unopened> {
    if (how !== 'oaep') return this.#cloud.sign({ key, padding: how, digest: input }, `sign with ${name}`, signal);
    try {
      return await this.#cloud.open(key, input, `decrypt with ${name}`, signal);
    } catch (error) {
      if (error instanceof PaycertError && error.code === 'origin-refused') return { unopened: 'perhaps' };
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#ends.dispose();
  }
}

const onlyOpens =
  'is made to decrypt, and a key of a cloud either signs or decrypts: put one here that signs, and this one into retired/';

/** As callers of a signature have to know it; the rest is that the service is away. */
const toCallers: Readonly<Partial<Record<ErrorCode, ErrorCode>>> = {
  'origin-throttled': 'key-service-throttled',
  'origin-unauthenticated': 'key-service-refused',
  'origin-forbidden': 'key-service-refused',
  'origin-refused': 'key-service-refused',
  'key-missing': 'key-service-refused',
  'response-malformed': 'key-service-wrong',
};

function rethrow(error: unknown, service: string): never {
  if (!(error instanceof PaycertError)) throw error;
  throw callersError(error, service, toCallers);
}
