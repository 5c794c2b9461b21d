// A PKCS#11 token as a key service: public halves of its keys, signatures of digests, and OAEP ciphertexts opened, all by a process beside this one.
import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import type { PrivateKey } from '../../crypto/private-key.ts';
import { digestInfoOf } from '../../crypto/suites.ts';
import { textOfTokenReference, type TokenReference } from '../../crypto/token-reference.ts';
import { type ErrorCode, PaycertError } from '../../errors.ts';
import type { KeyService } from '../key-services.ts';
import { openElsewhere, type Unopened } from '../open-elsewhere.ts';
import { remoteKey } from '../remote-key.ts';
import { type Signed, Signer } from '../signer.ts';
import { KeptProcess, type KeptOptions } from './kept-process.ts';
import type { Place, PublicHalf, Use } from './words.ts';

export type Pkcs11Options = Omit<KeptOptions, 'service'>;

interface Way {
  readonly name: string;
  readonly place: Place;
  readonly how: Use['how'];
}

const service = 'pkcs11';

export class Pkcs11 implements KeyService<TokenReference>, AsyncDisposable {
  readonly #tokens: Pkcs11Options['tokens'];
  readonly #kept: KeptProcess;
  readonly #signer: Signer<Way, Uint8Array | Unopened>;

  constructor(options: Pkcs11Options) {
    this.#tokens = options.tokens;
    this.#kept = new KeptProcess({ ...options, service });
    this.#signer = new Signer({
      ...options,
      ...{ service, concurrent: options.sessions, batch: 1 },
      send: (way, inputs, signal) => Promise.all(inputs.map((input) => this.#use(way, input, signal))),
    });
  }

  async key(reference: TokenReference, signal: AbortSignal): Promise<PrivateKey> {
    const name = textOfTokenReference(reference);
    const { token, object, id } = reference;
    if (!this.#tokens.some(({ label }) => label === token))
      throw new PaycertError('key-service-missing', `keyServices.pkcs11.tokens has none with the label ${token}`);
    const place = { token, ...(object !== undefined && { object }), ...(id !== undefined && { id }) };
    const what = `read the public key of ${name}`;
    const said = await this.#kept.ask({ ask: 'key', place }, what, signal);
    if (!('found' in said)) throw wrong(what);
    const { publicHalf, opens } = said.found;
    const publicKey = parsePublic(publicHalf, what);
    const key = remoteKey(name, publicKey, async ({ padding }, digest) => {
      const how = padding.name;
      const input = how === 'pkcs1v15' ? digestInfoOf(digest) : digest;
      const signature = await this.#signer.ask(`${name} ${how}`, { name, place, how }, input);
      return 'unopened' in signature ? Buffer.alloc(0) : signature;
    });
    if (!opens) return key;
    const way: Way = { name, place, how: 'oaep' };
    const ask = (ciphertext: Uint8Array) => this.#signer.ask(`${name} oaep`, way, ciphertext, 'decrypt');
    return { ...key, open: openElsewhere(name, publicKey, ask) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#signer[Symbol.dispose]();
    await this.#kept[Symbol.asyncDispose]();
  }

  async #use(
    { name, place, how }: Way,
    input: Uint8Array,
    signal: AbortSignal,
  ): Promise<Signed<Uint8Array | Unopened>> {
    const what = how === 'oaep' ? `decrypt with ${name}` : `sign with ${name}`;
    try {
      const question = { ask: 'use', place, how, input: Buffer.from(input).toString('base64') } as const;
      const said = await this.#kept.ask(question, what, signal);
      if ('output' in said) return Buffer.from(said.output, 'base64');
      return 'unopened' in said ? said : wrong(what);
    } catch (error) {
      if (!(error instanceof PaycertError)) throw error;
      throw ours.has(error.code) ? new PaycertError('key-service-refused', error.message, { cause: error }) : error;
    }
  }
}

/** What is wrong with what we ask or have, and not with the service. */
const ours: ReadonlySet<ErrorCode> = new Set(['key-missing', 'package-missing']);

const wrong = (what: string) => new PaycertError('key-service-wrong', `${what}: what came back is of another kind`);

function parsePublic(half: PublicHalf, what: string): KeyObject {
  try {
    if ('certificate' in half) return new X509Certificate(Buffer.from(half.certificate, 'base64')).publicKey;
    const [n, e] = [half.modulus, half.exponent].map((text) => Buffer.from(text, 'base64').toString('base64url'));
    return createPublicKey({ format: 'jwk', key: { kty: 'RSA', n: n ?? '', e: e ?? '' } });
  } catch {
    throw new PaycertError('key-missing', `${what}: what the token shows is no public key`);
  }
}
