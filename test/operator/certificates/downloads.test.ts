// The operator on a real API server and a double of WeChat Pay: certificates are downloaded once, into a Secret that is meant for them, and nothing goes wrong quietly.
import assert from 'node:assert/strict';
import { before, describe, it, type TestContext } from 'node:test';
import { secrets as secretResource } from '../../../src/kube/resources.ts';
import { connect } from '../../../src/kube/client.ts';
import { startPaycert } from '../../../src/index.ts';
import { readStored, writeStored } from '../../../src/operator/certificates/stored.ts';
import { certificateList } from '../../../src/providers/wechatpay/certificate-list.ts';
import { downloadedName, untilName } from '../../../src/providers/wechatpay/downloaded.ts';
import { rotatePlatform, startWechatpayGateway, type WechatpayMaterial } from '../../../src/testing/index.ts';
import { noControlPlane, useControlPlane } from '../../support/control-plane.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { ownFiles, serialsOf } from '../../support/listing.ts';
import {
  installDefinition,
  leastRules,
  makeAccount,
  merchantId,
  type Overrides,
  rule,
  startOperator,
  Tenant,
  until,
  wechatpaySpec,
} from '../../support/operator.ts';
import { Recorder } from '../../support/recorder.ts';
import { makeMaterial } from '../../support/sidecar.ts';
import { startProxy, tunnelTo } from '../../support/tunnels.ts';

const limit = { timeout: 300_000, skip: noControlPlane };
const controlPlane = useControlPlane(installDefinition);
const asks = { platformCertificates: { secret: 'platform' } };
const labelled = { labels: { 'paycert.dev/certificates-of': 'wechat-main' } };
const hour = 3_600_000;
const other = new Map([['note', Buffer.from('not ours')]]);
/** What the chart grants: reading, and a patch of one Secret by its name. */
const rules = [
  ...leastRules,
  rule('', ['secrets'], 'get', 'list', 'watch'),
  { ...rule('', ['secrets'], 'get', 'patch'), resourceNames: ['platform'] },
];

let material: WechatpayMaterial;
before(async () => {
  material = await makeMaterial();
});

/** The merchant's Secret, and the one to write into, both there; WeChat Pay, whose clock is that of the operator; and the operator. */
async function start(t: TestContext, overrides: Overrides = {}, metadata: object = labelled) {
  const tenant = await Tenant.make(controlPlane());
  const { clock } = overrides;
  const platform = await startWechatpayGateway(clock && { now: () => clock.now() });
  t.after(() => platform.close());
  platform.admit(material);
  await tenant.write('keys', ownFiles(material));
  await tenant.write('platform', other, { ...metadata });
  const running = await startOperator(t, controlPlane(), {
    ...{ namespaces: [tenant.namespace], downloadsCertificates: true, platformDouble: platform.url },
    environment: await makeAccount(tenant, rules),
    ...overrides,
  });
  return { tenant, platform, running };
}

const stored = async ({ plane, namespace }: Tenant, name = 'platform'): Promise<Record<string, string>> => {
  const { data = {} } = await plane.admin('GET', `/api/v1/namespaces/${namespace}/secrets/${name}`);
  return data as Record<string, string>;
};
const serialsIn = (data: Record<string, string>) =>
  Object.keys(data).flatMap((name) => /^wechatpay_downloaded-(\w+)\.pem$/.exec(name)?.[1] ?? []).sort(); // prettier-ignore

