// What runs follows the configuration: only what changed is touched, and what runs on is never without its snapshot.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { systemClock } from '../../src/clock.ts';
import { Credentials } from '../../src/running/credentials.ts';
import { parseCredentials } from '../../src/config/load.ts';
import type { CredentialConfig } from '../../src/config/schema/credential.ts';
import { Limiter } from '../../src/store/limiter.ts';
import type { Event } from '../../src/events.ts';
import { Store } from '../../src/store/store.ts';
import { createSecretVolume, type SecretVolume } from '../../src/testing/secret-volume.ts';
import { makeDirectory, makeMaterial, merchantId } from '../support/sidecar.ts';

interface Setup {
  readonly store: Store;
  readonly credentials: Credentials;
  readonly events: Event[];
  readonly volume: SecretVolume;
  readonly config: (name: string, more?: object) => CredentialConfig;
  /** Resolves when there have been so many events of that type for that credential. */
  readonly seen: (type: Event['type'], name: string, count?: number) => Promise<void>;
}

async function setUp(t: TestContext): Promise<Setup> {
  const directory = join(await makeDirectory(t), 'material');
  const volume = await createSecretVolume(directory, (await makeMaterial()).files);
  const store = new Store();
  const events: Event[] = [];
  let wake = Promise.withResolvers<undefined>();
  const observe = (event: Event): void => {
    events.push(event);
    wake.resolve(undefined);
    wake = Promise.withResolvers();
  };
  const building = { clock: systemClock, observe, environment: {} };
  const credentials = new Credentials({ store, limiter: new Limiter(4), ...building }, building);
  t.after(() => credentials.stop());
  const config = (name: string, more: object = {}): CredentialConfig =>
    parseCredentials([
      { name, provider: { wechatpay: { merchantId } }, source: { files: { path: directory } }, ...more },
    ])[0]!;
  const seen = async (type: Event['type'], name: string, count = 1): Promise<void> => {
    const isMatch = (event: Event) => event.type === type && 'credential' in event && event.credential === name;
    while (events.filter(isMatch).length < count) await wake.promise;
  };
  return { store, credentials, events, volume, config, seen };
}

/** Looks that found nothing new may come at any time. */
const types = (events: readonly Event[], name: string) =>
  events.flatMap((event) =>
    'credential' in event && event.credential === name && event.type !== 'unchanged' ? [event.type] : [],
  );

describe('running credentials', { timeout: 900_000 }, () => {
  it('are declared, loaded and told of', async (t) => {
    const { store, credentials, events, config, seen } = await setUp(t);
    credentials.apply([config('a', { required: true, require: ['sign', 'verify'] })]);
    const { isRequired, requires, provider } = store.entry('a');
    assert.deepEqual([isRequired, requires, provider], [true, ['sign', 'verify'], 'wechatpay']);
    await seen('swapped', 'a');
    assert.deepEqual(types(events, 'a'), ['credential-added', 'swapped']);
  });

  it('can be declared before they are started, so that nobody takes them for ready', async (t) => {
    const { store, credentials, config } = await setUp(t);
    credentials.declare([config('a', { required: true })]);
    assert.deepEqual([store.entry('a').isRequired, store.entry('a').snapshot], [true, undefined]);
  });

  it('are left alone when their configuration is equal', async (t) => {
    const { store, credentials, events, config, seen } = await setUp(t);
    credentials.apply([config('a')]);
    await seen('swapped', 'a');
    const { snapshot } = store.entry('a');
    const before = events.length;
    credentials.apply([config('a'), config('b')]);
    await seen('swapped', 'b');
    assert.equal(store.entry('a').snapshot, snapshot);
    assert.deepEqual(types(events.slice(before), 'a'), []);
  });

  it('keep their snapshot while changed options load it again', async (t) => {
    const { store, credentials, events, config, seen } = await setUp(t);
    credentials.apply([config('a')]);
    await seen('swapped', 'a');
    const { snapshot } = store.entry('a');
    credentials.apply([config('a', { required: true })]);
    assert.equal(store.entry('a').snapshot, snapshot);
    assert.equal(store.entry('a').isRequired, true);
    await seen('swapped', 'a', 2);
    assert.ok(!types(events, 'a').includes('credential-removed'));
  });

  it('start from nothing when the name goes to another merchant', async (t) => {
    const { store, credentials, events, config, seen } = await setUp(t);
    credentials.apply([config('a')]);
    await seen('swapped', 'a');
    credentials.apply([config('a', { provider: { wechatpay: { merchantId: '1900000009' } } })]);
    assert.equal(store.entry('a').snapshot, undefined);
    await seen('rejected', 'a');
    assert.deepEqual(types(events, 'a').slice(0, 4), [
      'credential-added',
      'swapped',
      'credential-removed',
      'credential-added',
    ]);
  });

  it('are gone when the configuration does not name them any more, and nothing is told of them later', async (t) => {
    const { store, credentials, events, volume, config, seen } = await setUp(t);
    credentials.apply([config('a'), config('b')]);
    await Promise.all([seen('swapped', 'a'), seen('swapped', 'b')]);
    credentials.apply([config('b')]);
    assert.ok(!store.has('a'));
    await volume.write((await makeMaterial(1)).files);
    await seen('swapped', 'b', 2);
    assert.equal(types(events, 'a').at(-1), 'credential-removed');
  });

  it('stop following their material after stop, and keep what is current', async (t) => {
    const { store, credentials, events, volume, config, seen } = await setUp(t);
    credentials.apply([config('a')]);
    await seen('swapped', 'a');
    await credentials.stop();
    await credentials.stop();
    const before = events.length;
    await volume.write((await makeMaterial(1)).files);
    assert.equal(
      (await store.current('a').sign(Buffer.from('x'))).keyId,
      store.current('a').context.set.signer?.facts.keyId,
    );
    assert.equal(events.length, before);
  });

  it('do not wait for each other: one that cannot be read leaves the others loading', async (t) => {
    const { credentials, config, seen } = await setUp(t);
    credentials.apply([config('bad', { source: { files: { path: '/nowhere' } } }), config('good')]);
    await Promise.all([seen('source-failed', 'bad'), seen('swapped', 'good')]);
  });
});
