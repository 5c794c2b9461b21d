// Reviews that fail: a webhook that is away, slow, or whose certificate is rotten, and an API server that restarts. What writers see, and what alerts ask for.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createHttpsServer } from 'node:https';
import { createServer, type AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, it, type TestContext } from 'node:test';
import { createAuthority } from '../../../src/testing/authority.ts';
import { withMismatchedPair } from '../../../src/testing/spoiled-material.ts';
import { askAt, issueForLocalhost, startReviewing } from '../../support/admission.ts';
import { type ControlPlane, noControlPlane, useControlPlane } from '../../support/control-plane.ts';
import { installDefinition, Tenant, until, wechatpaySpec } from '../../support/operator.ts';
import { messageOf, setUpReviews, Writer } from '../../support/reviewed.ts';
import { call, makeMaterial } from '../../support/sidecar.ts';

const limit = { timeout: 300_000, skip: noControlPlane };
const controlPlane = useControlPlane(installDefinition);
const dryRun = { query: '?dryRun=All' };

describe('a webhook that is away', () => {
  it('lets a write through, and under Fail refuses it', limit, async (t) => {
    const ignoring = await setUpReviews(t, controlPlane());
    await ignoring.stop();
    const bad = await withMismatchedPair(await makeMaterial());
    assert.equal((await ignoring.writer.secret(bad)).status, 201);
    const failing = await setUpReviews(t, controlPlane(), { failurePolicy: 'Fail' });
    await failing.stop();
    const refused = await failing.writer.secret(bad);
    assert.equal(refused.status, 500);
    assert.match(messageOf(refused), /failed calling webhook "secrets\.admission\.paycert\.dev"/);
    // What the alert PaycertAdmissionUnavailable asks for.
    const metrics = await failing.plane.metrics();
    assert.match(metrics, /^apiserver_admission_webhook_fail_open_count\{name="secrets\.admission\.paycert\.dev",type="validating"\} 1$/m); // prettier-ignore
    assert.match(metrics, /^apiserver_admission_webhook_rejection_count\{error_type="calling_webhook_error",name="secrets\.admission\.paycert\.dev",operation="CREATE",.*\} 1$/m); // prettier-ignore
    // What it would not be asked about is stored all the same.
    assert.equal((await failing.writer.secret(bad, { metadata: {} })).status, 201);
  });

  it('and answers within three seconds is waited for', limit, async (t) => {
    const { writer, authority, tenant, plane, stop } = await setUpReviews(t, controlPlane());
    await stop();
    const { certificate: cert, key } = await issueForLocalhost();
    const slow = createHttpsServer({ cert, key }, (incoming, response) => {
      void json(incoming).then(async (body) => {
        const { uid } = (body as { readonly request: { readonly uid: string } }).request;
        await sleep(2000);
        const said = { uid, allowed: false, status: { message: 'at last' } };
        response.end(JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: said }));
      });
    }).listen(0, 'localhost');
    await once(slow, 'listening');
    t.after(() => slow.closeAllConnections());
    t.after(() => slow.close());
    const { port } = slow.address() as AddressInfo;
    await askAt(t, plane, { address: `localhost:${port}`, authority, namespace: tenant.namespace, name: 'slow' });
    const { files } = await makeMaterial();
    await until(async () => messageOf(await writer.secret(files, dryRun)).endsWith('denied the request: at last'), 'the slow webhook is asked'); // prettier-ignore
  });

  it('and says nothing costs a write three seconds, no more', limit, async (t) => {
    const { writer, authority, tenant, plane, stop } = await setUpReviews(t, controlPlane());
    await stop();
    const silent = createServer(() => undefined).listen(0, 'localhost');
    await once(silent, 'listening');
    t.after(() => silent.close());
    const { port } = silent.address() as { port: number };
    await askAt(t, plane, { address: `localhost:${port}`, authority, namespace: tenant.namespace, name: 'silent' });
    const bad = await withMismatchedPair(await makeMaterial());
    await until(async () => {
      const began = performance.now();
      const { status } = await writer.secret(bad, { query: '?dryRun=All' });
      const seconds = (performance.now() - began) / 1000;
      assert.equal(status, 201);
      // Less: it is not asked yet. More: this machine was busy with something else meanwhile.
      return seconds >= 3 && seconds < 4;
    }, 'a write waits three seconds for the silent webhook');
  });
});