describe('platform certificates that the operator downloads', () => {
  it('are in the Secret that is labelled for them, and nothing else in it is touched', limit, async (t) => {
    const { tenant, running } = await start(t);
    await tenant.create('wechat-main', wechatpaySpec('keys', asks));
    const { message } = await tenant.condition('wechat-main', 'CertificatesCurrent', 'True Listed');
    assert.match(message, /^Secret "platform" has what the platform lists\. They were listed last at 20/);
    const data = await stored(tenant);
    assert.deepEqual(serialsIn(data), serialsOf(material));
    assert.equal(Buffer.from(data['note'] ?? '', 'base64').toString(), 'not ours');
    const metrics = await (await fetch(`http://${running.address}/metrics`)).text();
    assert.match(metrics, /paycert_credential_condition\{[^}]*condition="CertificatesCurrent",status="True"\} 1/);
    assert.match(metrics, /paycert_operator_certificate_downloads_total\{outcome="listed",reason=""\} 1/);
    const said = JSON.stringify([running.recorder.events, await tenant.status('wechat-main')]) + metrics;
    for (const secret of [material.apiV3Key, Buffer.from(material.apiV3Key).toString('base64'), 'PRIVATE KEY'])
      assert.ok(!said.includes(secret));
  });

  it('come through the proxy on the way out, where there is one', limit, async (t) => {
    const platform = await startWechatpayGateway();
    t.after(() => platform.close());
    platform.admit(material);
    const proxy = await startProxy(t, tunnelTo(Number(new URL(platform.url).port)));
    // A name that nobody but that proxy knows.
    const overrides = { platformDouble: 'http://wechatpay.example', wayOut: { proxy: proxy.address } };
    const { tenant } = await start(t, overrides);
    await tenant.create('wechat-main', wechatpaySpec('keys', asks));
    await tenant.condition('wechat-main', 'CertificatesCurrent', 'True Listed');
    assert.deepEqual(proxy.asked, [{ target: 'wechatpay.example:80', authorization: undefined }]);
  });

  it('are current in a sidecar before their first message, and it asks nobody', limit, async (t) => {
    const clock = new FakeClock(new Date());
    const { tenant, platform } = await start(t, { clock });
    await tenant.create('wechat-main', wechatpaySpec('keys', asks));
    await tenant.condition('wechat-main', 'CertificatesCurrent', 'True Listed');
    const recorder = new Recorder();
    const { namespace } = tenant;
    const listed = recorder.next('certificates-listed');
    await using paycert = await startPaycert(
      [
        {
          ...{ name: 'shop', provider: { wechatpay: { merchantId } }, source: { secret: { name: 'keys', namespace } } },
          platformCertificates: { secret: 'platform', namespace },
        },
      ],
      { environment: { KUBECONFIG: await controlPlane().kubeconfig(namespace) }, observe: recorder.observe },
    );
    assert.equal((await listed).outcome, 'listed');
    const asked = platform.counts.accepted;
    const serials = () =>
      paycert.current('shop').context.set.keys.flatMap(({ role, keyId }) => (role === 'platform' ? [keyId] : [])).sort(); // prettier-ignore
    assert.deepEqual(serials(), serialsOf(material));

    const rotated = await rotatePlatform(material);
    platform.setPlatformKeys(merchantId, rotated.platformKeys);
    const swapped = recorder.next('swapped');
    clock.advance(7 * hour);
    await swapped;
    for (const serial of serialsOf(rotated)) assert.ok(serials().includes(serial));
    const gone = serialsOf(material).find((serial) => !serialsOf(rotated).includes(serial)) ?? '';
    const ends = Buffer.from((await stored(tenant))[untilName(gone)] ?? '', 'base64').toString();
    const left = (Date.parse(ends) - clock.now().getTime()) / (24 * hour);
    assert.ok(left > 6 && left <= 7, `what is no longer listed counts for its grace: ${String(left)} days`);
    assert.ok(platform.counts.accepted > asked, 'the operator asked, and nobody else could');
  });

  it(
    'stay when the list is empty, and when the platform refuses: a condition and an Event say so',
    limit,
    async (t) => {
      const clock = new FakeClock(new Date());
      const { tenant, platform, running } = await start(t, { clock });
      const fails = async (milliseconds: number): Promise<void> => {
        const listed = running.recorder.next('certificates-stored');
        clock.advance(milliseconds);
        assert.equal((await listed).outcome, 'failed');
      };
      await tenant.create('wechat-main', wechatpaySpec('keys', asks));
      await tenant.condition('wechat-main', 'CertificatesCurrent', 'True Listed');
      platform.setPlatformKeys(merchantId, []);
      await fails(7 * hour);
      await tenant.condition('wechat-main', 'CertificatesCurrent', 'False CertificateListEmpty');
      assert.deepEqual(serialsIn(await stored(tenant)), serialsOf(material));
      await until(async () => (await tenant.events()).includes('Warning CertificateListEmpty PaymentCredential/wechat-main')); // prettier-ignore
      platform.revoke(merchantId, material.merchant.serialNumber);
      await fails(2 * 60_000);
      const { message } = await tenant.condition('wechat-main', 'CertificatesCurrent', 'False CertificateListRefused');
      assert.match(message, /401 SIGN_ERROR.* The certificates in Secret "platform" stay\. They were listed last at /s);
      assert.deepEqual(serialsIn(await stored(tenant)), serialsOf(material));
    },
  );

  it(
    'have no place in a Secret that is missing, immutable or not labelled for them: nobody is asked',
    limit,
    async (t) => {
      const { tenant, platform } = await start(t, {}, {});
      const { plane, namespace } = tenant;
      await plane.admin('POST', `/api/v1/namespaces/${namespace}/secrets`, { metadata: { name: 'fixed', ...labelled }, immutable: true }); // prettier-ignore
      await tenant.create('a', wechatpaySpec('keys', asks));
      await tenant.create('wechat-main', wechatpaySpec('keys', { platformCertificates: { secret: 'fixed' } }));
      await tenant.create('c', wechatpaySpec('keys', { platformCertificates: { secret: 'nowhere' } }));
      const type = 'CertificatesCurrent';
      const { message } = await tenant.condition('a', type, 'False CertificatesSecretRefused');
      assert.match(message, /^Secret "platform" has no label paycert\.dev\/certificates-of with the value a or any\./);
      const immutable = await tenant.condition('wechat-main', type, 'False CertificatesSecretRefused');
      assert.match(immutable.message, /^Secret "fixed" is immutable/);
      await tenant.condition('c', type, 'False SecretMissing');
      assert.equal(platform.counts.accepted, 0);
      assert.deepEqual(Object.keys(await stored(tenant)), ['note']);
    },
  );

  it('are written into no Secret but those that the account may patch', limit, async (t) => {
    const { tenant } = await start(t);
    await tenant.write('elsewhere', other, labelled);
    await tenant.create('wechat-main', wechatpaySpec('keys', { platformCertificates: { secret: 'elsewhere' } }));
    await tenant.condition('wechat-main', 'CertificatesCurrent', 'False ClusterForbidden');
    assert.deepEqual(Object.keys(await stored(tenant, 'elsewhere')), ['note']);
  });

  it('are merged with what somebody else writes at the same moment, and never over it', limit, async (t) => {
    const { tenant } = await start(t);
    const { plane, namespace } = tenant;
    const client = connect({ KUBECONFIG: await plane.kubeconfig(namespace) });
    const { signal } = new AbortController();
    const place = { namespace, secret: 'platform', credential: 'wechat-main', list: certificateList };
    const before = await readStored(client, place, signal);
    await tenant.write('platform', new Map([['note', Buffer.from('newer')]]), labelled);
    const wanted = new Map([[downloadedName('AB'), Buffer.from('x')]]);
    await assert.rejects(writeStored(client, before, wanted, signal), { code: 'object-conflict' });
    assert.equal(Buffer.from((await stored(tenant))['note'] ?? '', 'base64').toString(), 'newer');
    await writeStored(client, await readStored(client, place, signal), wanted, signal);
    assert.deepEqual(Object.keys(await stored(tenant)).sort(), ['note', downloadedName('AB')].sort());
    const now = await client.get({ resource: secretResource, namespace, name: 'platform' }, signal);
    assert.equal(now.metadata.labels?.['paycert.dev/certificates-of'], 'wechat-main');
  });

  it('are nobody’s business while the operator is not told to: it says so, and asks nobody', limit, async (t) => {
    const { tenant, platform } = await start(t, { downloadsCertificates: false });
    await tenant.create('wechat-main', wechatpaySpec('keys', asks));
    await tenant.condition('wechat-main', 'CertificatesCurrent', 'False DownloadsOff');
    await tenant.patch('wechat-main', { platformCertificates: null });
    await until(async () => (await tenant.status('wechat-main'))?.conditions.every(({ type }) => type !== 'CertificatesCurrent') === true); // prettier-ignore
    assert.equal(platform.counts.accepted, 0);
  });

  it(
    'are downloaded again when the Secret is emptied, a minute after the last time at the soonest',
    limit,
    async (t) => {
      const clock = new FakeClock(new Date());
      const { tenant, platform, running } = await start(t, { clock });
      await tenant.create('wechat-main', wechatpaySpec('keys', asks));
      await tenant.condition('wechat-main', 'CertificatesCurrent', 'True Listed');
      const seen = running.recorder.next('reconciled');
      await tenant.write('platform', other, labelled);
      await seen;
      assert.equal(platform.counts.accepted, 1);
      const listed = running.recorder.next('certificates-stored');
      clock.advance(60_000);
      assert.deepEqual([(await listed).outcome, serialsIn(await stored(tenant))], ['listed', serialsOf(material)]);
    },
  );
});
