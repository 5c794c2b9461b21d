// A credential whose key stays in a key service, with a store of its own: for tests.
import type { TestContext } from 'node:test';
import { type Clock, systemClock } from '../../src/clock.ts';
import type { CredentialConfig } from '../../src/config/schema/credential.ts';
import type { KeyServicesConfig } from '../../src/config/schema/key-services.ts';
import { buildCredential } from '../../src/running/build.ts';
import { startKeyServices } from '../../src/running/key-services.ts';
import { material } from '../../src/sources/source.ts';
import { attempt } from '../../src/store/attempt.ts';
import { Limiter } from '../../src/store/limiter.ts';
import { Store } from '../../src/store/store.ts';
import { Recorder } from './recorder.ts';

/** One credential under a store of its own, whose material a test gives. */
export async function remoteCredential(
  t: TestContext,
  provider: CredentialConfig['provider'],
  services: KeyServicesConfig,
  clock: Clock = systemClock,
) {
  const recorder = new Recorder();
  const { observe } = recorder;
  const store = new Store();
  const keyServices = await startKeyServices(services, { clock, observe });
  t.after(() => keyServices[Symbol.asyncDispose]());
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
    decrypt: (ciphertext: string) => store.current('shop').decrypt({ ciphertext }, systemClock.now()),
  };
}
