// A Secret as a source, against a real API server: what is written is current, and nothing is lost when the server is away.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it, type TestContext } from 'node:test';
import { systemClock } from '../../src/clock.ts';
import { findAccess } from '../../src/kube/access.ts';
import { KubeClient } from '../../src/kube/client.ts';
import { files } from '../../src/sources/files.ts';
import { fallback } from '../../src/sources/fallback.ts';
import { secret } from '../../src/sources/secret.ts';
import { createSecretVolume } from '../../src/testing/secret-volume.ts';
import { noControlPlane, useControlPlane } from '../support/control-plane.ts';
import { makeDirectory, textsOf } from '../support/directories.ts';
import { FakeClock, passUntil } from '../support/fake-clock.ts';
import { describeMaterial } from '../support/fake-provider.ts';
import { makeSecret, secretName, watchSecret } from '../support/secret-source.ts';

const limit = { timeout: 300_000, skip: noControlPlane };
const signal = new AbortController().signal;
const controlPlane = useControlPlane();

/** Time that passes by itself, ten seconds at once. */
function hurry(t: TestContext, clock: FakeClock): void {
  const timer = setInterval(() => clock.advance(10_000), 20);
  t.after(() => clearInterval(timer));
}

describe('a Secret', () => {
  const read = async (data: Record<string, string | Uint8Array>, keys?: Record<string, string>) => {
    const plane = controlPlane();
    const { client, namespace } = await makeSecret({ plane });
    await plane.writeSecret(namespace, 'other', data);
    const time = { clock: systemClock, random: Math.random, observe: () => undefined };
    const source = secret({ secret: 'other', namespace, ...(keys && { keys }), client: async () => client, ...time });
    return { source, material: await source.read(signal) };
  };

  it('is read with its version, and the time it was written, to the second', limit, async () => {
    const before = Date.now();
    const { material, source } = await read({ apiv3_key: 'k' });
    assert.deepEqual(textsOf(material.data), { apiv3_key: 'k' });
    assert.match(material.version!, /^\d+$/);
    const changedAt = material.changedAt!.getTime();
    assert.ok(changedAt > before - 1000 && changedAt <= Date.now(), `${changedAt - before} ms`);
    assert.match(source.name, /^secret:test-\d+\/other$/);
  });

  it('is given under the names configured', limit, async () => {
    const { material } = await read({ 'old.pem': 'o', 'tls.key': 'k' }, { 'retired/old.pem': 'old.pem' });
    assert.deepEqual(textsOf(material.data), { 'retired/old.pem': 'o', 'tls.key': 'k' });
  });

  it('may have a key that is named as what every object has', limit, async () => {
    const entries = [['__proto__', 'p'], ['constructor', 'c']] as const; // prettier-ignore
    const { material } = await read(Object.fromEntries(entries));
    assert.deepEqual([...material.data.keys()].sort(), ['__proto__', 'constructor']);
    assert.equal(Buffer.from(material.data.get('__proto__')!).toString(), 'p');
  });

  it('may be as large as the API allows', limit, async () => {
    const bytes = randomBytes(1024 * 1024 - 100);
    const { material } = await read({ large: bytes });
    assert.equal(Buffer.compare(material.data.get('large')!, bytes), 0);
  });

  it('may have a name of the greatest length, an empty value, and be immutable', limit, async () => {
    const plane = controlPlane();
    const { client, namespace } = await makeSecret({ plane });
    const name = Array.from({ length: 4 }, () => 's'.repeat(62)).join('.');
    const object = { metadata: { name }, immutable: true, data: { 'tls.key': 'aw==', 'ca.crt': '' } };
    await plane.admin('POST', `/api/v1/namespaces/${namespace}/secrets`, object);
    const time = { clock: systemClock, random: Math.random, observe: () => undefined };
    const { data } = await secret({ secret: name, namespace, client: async () => client, ...time }).read(signal);
    assert.deepEqual(textsOf(data), { 'tls.key': 'k', 'ca.crt': '' });
  });

  it('without any data is empty', limit, async () => {
    const { material } = await read({});
    assert.equal(material.data.size, 0);
  });
});

