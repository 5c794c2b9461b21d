// What is kept for a restart goes with its credential: removed, suspended, of another account, or revoked since.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { systemClock } from '../../src/clock.ts';
import { parseCredentials } from '../../src/config/load.ts';
import { Credentials } from '../../src/running/credentials.ts';
import { LastGoodDirectory } from '../../src/sources/last-good.ts';
import { Limiter } from '../../src/store/limiter.ts';
import { type CredentialPolicy, Store } from '../../src/store/store.ts';
import { createSecretVolume, type Files, type SecretVolume } from '../../src/testing/secret-volume.ts';
import { makeDirectory, makeMemoryDirectory } from '../support/directories.ts';
import { filesOf, issue, makeAuthority, pairFiles } from '../support/mtls.ts';
import { Recorder } from '../support/recorder.ts';
import { makeList } from '../support/revocation.ts';
import { makeMaterial, merchantId } from '../support/sidecar.ts';

interface Pod {
  readonly volume: SecretVolume;
  /** Names of what is kept. */
  readonly kept: () => string[];
  readonly config: (provider: object) => ReturnType<typeof parseCredentials>;
  /** A container of it. */
  readonly start: () => { readonly store: Store; readonly credentials: Credentials; readonly events: Recorder };
}

async function makePod(t: TestContext, files: Files): Promise<Pod> {
  const [path, directory] = [join(await makeDirectory(t), 'material'), join(await makeMemoryDirectory(t), 'keys')];
  return {
    volume: await createSecretVolume(path, files),
    kept: () => readdirSync(directory),
    config: (provider) => parseCredentials([{ name: 'shop', provider, source: { files: { path } } }]),
    start() {
      const [store, events] = [new Store(), new Recorder()];
      const lastGood = new LastGoodDirectory({ directory, pod: 'pod-1' });
      const building = { clock: systemClock, observe: events.observe, environment: {}, lastGood };
      const credentials = new Credentials({ store, limiter: new Limiter(4), ...building }, building);
      t.after(() => credentials.stop());
      return { store, credentials, events };
    },
  };
}

const provider = { wechatpay: { merchantId } };

/** One container has run, and kept what it accepted. */
async function startAccepted(t: TestContext) {
  const pod = await makePod(t, (await makeMaterial()).files);
  const container = pod.start();
  const swapped = container.events.next('swapped');
  container.credentials.apply(pod.config(provider));
  await swapped;
  assert.deepEqual(pod.kept(), ['shop']);
  return { pod, ...container };
}

const policy = { provider: 'wechatpay', isRequired: true, requires: ['sign'] } as const;

describe('what is kept for a restart', () => {
  it('is removed with its credential', async (t) => {
    const { pod, credentials } = await startAccepted(t);
    credentials.apply([]);
    assert.deepEqual(pod.kept(), []);
  });

  it('is removed when the configuration changed while nothing ran', async (t) => {
    const { pod, credentials } = await startAccepted(t);
    await credentials.stop();
    pod.start().credentials.apply([]);
    assert.deepEqual(pod.kept(), []);
  });

  it('is removed when its PaymentCredential is suspended, while it runs or not', async (t) => {
    const suspended = new Map<string, CredentialPolicy>([['shop', { ...policy, suspendedSince: new Date() }]]);
    const { pod, credentials } = await startAccepted(t);
    credentials.apply([], suspended);
    assert.deepEqual(pod.kept(), []);
    const { pod: other, credentials: stopped } = await startAccepted(t);
    await stopped.stop();
    other.start().credentials.apply([], suspended);
    assert.deepEqual(other.kept(), []);
  });

  it('stays while nobody knows what its PaymentCredential says, and is not used', async (t) => {
    const { pod, credentials } = await startAccepted(t);
    await credentials.stop();
    const restarted = pod.start();
    restarted.credentials.apply([], new Map([['shop', policy]]));
    assert.deepEqual([pod.kept(), restarted.store.entry('shop').snapshot], [['shop'], undefined]);
  });

  it('is not used by another account, and removed', async (t) => {
    const { pod, credentials } = await startAccepted(t);
    await credentials.stop();
    const { store, credentials: restarted, events } = pod.start();
    const failed = events.next('last-good-failed');
    restarted.apply(pod.config({ wechatpay: { merchantId: '1900000002' } }));
    assert.match((await failed).error.message, /is of another account/);
    assert.deepEqual([pod.kept(), store.entry('shop').snapshot], [[], undefined]);
  });

  it('is removed when the account of its credential changes', async (t) => {
    const { pod, credentials } = await startAccepted(t);
    credentials.apply(pod.config({ wechatpay: { merchantId: '1900000002' } }));
    assert.deepEqual(pod.kept(), []);
  });

  it('is refused and removed when a list that is downloaded then revokes its certificate', async (t) => {
    const authority = await makeAuthority();
    const client = await issue(authority, 'client');
    let list = await makeList(0, []);
    const server = createServer((_, response) => response.end(list)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/ca.crl`;
    const pod = await makePod(t, filesOf({ ...pairFiles(client), 'ca.crt': authority.certificate }));
    const config = pod.config({ mtls: { revocation: { urls: [url] } } });
    const { credentials, events } = pod.start();
    const swapped = events.next('swapped');
    credentials.apply(config);
    await swapped;
    await credentials.stop();

    list = await makeList(0, [client.serialNumber]);
    await pod.volume.write(filesOf({ 'tls.crt': client.certificate }));
    const restarted = pod.start();
    const failed = restarted.events.next('last-good-failed');
    restarted.credentials.apply(config);
    assert.equal((await failed).error.code, 'certificate-revoked');
    assert.deepEqual([pod.kept(), restarted.store.entry('shop').snapshot], [[], undefined]);
  });
});
