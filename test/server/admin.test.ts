// Health: alive, started, ready. One expired merchant among many takes no pod out.
import assert from 'node:assert/strict';
import type { Event } from '../../src/events.ts';
import { after, describe, it } from 'node:test';
import { readSighting } from '../../src/operator/fleet/read-sighting.ts';
import { createAdmin } from '../../src/server/admin.ts';
import { listenOnPort } from '../../src/server/listeners.ts';
import type { Sighting } from '../../src/store/sighting.ts';
import { withExpiredCertificate } from '../../src/testing/spoiled-material.ts';
import { type CredentialOptions, loadStore, makeMaterial, start } from '../support/api-server.ts';
import { exchange } from '../support/http-client.ts';

const material = await makeMaterial();
const { files, merchant } = material;
const unverifiable = new Map([...files].filter(([name]) => !/^(wechatpay_|pub_key)/.test(name)));
const afterExpiry = new Date(merchant.notAfter.getTime() + 1);

async function startAdmin(
  credentials: Readonly<Record<string, CredentialOptions>>,
  {
    isListening = true,
    render = () => Promise.resolve('metric 1\n'),
    impediment = (): string | undefined => undefined,
    auditSighting = (): Sighting['audit'] => undefined,
  } = {},
) {
  const loaded = await loadStore(credentials);
  const metrics = { contentType: 'text/plain; version=0.0.4', render };
  const observe = (event: Event) => loaded.events.push(event);
  const about = { version: '0.0.0', startedAt: start };
  const admin = createAdmin({
    ...loaded,
    ...about,
    metrics,
    isListening: () => isListening,
    impediment,
    auditSighting,
    observe,
  });
  const { address, close } = await listenOnPort('127.0.0.1:0', admin);
  after(close);
  const ask = (path: string, method = 'GET') => exchange(address, { path, method });
  const statusOf = async (path: string) => (await ask(path)).status;
  return { ...loaded, ask, statusOf };
}

describe('/livez', () => {
  it('is ok whatever else is not', async () => {
    const { ask } = await startAdmin({ shop: { isRequired: true } }, { isListening: false });
    const { status, text } = await ask('/livez');
    assert.deepEqual([status, text], [200, 'ok\n']);
  });
});

describe('/startupz', () => {
  it('is ok when every listener is bound and every required credential was loaded once', async () => {
    const { statusOf, load, clock } = await startAdmin({ shop: { isRequired: true }, other: {} });
    assert.equal(await statusOf('/startupz'), 503);
    await load('shop', files);
    assert.equal(await statusOf('/startupz'), 200);
    clock.time = afterExpiry;
    assert.equal(await statusOf('/startupz'), 200);
  });

  it('is not ok before every listener is bound', async () => {
    const { statusOf } = await startAdmin({ shop: { files, isRequired: true } }, { isListening: false });
    assert.equal(await statusOf('/startupz'), 503);
  });
});

describe('/readyz', () => {
  it('follows what is required, and stays ok through a rejected reload', async () => {
    const { statusOf, load, clock } = await startAdmin({ shop: { isRequired: true } });
    assert.equal(await statusOf('/readyz'), 503);
    await load('shop', files);
    assert.equal(await statusOf('/readyz'), 200);
    const violation = await load('shop', await withExpiredCertificate(material, { now: start }));
    assert.equal(violation?.code, 'certificate-expired');
    assert.equal(await statusOf('/readyz'), 200);
    clock.time = afterExpiry;
    assert.equal(await statusOf('/readyz'), 503);
    clock.time = start;
    assert.equal(await statusOf('/readyz'), 200);
  });

  it('does not look at credentials that are not required, which have their own', async () => {
    const { statusOf, clock } = await startAdmin({ shop: { files }, other: {} });
    assert.deepEqual([await statusOf('/readyz'), await statusOf('/readyz/other')], [200, 503]);
    assert.equal(await statusOf('/readyz/shop'), 200);
    clock.time = afterExpiry;
    assert.deepEqual([await statusOf('/readyz'), await statusOf('/readyz/shop')], [200, 503]);
  });

  it('asks for what is required of each: signing needs no platform key', async () => {
    const { statusOf } = await startAdmin({
      signs: { files: unverifiable, isRequired: true },
      verifies: { files: unverifiable, requires: ['sign', 'verify'] },
    });
    const statuses = [await statusOf('/readyz'), await statusOf('/readyz/signs'), await statusOf('/readyz/verifies')];
    assert.deepEqual(statuses, [200, 200, 503]);
  });

  it('of a name that is no credential is 404', async () => {
    const { ask } = await startAdmin({ shop: { files } });
    for (const name of ['nobody', '', '__proto__', 'constructor', '%00', 'shop/', 'shop/sign', '../livez']) {
      const { status, text, headers } = await ask(`/readyz/${name}`);
      assert.deepEqual([status, headers['content-type']], [404, 'application/problem+json'], name);
      assert.match(text, /credential-unknown/);
    }
  });
});

