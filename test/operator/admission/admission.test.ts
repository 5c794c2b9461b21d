// Reviews that a real API server asks for over HTTPS: what is refused, what is warned of, and what a webhook never sees.
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { withExpiredCertificate, withMismatchedPair } from '../../../src/testing/spoiled-material.ts';
import type { Files } from '../../../src/testing/secret-volume.ts';
import { rotateMerchant } from '../../../src/testing/wechatpay-material.ts';
import { noControlPlane, useControlPlane } from '../../support/control-plane.ts';
import { installDefinition, merchantId, until, wechatpaySpec } from '../../support/operator.ts';
import { messageOf, setUpReviews, usedBy } from '../../support/reviewed.ts';
import { call, makeMaterial } from '../../support/sidecar.ts';
import { keyPairs } from '../../support/key-pairs.ts';

const limit = { timeout: 300_000, skip: noControlPlane };
const controlPlane = useControlPlane(installDefinition, { isAudited: true });

/** A namespace whose Secrets are reviewed. */
const setUp = (t: TestContext) => setUpReviews(t, controlPlane());

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
    const { writer, recorder } = await setUp(t);
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
    await until(async () => recorder.of('reconciled').some(({ object }) => object === `${tenant.namespace}/own`));
    // Reconciliation makes an Event of what is let through, though what is stored then is good by itself.
    const annotations = { ...metadata('1900000002').annotations, 'paycert.dev/break-glass': new Date(Date.now() + 3_600_000).toISOString() }; // prettier-ignore
    const forced = await plane.attempt('PUT', path, { metadata: { ...metadata('1900000002'), annotations }, data });
    assert.equal(forced.status, 200, messageOf(forced));
    await until(async () => (await tenant.events()).includes('Warning BreakGlass Secret/own'));
  });

  it('with a break-glass annotation is stored until its time, which is at most a day ahead', limit, async (t) => {
    const { writer, tenant, recorder, plane, address } = await setUp(t);
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
    const time = at(1);
    const stored = await writer.secret(bad, { metadata: metadata(time) });
    assert.equal(stored.status, 201, messageOf(stored));
    assert.match(stored.warnings[0]!, /^Stored in spite of key-mismatch .* for its break-glass annotation until /);
    assert.equal(recorder.of('reviewed').at(-1)!.outcome, 'overridden');
    await tenant.condition('wechat-main', 'Valid', 'False KeyMismatch');
    const { message } = await tenant.condition('wechat-main', 'Overridden', 'True BreakGlass');
    assert.doesNotMatch(message, /BEGIN/);
    // The webhook, which has no side effects, makes no Event: reconciliation makes one.
    for (const reason of ['KeyMismatch', 'BreakGlass'])
      await until(async () => (await tenant.events()).includes(`Warning ${reason} PaymentCredential/wechat-main`), reason); // prettier-ignore
    const metrics = (await call(address, '/metrics')).content;
    assert.match(metrics, /^paycert_admission_reviews_total\{kind="Secret",outcome="overridden",dry_run="false"\} 1$/m);
    const audited = () => plane.audited(tenant.namespace, 'secrets.admission.paycert.dev');
    await until(async () => (await audited()).length === 5, 'each write is in the audit log');
    const notes = (await audited()).map(({ snapshots, ...others }) => [snapshots!.length, others] as const);
    const refused = { outcome: 'refused', reason: 'key-mismatch' };
    const overridden = { outcome: 'overridden', reason: 'key-mismatch', 'break-glass': time };
    assert.deepEqual(notes, [refused, refused, refused, refused, overridden].map((one) => [16, one])); // prettier-ignore
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
