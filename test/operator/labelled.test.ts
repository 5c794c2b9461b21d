// Secrets that only carry a label: metrics and Events for what is already in the cluster, without a resource.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withExpiredCertificate } from '../../src/testing/spoiled-material.ts';
import { noControlPlane, useControlPlane } from '../support/control-plane.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { installDefinition, merchantId, startOperator, Tenant, until, wechatpaySpec } from '../support/operator.ts';
import { call, makeMaterial } from '../support/sidecar.ts';

const limit = { timeout: 300_000, skip: noControlPlane };
const controlPlane = useControlPlane(installDefinition);

const labels = { 'paycert.dev/provider': 'wechatpay' };
const annotations = { 'paycert.dev/option.merchantId': merchantId };

const seriesOf = async (address: string, { namespace }: Tenant): Promise<string[]> =>
  (await call(address, '/metrics')).content
    .split('\n')
    .filter((line) => line.includes(`credential_namespace="${namespace}"`));

describe('a labelled Secret', () => {
  it('has the metrics of a resource, and no Event while it is fit', limit, async (t) => {
    const tenant = await Tenant.make(controlPlane());
    await tenant.write('keys', (await makeMaterial()).files, { labels, annotations });
    const { address } = await startOperator(t, controlPlane(), { namespaces: [tenant.namespace] });
    await until(async () => (await seriesOf(address, tenant)).length > 0);
    const series = (await seriesOf(address, tenant)).join('\n');
    assert.match(series, /paycert_stored_certificate_not_after_timestamp_seconds\{[^}]*credential="keys",role="merchant"\} \d{10}/);
    assert.match(series, /condition="Ready",status="True"\} 1/);
    assert.deepEqual(await tenant.events(), []);
  }); // prettier-ignore

  it('says in an annotation how old its keys may become', limit, async (t) => {
    const tenant = await Tenant.make(controlPlane());
    const aged = { ...annotations, 'paycert.dev/max-age': '30d', 'paycert.dev/created-at': '2020-01-01' };
    await tenant.write('keys', (await makeMaterial()).files, { labels, annotations: aged });
    const { address } = await startOperator(t, controlPlane(), { namespaces: [tenant.namespace] });
    await until(async () => (await tenant.events()).includes('Warning KeyTooOld Secret/keys'));
    const series = (await seriesOf(address, tenant)).join('\n');
    const end = Date.parse('2020-01-31') / 1000;
    assert.match(series, new RegExp(`paycert_stored_key_replace_by_timestamp_seconds\\{[^}]*role="apiv3"\\} ${end}`));
    assert.match(series, /condition="TooOld",status="True"\} 1/);
  });

  it('gets one Event for what is wrong with it, whoever leads and however often', limit, async (t) => {
    const tenant = await Tenant.make(controlPlane());
    const material = await makeMaterial();
    await tenant.write('keys', await withExpiredCertificate(material, { now: new Date() }), { labels, annotations });
    for (let run = 0; run < 2; run += 1) {
      const operator = await startOperator(t, controlPlane(), { namespaces: [tenant.namespace] });
      await until(() => operator.recorder.of('reconciled').some(({ outcome }) => outcome === 'written'));
      await operator.stop();
      const events = await tenant.events();
      assert.deepEqual(events.sort(), ['Warning CertificateExpired Secret/keys', 'Warning Expired Secret/keys']);
    }
  });

  it(
    'gets another log line, and within a minute another Event, when something else is wrong for the same reason',
    limit,
    async (t) => {
      const tenant = await Tenant.make(controlPlane());
      const { files } = await makeMaterial();
      const spoil = (part: string) => new Map([...files]).set(part, Buffer.from('x'));
      await tenant.write('keys', spoil('apiclient_key.pem'), { labels, annotations });
      const clock = new FakeClock(new Date());
      const { recorder } = await startOperator(t, controlPlane(), { namespaces: [tenant.namespace], clock });
      const first = await recorder.next('condition-changed', ({ condition }) => condition === 'Valid');
      const told = recorder.next('condition-changed', ({ condition }) => condition === 'Valid');
      const data = [...spoil('apiclient_cert.pem')].map(([part, bytes]) => [
        part,
        Buffer.from(bytes).toString('base64'),
      ]);
      const path = `/api/v1/namespaces/${tenant.namespace}/secrets/keys`;
      const change = { data: Object.fromEntries(data) as unknown };
      await tenant.plane.admin('PATCH', path, change, 'application/merge-patch+json');
      const second = await told;
      assert.deepEqual([first.reason, second.reason], ['PemMalformed', 'PemMalformed']);
      assert.match(first.message, /apiclient_key\.pem/);
      assert.match(second.message, /apiclient_cert\.pem/);
      const events = Array.from({ length: 2 }, () => 'Warning PemMalformed Secret/keys');
      await until(async () => {
        clock.advance(60_000);
        return (await tenant.events()).length === 2;
      });
      assert.deepEqual(await tenant.events(), events);
    },
  );

  it('with annotations that make no sense is told so, and the annotation is named', limit, async (t) => {
    const tenant = await Tenant.make(controlPlane());
    await tenant.write('keys', (await makeMaterial()).files, { labels });
    const { recorder } = await startOperator(t, controlPlane(), { namespaces: [tenant.namespace] });
    const { message } = await recorder.next('condition-changed', ({ condition }) => condition === 'Ready');
    assert.match(message, /^annotation paycert\.dev\/option\.merchantId is missing\. .*on the Secret/);
    await until(async () => (await tenant.events()).includes('Warning LabelsInvalid Secret/keys'));
  });

  it('that a resource names too is reported there alone, and by itself again when the resource goes', limit, async (t) => {
    const tenant = await Tenant.make(controlPlane());
    await tenant.write('keys', (await makeMaterial()).files, { labels, annotations });
    const { address } = await startOperator(t, controlPlane(), { namespaces: [tenant.namespace] });
    const names = async () =>
      new Set((await seriesOf(address, tenant)).map((line) => /credential="([^"]+)"/.exec(line)?.[1]));
    await until(async () => (await names()).has('keys'));
    await tenant.create('wechat-main', wechatpaySpec('keys'));
    await tenant.condition('wechat-main', 'Ready', 'True Ready');
    await until(async () => !(await names()).has('keys'));
    assert.deepEqual(await names(), new Set(['wechat-main']));
    await tenant.remove('wechat-main');
    await until(async () => (await names()).has('keys'));
    assert.deepEqual(await names(), new Set(['keys']));
  }); // prettier-ignore

  it('leaves nothing behind when it loses its label', limit, async (t) => {
    const tenant = await Tenant.make(controlPlane());
    await tenant.write('keys', (await makeMaterial()).files, { labels, annotations });
    const { address } = await startOperator(t, controlPlane(), { namespaces: [tenant.namespace] });
    await until(async () => (await seriesOf(address, tenant)).length > 0);
    const path = `/api/v1/namespaces/${tenant.namespace}/secrets/keys`;
    const gone = { metadata: { labels: { 'paycert.dev/provider': null } } };
    await tenant.plane.admin('PATCH', path, gone, 'application/merge-patch+json');
    await until(async () => (await seriesOf(address, tenant)).length === 0);
  });
});
