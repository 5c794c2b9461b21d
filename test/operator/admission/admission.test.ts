// Reviews that a real API server asks for over HTTPS: what is refused, what is warned of, and what a webhook never sees.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { withExpiredCertificate, withMismatchedPair } from '../../../src/testing/spoiled-material.ts';
import type { Files } from '../../../src/testing/secret-volume.ts';
import { rotateMerchant } from '../../../src/testing/wechatpay-material.ts';
import { askAt, startReviewing } from '../../support/admission.ts';
import { type Attempt, type Json, noControlPlane, useControlPlane } from '../../support/control-plane.ts';
import { installDefinition, merchantId, Tenant, until, wechatpaySpec } from '../../support/operator.ts';
import { makeMaterial } from '../../support/sidecar.ts';
import { keyPairs } from '../../support/key-pairs.ts';

const limit = { timeout: 300_000, skip: noControlPlane };
const controlPlane = useControlPlane(installDefinition);
const usedBy = { 'paycert.dev/used-by': 'wechat-main' };

interface Metadata {
  readonly labels?: Json;
  readonly annotations?: Json;
}

/** What somebody writes, and what the API server says to it. */
class Writer {
  readonly tenant: Tenant;

  constructor(tenant: Tenant) {
    this.tenant = tenant;
  }

  secret(
    files: Files,
    {
      metadata = { labels: usedBy },
      query = '',
      method = 'POST',
    }: { metadata?: Metadata; query?: string; method?: 'POST' | 'PUT' } = {},
  ): Promise<Attempt> {
    const data = Object.fromEntries([...files].map(([name, bytes]) => [name, Buffer.from(bytes).toString('base64')]));
    const path = `/api/v1/namespaces/${this.tenant.namespace}/secrets${method === 'PUT' ? '/keys' : ''}${query}`;
    return this.tenant.plane.attempt(method, path, { metadata: { name: 'keys', ...metadata }, data });
  }

  resource(name: string, spec: Json, query = ''): Promise<Attempt> {
    const path = `/apis/paycert.dev/v1alpha1/namespaces/${this.tenant.namespace}/paymentcredentials${query}`;
    const object = { apiVersion: 'paycert.dev/v1alpha1', kind: 'PaymentCredential', metadata: { name }, spec };
    return this.tenant.plane.attempt('POST', path, object);
  }
}

const messageOf = ({ object }: Attempt): string => String(object['message']);

/** A namespace whose Secrets are reviewed, with a resource that names `keys`. */
async function setUp(t: TestContext, changes: Json = {}) {
  const plane = controlPlane();
  const tenant = await Tenant.make(plane);
  const { namespace } = tenant;
  const running = await startReviewing(t, plane, { namespaces: [namespace] });
  const { reviews: address, authority } = running;
  const ask = () => askAt(t, plane, { address, authority, namespace, changes });
  const writer = new Writer(tenant);
  await ask();
  // The API server reads its configuration a moment after it is stored.
  await until(async () => {
    await writer.resource('probe', wechatpaySpec('keys'), '?dryRun=All');
    return running.recorder.of('reviewed').length > 0;
  }, 'the webhook is asked');
  await tenant.create('wechat-main', wechatpaySpec('keys'));
  await until(async () => (await tenant.status('wechat-main')) !== undefined, 'the resource is known');
  return { ...running, plane, tenant, writer };
}