describe('/status', () => {
  it('has what anybody may know, and nothing that is derived from a secret', async () => {
    const { ask, store, load } = await startAdmin({ shop: { files, isRequired: true }, other: {} });
    await load('shop', await withExpiredCertificate(material, { now: start }));
    const { status, headers, text } = await ask('/status');
    assert.deepEqual([status, headers['content-type']], [200, 'application/json']);
    const { ready, credentials } = JSON.parse(text) as { ready: boolean; credentials: Record<string, unknown>[] };
    const [shop, other] = credentials;
    assert.deepEqual([ready, shop?.['name'], shop?.['ready'], other?.['ready']], [true, 'shop', true, false]);
    assert.deepEqual((shop?.['rejection'] as { code: string }).code, 'certificate-expired');
    assert.ok(text.includes(merchant.serialNumber));
    const { snapshotId, context } = store.current('shop');
    for (const { role, keyId, fingerprint } of context.set.keys) {
      assert.ok(!text.includes(fingerprint), role);
      assert.equal(text.includes(keyId), role !== 'apiv3', role);
    }
    assert.ok(!text.includes(snapshotId));
  });
});

describe('/fleet', () => {
  it('has the snapshot of each credential, which /metrics has too, and nothing else that is derived from a secret', async () => {
    const { ask, store } = await startAdmin({ shop: { files }, other: {} });
    const { status, headers, text } = await ask('/fleet');
    assert.deepEqual([status, headers['content-type']], [200, 'application/json']);
    const { snapshotId, context } = store.current('shop');
    const { version, credentials } = JSON.parse(text) as { version: string; credentials: Record<string, unknown>[] };
    assert.deepEqual([version, credentials.map(({ name }) => name)], ['0.0.0', ['shop', 'other']]);
    assert.deepEqual([credentials[0]?.['snapshotId'], credentials[1]?.['snapshotId']], [snapshotId, undefined]);
    for (const { role, fingerprint } of context.set.keys) assert.ok(!text.includes(fingerprint), role);
  });
});

describe('/fleet of a sidecar with an audit', () => {
  it('has the end of what is kept, so that another one notices when it is cut off', async () => {
    const from = { seq: 0, number: 0, at: '2026-11-22T00:00:00.000Z' };
    for (const said of [undefined, { seq: 7, number: 2 ** 52 - 1 }, { seq: 7, number: 1, from }]) {
      const { ask } = await startAdmin({ shop: { files } }, { auditSighting: () => said });
      assert.deepEqual(readSighting(Buffer.from((await ask('/fleet')).text)).audit, said);
    }
  });
});

describe('the admin listener', () => {
  it('is not ready while callers cannot come in, and says why', async () => {
    let closed: string | undefined = 'the socket /x has been removed';
    const { ask } = await startAdmin({ shop: { files, isRequired: true } }, { impediment: () => closed });
    const { status, text } = await ask('/readyz');
    assert.deepEqual([status, text], [503, 'the socket /x has been removed\n']);
    assert.equal((await ask('/livez')).status, 200);
    closed = undefined;
    assert.equal((await ask('/readyz')).status, 200);
  });

  it('renders metrics, and survives it when that fails', async () => {
    let fails = false;
    const render = () => (fails ? Promise.reject(new Error('canary')) : Promise.resolve('metric 1\n'));
    const { ask } = await startAdmin({}, { render });
    const { text, headers } = await ask('/metrics');
    assert.deepEqual([text, headers['content-type']], ['metric 1\n', 'text/plain; version=0.0.4']);
    fails = true;
    const failed = await ask('/metrics');
    assert.equal(failed.status, 500);
    assert.doesNotMatch(failed.text, /canary/);
    assert.equal((await ask('/livez')).status, 200);
  });

  it('answers GET and HEAD, ignores queries, and knows no other method or path', async () => {
    const { ask, statusOf } = await startAdmin({});
    for (const path of ['/livez', '/startupz', '/readyz', '/metrics']) {
      assert.equal(await statusOf(`${path}?verbose=1`), 200);
      const head = await ask(path, 'HEAD');
      assert.deepEqual([head.status, head.text], [200, '']);
      const post = await ask(path, 'POST');
      assert.deepEqual([post.status, post.headers.allow], [405, 'GET, HEAD']);
    }
    for (const path of ['/', '/healthz', '/livez/', '/v1/credentials', '/__proto__', '*']) {
      assert.equal(await statusOf(path), 404, path);
    }
  });
});
