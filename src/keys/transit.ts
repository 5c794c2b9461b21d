// Transit, of Vault and OpenBao: the public half of a key’s version, and signatures in batches, with everything said that it would choose otherwise.
import { createPublicKey, type KeyObject } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { textOfTransitReference, type TransitReference } from '../crypto/transit-reference.ts';
import type { PrivateKey } from '../crypto/private-key.ts';
import type { Suite } from '../crypto/suites.ts';
import { type ErrorCode, PaycertError } from '../errors.ts';
import type { Observe } from '../events.ts';
import { textOf, within } from '../origins/content.ts';
import type { Question, Reply } from '../origins/server.ts';
import type { WrappingContext } from '../crypto/wrapped.ts';
import type { KeyService } from './key-services.ts';
import type { Opener } from './opener.ts';
import { callersError } from './own-file.ts';
import { remoteKey } from './remote-key.ts';
import { type Signed, Signer } from './signer.ts';
import { transitOpener } from './transit-opener.ts';

/** What is asked of a session. */
export interface TransitSession {
  ask(question: Omit<Question, 'headers'>, signal: AbortSignal): Promise<Reply>;
  keep(): Disposable;
}

export interface TransitOptions {
  readonly session: TransitSession;
  /** Where the engine is mounted; the first parts may be namespaces. */
  readonly mount: string;
  readonly deadlineMilliseconds: number;
  readonly clock: Clock;
  readonly observe: Observe;
}

interface Way {
  readonly reference: TransitReference;
  readonly suite: Suite;
}

const service = 'hashivault';

export class Transit implements KeyService<TransitReference>, Disposable {
  readonly #options: TransitOptions;
  readonly #signer: Signer<Way>;
  readonly #ends = new DisposableStack();

  constructor(options: TransitOptions) {
    this.#options = options;
    this.#signer = new Signer({
      ...options,
      service,
      send: (way, digests, signal) => this.#sign(way, digests, signal),
    });
    this.#ends.use(options.session.keep());
    this.#ends.use(this.#signer);
  }

  async key(reference: TransitReference, signal: AbortSignal): Promise<PrivateKey> {
    const name = textOfTransitReference(reference);
    const publicKey = await this.#publicKey(reference, signal);
    return remoteKey(name, publicKey, (suite, digest) =>
      this.#signer.ask(`${name} ${suite.padding.name}`, { reference, suite }, digest),
    );
  }

  /** Opens what that key of the same engine wrapped. */
  opener(key: string, context: WrappingContext): Opener {
    return transitOpener({ ...this.#options, key, context });
  }

  [Symbol.dispose](): void {
    this.#ends.dispose();
  }

  async #publicKey(reference: TransitReference, signal: AbortSignal): Promise<KeyObject> {
    const { key, version } = reference;
    const { session, mount, deadlineMilliseconds } = this.#options;
    const what = `read the public key of ${textOfTransitReference(reference)}`;
    const late = AbortSignal.timeout(deadlineMilliseconds);
    const reply = await session
      .ask({ method: 'GET', path: this.#path('keys', key), what }, AbortSignal.any([signal, late]))
      .catch((error: unknown) => {
        if (error instanceof PaycertError || !late.aborted) throw error;
        throw new PaycertError('key-service-timeout', `${what}: no response within ${String(deadlineMilliseconds)} ms`);
      });
    if (reply.status === 403) throw new PaycertError('origin-forbidden', `${what}: no policy of our token allows to read ${mount}/keys/${key} (403)`); // prettier-ignore
    if (reply.status === 404) throw new PaycertError('key-missing', `${what}: ${mount} has no such key (404)`);
    if (reply.status !== 200) throw new PaycertError('origin-refused', `${what}: Vault refuses it (${String(reply.status)})`); // prettier-ignore
    const text = textOf(within(reply.content, 'data', 'keys', String(version))['public_key']);
    if (text === undefined) throw new PaycertError('key-missing', `${what}: it has no such version, or no public half`);
    return parsePublic(text, what);
  }

  async #sign(
    { reference, suite }: Way,
    digests: readonly Uint8Array[],
    signal: AbortSignal,
  ): Promise<readonly Signed[]> {
    const { key, version } = reference;
    const { padding } = suite;
    const what = `sign with ${textOfTransitReference(reference)}`;
    const body = {
      batch_input: digests.map((digest) => ({ input: Buffer.from(digest).toString('base64') })),
      prehashed: true,
      key_version: version,
      signature_algorithm: padding.name,
      ...(padding.name === 'pss' && { salt_length: String(padding.saltLength) }),
    };
    const path = this.#path('sign', key, 'sha2-256');
    const reply = await this.#ask({ method: 'POST', path, body, what, isRead: true }, signal);
    // Said of a key that cannot do what is asked, and by a node that does not serve yet: no failure that the others have to share.
    if (reply.status === 500) {
      const failed = new PaycertError('key-service-unavailable', `${what}: the service cannot sign with it now (500)`);
      return digests.map(() => failed);
    }
    const { batch_results: results } = within(reply.content, 'data');
    if (!Array.isArray(results) || results.length !== digests.length) throw refused(reply, what);
    return results.map((result) => signatureOf(result, version, what));
  }

  /** As callers of a signature have to know it. */
  async #ask(question: Omit<Question, 'headers'>, signal: AbortSignal): Promise<Reply> {
    try {
      return await this.#options.session.ask(question, signal);
    } catch (error) {
      if (!(error instanceof PaycertError)) throw error;
      throw callersError(error, service, toCallers);
    }
  }

  #path(...parts: readonly string[]): string {
    return `/v1/${[...this.#options.mount.split('/'), ...parts].map(encodeURIComponent).join('/')}`;
  }
}

/** What is wrong with who we are, or with how much we ask; the rest is that the service is away. */
const toCallers: Readonly<Partial<Record<ErrorCode, ErrorCode>>> = {
  'origin-throttled': 'key-service-throttled',
  'origin-unauthenticated': 'key-service-refused',
  'origin-refused': 'key-service-refused',
};

function refused({ status }: Reply, what: string): PaycertError {
  const why = status === 403 ? 'no policy of our token allows it' : 'the service refuses it';
  return new PaycertError('key-service-refused', `${what}: ${why} (${String(status)})`);
}

/** `vault:v3:` and base64. What the service itself says of an error is left out: it may quote what it refuses. */
function signatureOf(result: unknown, version: number, what: string): Signed {
  const { signature } = within(result);
  if (typeof signature !== 'string') return new PaycertError('key-service-refused', `${what}: the service refuses it`);
  const [, signedWith, base64 = ''] = /^vault:v(\d+):([A-Za-z0-9+/]+={0,2})$/.exec(signature) ?? [];
  return Number(signedWith) === version
    ? Buffer.from(base64, 'base64')
    : new PaycertError('key-service-wrong', `${what}: what came back is of another version`);
}

function parsePublic(text: string, what: string): KeyObject {
  try {
    return createPublicKey(text);
  } catch {
    throw new PaycertError('key-missing', `${what}: it has no public half that signs, as a key of type rsa-2048 has`);
  }
}