describe('a Secret that is written', () => {
  it('is stored when a sidecar would accept it, with warnings of what is odd', limit, async (t) => {
    const { writer, tenant, recorder } = await setUp(t);
    const material = await makeMaterial();
    const first = await writer.secret(material.files);
    assert.equal(first.status, 201, messageOf(first));
    assert.deepEqual(first.warnings, ['The apiv3 key is new and unproven: only the platform knows whether it has the same.']); // prettier-ignore
    await tenant.condition('wechat-main', 'Ready', 'True Ready');
    const [, , , , , other] = await keyPairs();
    const ends = new Date(Date.now() + 6 * 86_400_000);
    const next = await rotateMerchant(material, { now: new Date(), keyPair: other! });
    const soon = await material.authority.issue({
      commonName: merchantId,
      keyPair: next.merchant,
      notBefore: new Date(Date.now() - 400 * 86_400_000),
      notAfter: ends,
    });
    const files = new Map(next.files).set('apiclient_cert.pem', Buffer.from(soon.certificate));
    const second = await writer.secret(files, { method: 'PUT' });
    assert.equal(second.status, 200, messageOf(second));
    assert.match(second.warnings.join('\n'), /expires at .*Have its successor deployed/);
    assert.match(second.warnings.join('\n'), /is older \(.*\) than the current one/);
    assert.deepEqual(recorder.of('reviewed').filter(({ kind }) => kind === 'Secret').map(({ outcome }) => outcome), ['allowed', 'allowed']); // prettier-ignore
  });

  it('is refused with code, field and remedy when a sidecar would reject it, and what was stored stays', limit, async (t) => {
    const { writer, tenant } = await setUp(t);
    const material = await makeMaterial();
    const bad: readonly (readonly [Files, RegExp])[] = [
      [await withMismatchedPair(material), /^admission webhook "secrets\.admission\.paycert\.dev" denied the request: key-mismatch: .*apiclient_key\.pem.*\. [A-Z]/],
      [await withExpiredCertificate(material), /certificate-expired: .* is not valid after .*\. [A-Z]/],
      [new Map([...material.files].filter(([name]) => name !== 'apiclient_key.pem')), /apiclient_key\.pem/],
      [new Map(), /denied the request: [a-z-]+: /],
    ]; // prettier-ignore
    for (const [files, message] of bad) {
      const { status, object } = await writer.secret(files);
      assert.equal(status, 403, JSON.stringify(object));
      assert.match(String(object['message']), message);
      const { causes } = object['details'] as { causes: readonly { reason: string }[] };
      assert.match(causes[0]!.reason, /^[a-z-]+$/);
    }
    assert.equal((await writer.secret(material.files)).status, 201);
    assert.equal((await writer.secret(bad[0]![0], { method: 'PUT' })).status, 403);
    await tenant.condition('wechat-main', 'Ready', 'True Ready');
  }); // prettier-ignore

  it('is reviewed by a dry run, which stores nothing', limit, async (t) => {
    const { writer, tenant, recorder, plane } = await setUp(t);
    const material = await makeMaterial();
    const good = await writer.secret(material.files, { query: '?dryRun=All' });
    assert.equal(good.status, 201, messageOf(good));
    assert.equal(good.warnings.length, 1);
    const bad = await writer.secret(await withMismatchedPair(material), { query: '?dryRun=All' });
    assert.equal(bad.status, 403);
    const secrets = await plane.admin('GET', `/api/v1/namespaces/${tenant.namespace}/secrets`);
    assert.deepEqual(secrets['items'], []);
    const reviewed = recorder.of('reviewed').filter(({ kind }) => kind === 'Secret');
    assert.deepEqual(reviewed.map(({ outcome, isDryRun }) => [outcome, isDryRun]), [['allowed', true], ['refused', true]]); // prettier-ignore
  });

  it('is not reviewed without a label, nor when neither its data nor its labels change', limit, async (t) => {
    const { writer, tenant, recorder, plane } = await setUp(t);
    const material = await makeMaterial();
    const bad = await withMismatchedPair(material);
    const unlabelled = await writer.secret(bad, { metadata: {} });
    assert.equal(unlabelled.status, 201);
    const { message } = await tenant.condition('wechat-main', 'Valid', 'False KeyMismatch');
    assert.doesNotMatch(message, /BEGIN/);
    const path = `/api/v1/namespaces/${tenant.namespace}/secrets/keys`;
    // The label makes it one that is reviewed, and what it holds is still bad.
    const label = { metadata: { labels: usedBy } };
    assert.equal((await plane.attempt('PATCH', path, label, 'application/merge-patch+json')).status, 403);
    assert.equal((await writer.secret(material.files, { method: 'PUT' })).status, 200);
    const before = recorder.of('reviewed').length;
    const note = { metadata: { annotations: { note: 'x' } } };
    assert.equal((await plane.attempt('PATCH', path, note, 'application/merge-patch+json')).status, 200);
    assert.equal(recorder.of('reviewed').length, before);
  });

  it('is reviewed for its own labels where no resource names it, and stays with its account', limit, async (t) => {
    const { writer } = await setUp(t);
    const material = await makeMaterial();
    const labels = { 'paycert.dev/provider': 'wechatpay' };
    const metadata = (merchant: string) => ({ name: 'own', labels, annotations: { 'paycert.dev/option.merchantId': merchant } }); // prettier-ignore
    const refused = await writer.secret(await withMismatchedPair(material), { metadata: metadata(merchantId) });
    assert.match(messageOf(refused), /"labelled\.admission\.paycert\.dev" denied the request: key-mismatch/);
    const odd = await writer.secret(material.files, { metadata: metadata('none') });
    assert.match(messageOf(odd), /denied the request: labels-invalid: annotation paycert\.dev\/option\.merchantId/);
    assert.equal((await writer.secret(material.files, { metadata: metadata(merchantId) })).status, 201);
    const other = await makeMaterial(1, '1900000002');
    const { tenant, plane } = { tenant: writer.tenant, plane: writer.tenant.plane };
    const data = Object.fromEntries(
      [...other.files].map(([name, bytes]) => [name, Buffer.from(bytes).toString('base64')]),
    );
    const path = `/api/v1/namespaces/${tenant.namespace}/secrets/own`;
    const moved = await plane.attempt('PUT', path, { metadata: metadata('1900000002'), data });
    assert.match(messageOf(moved), /denied the request: identity-changed: .*1900000002.*1900000001/);
  });

  it('with a break-glass annotation is stored until its time, which is at most a day ahead', limit, async (t) => {
    const { writer, tenant, recorder } = await setUp(t);
    const bad = await withMismatchedPair(await makeMaterial());
    const at = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString();
    const metadata = (time: string) => ({ labels: usedBy, annotations: { 'paycert.dev/break-glass': time } });
    for (const [time, why] of [
      [at(25), /break-glass-invalid: .* is more than 24 hours ahead/],
      [at(-1), /break-glass-invalid: .* ended at /],
      ['tomorrow', /break-glass-invalid: .* is not a time/],
      ['2026-03-01', /break-glass-invalid: .* is not a time/],
    ] as const) {
      const refused = await writer.secret(bad, { metadata: metadata(time) });
      assert.equal(refused.status, 403);
      assert.match(messageOf(refused), /key-mismatch/);
      assert.match(messageOf(refused), why);
    }
    const stored = await writer.secret(bad, { metadata: metadata(at(1)) });
    assert.equal(stored.status, 201, messageOf(stored));
    assert.match(stored.warnings[0]!, /^Stored in spite of key-mismatch .* for its break-glass annotation until /);
    assert.equal(recorder.of('reviewed').at(-1)!.outcome, 'overridden');
    await tenant.condition('wechat-main', 'Valid', 'False KeyMismatch');
    await until(async () => (await tenant.events()).includes('Warning KeyMismatch PaymentCredential/wechat-main'));
  });

  it('of 1 MiB is reviewed', limit, async (t) => {
    const { writer, recorder } = await setUp(t);
    const material = await makeMaterial();
    const large = new Map(material.files).set('ballast', Buffer.alloc(1024 * 1024 - 16 * 1024, 'x'));
    assert.equal((await writer.secret(large)).status, 201);
    // Old and new together.
    const larger = new Map(material.files).set('ballast', Buffer.alloc(1024 * 1024 - 16 * 1024, 'y'));
    assert.equal((await writer.secret(larger, { method: 'PUT' })).status, 200);
    assert.deepEqual(recorder.of('reviewed').filter(({ kind }) => kind === 'Secret').map(({ outcome }) => outcome), ['allowed', 'allowed']); // prettier-ignore
  });
});