describe('a webhook whose certificate is rotten', () => {
  /** A namespace whose reviews no API server can trust. */
  async function setUp(t: TestContext, rotten: Awaited<ReturnType<typeof issueForLocalhost>>) {
    const plane = controlPlane();
    const tenant = await Tenant.make(plane);
    const { namespace } = tenant;
    const running = await startReviewing(t, plane, { namespaces: [namespace] });
    const { reviews: address, authority, present } = running;
    await tenant.create('wechat-main', wechatpaySpec('keys'));
    // Before the API server has a connection, which it would keep.
    await present(rotten);
    const id = await askAt(t, plane, { address, authority, namespace, changes: { failurePolicy: 'Fail' } });
    return { ...running, plane, id, writer: new Writer(tenant) };
  }

  /** Writes that this API server has stored without a review. */
  async function failedOpen(plane: ControlPlane): Promise<number> {
    const line = /^apiserver_admission_webhook_fail_open_count\{name="secrets\.admission\.paycert\.dev",.*\} (\d+)$/m;
    return Number(line.exec(await plane.metrics())?.[1] ?? 0);
  }

  const hours = (count: number) => new Date(Date.now() + count * 3_600_000);
  for (const [what, issue, said] of [
    ['has expired', () => issueForLocalhost({ notBefore: hours(-25), notAfter: hours(-1) }), /x509: certificate has expired or is not yet valid/],
    ['is for another host', () => issueForLocalhost({ hostNames: ['elsewhere'] }), /x509: certificate is valid for elsewhere, not localhost/],
    ['is of another authority', async () => issueForLocalhost({}, await createAuthority({ now: new Date() })), /x509: certificate signed by unknown authority/],
  ] as const)
    it(`since it ${what}, refuses writes under Fail, lets them through under Ignore, and reviews again once it is good`, limit, async (t) => {
      const { plane, id, writer, address, present } = await setUp(t, await issue());
      const { files } = await makeMaterial();
      await until(async () => (await writer.secret(files, dryRun)).status !== 201, 'the webhook counts');
      const refused = await writer.secret(files);
      assert.equal(refused.status, 500);
      assert.match(messageOf(refused), /failed calling webhook "secrets\.admission\.paycert\.dev"/);
      assert.match(messageOf(refused), said);

      const path = `/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/${id}`;
      const ignore = [0, 1, 2].map((index) => ({ op: 'replace', path: `/webhooks/${index}/failurePolicy`, value: 'Ignore' }));
      await plane.admin('PATCH', path, ignore, 'application/json-patch+json');
      const before = await failedOpen(plane);
      const bad = await withMismatchedPair(await makeMaterial());
      await until(async () => (await writer.secret(bad, dryRun)).status === 201, 'it fails open');
      // What the alert PaycertAdmissionUnavailable asks for.
      assert.ok((await failedOpen(plane)) > before);

      const { content } = await call(address, '/metrics');
      const [, notAfter] = /^paycert_admission_certificate_not_after_timestamp_seconds (\S+)$/m.exec(content) ?? [];
      assert.equal(Number(notAfter) * 1000 < Date.now(), what === 'has expired');
      await present(await issueForLocalhost());
      await until(async () => (await writer.secret(bad, dryRun)).status === 403, 'it reviews again');
      assert.equal((await writer.secret(files, dryRun)).status, 201);
    }); // prettier-ignore
});

describe('an API server that restarts', () => {
  const restarted = useControlPlane(installDefinition);

  it('stores nothing under Fail that was not reviewed, and asks again as soon as it serves', limit, async (t) => {
    const plane = restarted();
    const { writer, tenant, recorder } = await setUpReviews(t, plane, { failurePolicy: 'Fail' });
    const { files } = await makeMaterial();
    const bad = await withMismatchedPair(await makeMaterial());
    assert.equal((await writer.secret(bad)).status, 403);
    await plane.killApiServer();
    await plane.startApiServer();
    const seen = new Set<number>();
    await until(async () => {
      const { status } = await writer.secret(bad);
      seen.add(status);
      return status === 403;
    }, 'it asks again');
    assert.ok(!seen.has(201), 'a write was stored without a review');
    const reviewed = recorder.of('reviewed').filter(({ kind }) => kind === 'Secret');
    assert.ok(reviewed.length >= 2);
    assert.equal((await writer.secret(files)).status, 201);
    await tenant.condition('wechat-main', 'Ready', 'True Ready');
  });
});