describe('a watched Secret', () => {
  it('is current after every write, and the poll finds nothing that was missed', limit, async (t) => {
    const { client, write } = await makeSecret({ plane: controlPlane() });
    const watching = watchSecret(t, client);
    await watching.untilSignsWith('0');
    for (const id of ['1', '2', '3', '4', '5']) await watching.change(() => write(id), id);
    assert.deepEqual(watching.recorder.of('found-by-poll'), []);
    assert.deepEqual(watching.recorder.of('watch-failed'), []);
  });

  it(
    'that is deleted leaves the last good snapshot current, says so, and is followed when it is back',
    limit,
    async (t) => {
      const { client, write, remove } = await makeSecret({ plane: controlPlane() });
      const watching = watchSecret(t, client);
      await watching.untilSignsWith('0');
      await watching.change(() => write('1'), '1');
      const [failed] = await Promise.all([watching.recorder.next('source-failed'), remove()]);
      assert.equal(failed.error.code, 'object-missing');
      assert.match(failed.error.message, /get secrets "wechat-main" in namespace "test-\d+"/);
      assert.equal(watching.signsWith, '1');
      await watching.change(() => write('2'), '2');
    },
  );

  it('that is deleted and made again within a second is the new one at the end, each time', limit, async (t) => {
    const { client, write, remove } = await makeSecret({ plane: controlPlane() });
    const watching = watchSecret(t, client);
    await watching.untilSignsWith('0');
    for (const id of ['1', '2', '3']) {
      await remove();
      await write(id);
      await watching.untilSignsWith(id);
    }
    assert.deepEqual(watching.recorder.of('found-by-poll'), []);
  });

  it('that comes into being later is current at once', limit, async (t) => {
    const { client, write, remove } = await makeSecret({ plane: controlPlane() });
    await remove();
    const watching = watchSecret(t, client);
    const failed = await watching.recorder.next('source-failed');
    assert.equal(failed.error.code, 'object-missing');
    await watching.change(() => write('1'), '1');
  });

  it('says within a minute what permission is missing, and is followed again when it returns', limit, async (t) => {
    const plane = controlPlane();
    const { namespace, write } = await makeSecret({ plane });
    const rules = [{ apiGroups: [''], resources: ['secrets'], resourceNames: [secretName], verbs: ['get', 'list', 'watch'] }]; // prettier-ignore
    const account = await plane.makeServiceAccount(namespace, 'shop', rules);
    const environment = { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: String(plane.port) };
    const client = new KubeClient(() => findAccess(environment, account));
    const clock = new FakeClock();
    const watching = watchSecret(t, client, clock);
    await watching.untilSignsWith('0');
    await watching.change(() => write('1'), '1');

    const said = watching.recorder.next('watch-failed');
    const failed = watching.recorder.next('source-failed');
    await plane.withdraw(namespace, 'shop');
    // No time passes behind those: an API server that is slow makes it no later.
    await passUntil(said, clock, 90_000, 50);
    assert.equal((await said).reason, 'cluster-forbidden');
    hurry(t, clock);
    const { error } = await failed;
    assert.equal(error.code, 'cluster-forbidden');
    // Whichever is asked first: each of them is forbidden.
    assert.match(error.message, /^(?:get|list) secrets "wechat-main" in namespace "test-\d+": .* forbids/);
    assert.equal(watching.signsWith, '1');

    const restarted = watching.recorder.next('watch-restarted');
    await write('2');
    await Promise.all([restarted, watching.untilSignsWith('2'), plane.grant(namespace, 'shop', rules)]);
  });

  it('survives the end and the return of the API server', limit, async (t) => {
    const plane = controlPlane();
    const { client, write } = await makeSecret({ plane });
    // Its time does not pass while a server starts.
    const clock = new FakeClock();
    const watching = watchSecret(t, client, clock);
    await watching.untilSignsWith('0');
    await watching.change(() => write('1'), '1');
    await Promise.all([watching.recorder.next('watch-failed'), plane.killApiServer()]);
    assert.equal(watching.signsWith, '1');
    const restarted = watching.recorder.next('watch-restarted');
    await plane.startApiServer();
    await passUntil(restarted, clock, 20_000);
    for (const id of ['2', '3']) await watching.change(() => write(id), id);
    assert.deepEqual(watching.recorder.of('source-failed'), [], 'an interruption this short is none');
  });

  it(
    'counts as unreadable after half a minute without a watch, and as readable when it stands again',
    limit,
    async (t) => {
      const plane = controlPlane();
      const { client, write } = await makeSecret({ plane });
      const clock = new FakeClock();
      const watching = watchSecret(t, client, clock);
      await watching.untilSignsWith('0');
      await watching.change(() => write('1'), '1');
      await Promise.all([watching.recorder.next('watch-failed'), plane.killApiServer()]);
      const brokenAt = clock.now();
      const failed = watching.recorder.next('source-failed');
      hurry(t, clock);
      assert.equal((await failed).error.code, 'cluster-unreachable');
      assert.ok(clock.now().getTime() - brokenAt.getTime() >= 30_000);
      assert.equal(watching.signsWith, '1');
      const recovered = watching.recorder.next('unchanged', ({ isRecovery }) => isRecovery);
      await plane.startApiServer();
      await recovered;
      await watching.change(() => write('2'), '2');
    },
  );
});