describe('a PaymentCredential that is written', () => {
  it('is refused when another names the same keys for the same account', limit, async (t) => {
    const { writer, tenant } = await setUp(t);
    const twin = await writer.resource('twin', wechatpaySpec('keys'));
    assert.equal(twin.status, 403);
    assert.match(messageOf(twin), /denied the request: resource-duplicate: PaymentCredential "wechat-main" names Secret "keys"/);
    const provider = { wechatpay: { merchantId: '1900000002' } };
    assert.equal((await writer.resource('other', wechatpaySpec('keys', { provider }))).status, 201);
    const renamed = { secret: { name: 'keys', keys: { 'apiclient_key.pem': 'second.pem' } } };
    assert.equal((await writer.resource('renamed', wechatpaySpec('keys', { source: renamed }))).status, 201);
    await tenant.patch('wechat-main', { maxAge: '30d' });
  }); // prettier-ignore

  it('has warnings of a Secret that is not there, or is not reviewed', limit, async (t) => {
    const { writer } = await setUp(t);
    const missing = await writer.resource('second', wechatpaySpec('none'));
    assert.equal(missing.status, 201, messageOf(missing));
    assert.deepEqual(missing.warnings, ['There is no Secret none in this namespace yet.']);
    assert.equal((await writer.secret((await makeMaterial()).files, { metadata: {} })).status, 201);
    const provider = { wechatpay: { merchantId: '1900000003' } };
    await until(async () => {
      const { warnings } = await writer.resource('third', wechatpaySpec('keys', { provider }), '?dryRun=All');
      return /has no label paycert\.dev\/used-by: what is written to it is not reviewed/.test(warnings.join());
    });
  });
});

describe('a webhook that is away', () => {
  it('lets a write through, and under Fail refuses it', limit, async (t) => {
    const ignoring = await setUp(t);
    await ignoring.stop();
    const bad = await withMismatchedPair(await makeMaterial());
    assert.equal((await ignoring.writer.secret(bad)).status, 201);
    const failing = await setUp(t, { failurePolicy: 'Fail' });
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

  it('and says nothing costs a write three seconds, no more', limit, async (t) => {
    const { writer, authority, tenant, plane, stop } = await setUp(t);
    await stop();
    const silent = createServer(() => undefined).listen(0, 'localhost');
    await once(silent, 'listening');
    t.after(() => silent.close());
    const { port } = silent.address() as { port: number };
    await askAt(t, plane, { address: `localhost:${port}`, authority, namespace: tenant.namespace, name: 'silent' });
    const bad = await withMismatchedPair(await makeMaterial());
    let seconds = 0;
    await until(async () => {
      const began = performance.now();
      const { status } = await writer.secret(bad, { query: '?dryRun=All' });
      seconds = (performance.now() - began) / 1000;
      assert.equal(status, 201);
      return seconds > 1;
    }, 'the silent webhook is asked');
    assert.ok(seconds >= 3 && seconds < 4, `${seconds} s`);
  });
});
