// Keys of a real transit engine, and a credential whose key stays there: for tests.
import { constants, createCipheriv, type KeyObject, publicEncrypt, randomBytes } from 'node:crypto';
import type { TestContext } from 'node:test';
import { systemClock } from '../../src/clock.ts';
import type { CredentialConfig } from '../../src/config/schema/credential.ts';
import type { KeyServicesConfig } from '../../src/config/schema/key-services.ts';
import { buildCredential } from '../../src/running/build.ts';
import { startKeyServices } from '../../src/running/key-services.ts';
import { material } from '../../src/sources/source.ts';
import { attempt } from '../../src/store/attempt.ts';
import { Limiter } from '../../src/store/limiter.ts';
import { Store } from '../../src/store/store.ts';
import type { Bao } from './bao.ts';
import { Recorder } from './recorder.ts';

/** AES key wrap with padding (RFC 5649 §3): its alternative initial value. */
const initialValue = Buffer.from('a65959a6', 'hex');

/** Brings a key in, as its next version where there is one of that name already. */
export async function importKey(bao: Bao, name: string, key: KeyObject, path = 'import'): Promise<void> {
  const { data } = await bao.owner('GET', 'transit/wrapping_key');
  const ephemeral = randomBytes(32);
  const wrap = createCipheriv('id-aes256-wrap-pad', ephemeral, initialValue);
  const wrapped = Buffer.concat([wrap.update(key.export({ type: 'pkcs8', format: 'der' })), wrap.final()]);
  const { public_key: publicKey } = data as { public_key: string };
  const padding = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' };
  const sealed = publicEncrypt({ key: publicKey, ...padding }, ephemeral);
  const ciphertext = Buffer.concat([sealed, wrapped]).toString('base64');
  await bao.owner('POST', `transit/keys/${name}/${path}`, { ciphertext, hash_function: 'SHA256', type: 'rsa-2048', allow_rotation: true }); // prettier-ignore
}

type Transit = NonNullable<KeyServicesConfig['hashivault']>;

/** One credential under a store of its own, whose material a test gives. */
export async function remoteCredential(t: TestContext, provider: CredentialConfig['provider'], transit: Transit) {
  const recorder = new Recorder();
  const { observe } = recorder;
  const store = new Store();
  const keyServices = await startKeyServices({ hashivault: transit }, { clock: systemClock, observe });
  t.after(() => keyServices[Symbol.dispose]());
  const config = { name: 'shop', provider, source: { files: { path: '/nowhere' } } };
  const credential = buildCredential(config, { clock: systemClock, observe, environment: {}, keyServices });
  store.declare('shop', { provider: 'any', isRequired: true, requires: ['sign'] });
  // No thread at all: what signs locally would wait for ever.
  const limiter = new Limiter(0);
  return {
    recorder,
    keyServices,
    entry: () => store.entry('shop'),
    /** Why it did not become current; undefined where it did. */
    load: async (files: ReadonlyMap<string, Uint8Array>) =>
      (await attempt(credential, material(files), { store, clock: systemClock, limiter, observe }))?.error,
    sign: (text: string) => store.current('shop').sign(Buffer.from(text)),
  };
}