describe('a Secret with its mount behind it', () => {
  it('is read through the API, and from the mount when it cannot be watched for half a minute', limit, async (t) => {
    const plane = controlPlane();
    const { client, write } = await makeSecret({ plane });
    const directory = await makeDirectory(t);
    const mount = await createSecretVolume(directory, describeMaterial({ keyId: '0' }));
    const clock = new FakeClock();
    const watching = watchSecret(t, client, clock, (source, { observe }) => {
      const mounted = files({ paths: [directory], pollMilliseconds: 10_000, clock, observe });
      return fallback({ sources: [source, mounted], clock, observe });
    });
    await watching.untilSignsWith('0');
    await watching.change(() => write('1'), '1');

    // kubelet is late: the mount has what was replaced.
    await Promise.all([watching.recorder.next('watch-failed'), plane.killApiServer()]);
    // Neither source may be there for a moment.
    const behind = watching.recorder.next('source-failed', (failed) => failed.error.code === 'source-behind');
    hurry(t, clock);
    await behind;
    assert.equal(watching.signsWith, '1');

    // Then it shows the same, which is no reload, and then something newer.
    const recovered = watching.recorder.next('unchanged', ({ isRecovery }) => isRecovery);
    await mount.write(describeMaterial({ keyId: '1' }));
    await recovered;
    assert.equal(watching.recorder.of('fallback-caught-up').length, 1);
    await watching.change(() => mount.write(describeMaterial({ keyId: '2' })), '2');
    assert.deepEqual(
      watching.recorder.of('source-chosen').map(({ source, error }) => [source, error?.code]),
      [[`files:${directory}`, 'cluster-unreachable']],
    );

    const back = watching.recorder.next('source-chosen');
    await plane.startApiServer();
    assert.equal((await back).source, 'secret:wechat-main');
    await watching.change(() => write('3'), '3');
  });
});

describe('the name of a Secret', () => {
  it('says the namespace only where one was given', () => {
    const parts = { client: () => Promise.reject(new Error()), clock: systemClock, random: Math.random, observe: () => undefined }; // prettier-ignore
    assert.equal(secret({ secret: 'a', ...parts }).name, 'secret:a');
  });
});
