// Keys of a cloud’s KMS: the public half when material is new, and a request for each signature, since none of them takes batches.
import { createPublicKey, type KeyObject } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { AliyunReference, AwsReference } from '../crypto/cloud-reference.ts';
import type { PrivateKey } from '../crypto/private-key.ts';
import type { Suite } from '../crypto/suites.ts';
import { type ErrorCode, PaycertError } from '../errors.ts';
import type { Observe } from '../events.ts';
import type { KeyService } from './key-services.ts';
import { remoteKey } from './remote-key.ts';
import { Signer } from './signer.ts';

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
  readonly keep: () => Disposable;
}

export interface PublicHalf<R extends CloudReference> {
  readonly publicKey: KeyObject;
  /** The key itself, where the reference was another name of it: what signs later on. */
  readonly signs: R;
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
  readonly padding: Suite['padding']['name'];
}

/** A signature takes 3 to 20 ms there, and a quota begins at 200 a second. */
export const cloudConcurrent = 16;

export class CloudKeys<R extends CloudReference> implements KeyService<R>, Disposable {
  readonly #cloud: Cloud<R>;
  readonly #deadlineMilliseconds: number;
  readonly #signer: Signer<Way<R>>;
  readonly #ends = new DisposableStack();

  constructor(cloud: Cloud<R>, options: CloudKeysOptions) {
    this.#cloud = cloud;
    this.#deadlineMilliseconds = options.deadlineMilliseconds;
    this.#signer = new Signer({
      ...options,
      service: cloud.service,
      batch: 1,
      concurrent: cloudConcurrent,
      send: async ({ key, name, padding }, digests, signal) => {
        const sign = async (digest: Uint8Array) => cloud.sign({ key, padding, digest }, `sign with ${name}`, signal);
        return Promise.all(digests.map(sign)).catch(rethrow);
      },
    });
    this.#ends.use(cloud.keep());
    this.#ends.use(this.#signer);
  }

  async key(reference: R, signal: AbortSignal): Promise<PrivateKey> {
    const name = this.#cloud.textOf(reference);
    const what = `read the public key of ${name}`;
    const late = AbortSignal.timeout(this.#deadlineMilliseconds);
    const { publicKey, signs } = await this.#cloud
      .publicHalf(reference, what, AbortSignal.any([signal, late]))
      .catch((error: unknown) => {
        if (error instanceof PaycertError || !late.aborted) throw error;
        throw new PaycertError('key-service-timeout', `${what}: no response within ${String(this.#deadlineMilliseconds)} ms`); // prettier-ignore
      });
    return remoteKey(name, publicKey, ({ padding }, digest) =>
      this.#signer.ask(`${name} ${padding.name}`, { key: signs, name, padding: padding.name }, digest),
    );
  }

  [Symbol.dispose](): void {
    this.#ends.dispose();
  }
}

/** As callers of a signature have to know it; the rest is that the service is away. */
const toCallers: Readonly<Partial<Record<ErrorCode, ErrorCode>>> = {
  'origin-throttled': 'key-service-throttled',
  'origin-unauthenticated': 'key-service-refused',
  'origin-forbidden': 'key-service-refused',
  'origin-refused': 'key-service-refused',
  'source-unreadable': 'key-service-refused',
  'key-missing': 'key-service-refused',
  'response-malformed': 'key-service-wrong',
};

function rethrow(error: unknown): never {
  if (!(error instanceof PaycertError)) throw error;
  throw new PaycertError(toCallers[error.code] ?? 'key-service-unavailable', error.message, { cause: error });
}

/** A public half that such a service shows. @throws PaycertError `key-missing` */
export function readPublicHalf(read: () => KeyObject, what: string): KeyObject {
  try {
    return read();
  } catch {
    throw new PaycertError('key-missing', `${what}: what came back is no public key that Node reads`);
  }
}

/** SubjectPublicKeyInfo in DER. */
export const fromSpki = (base64: string): KeyObject =>
  createPublicKey({ key: Buffer.from(base64, 'base64'), format: 'der', type: 'spki' });
