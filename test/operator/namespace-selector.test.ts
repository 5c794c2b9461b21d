// Namespaces by their labels, on a real API server: one that gets the label is looked at, one that loses it is left alone.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createWechatpayMaterial } from '../../src/testing/index.ts';
import { noControlPlane, useControlPlane } from '../support/control-plane.ts';
import { installDefinition, merchantId, startOperator, Tenant, until, wechatpaySpec } from '../support/operator.ts';

describe('an operator with a selector of namespaces', { skip: noControlPlane, timeout: 900_000 }, () => {
  const plane = useControlPlane(installDefinition);

  const label = (tenant: Tenant, team: string | null) => {
    const path = `/api/v1/namespaces/${tenant.namespace}`;
    return plane().admin('PATCH', path, { metadata: { labels: { team } } }, 'application/merge-patch+json');
  };

  async function tenantWith(team: string | null): Promise<Tenant> {
    const tenant = await Tenant.make(plane());
    await label(tenant, team);
    const { files } = await createWechatpayMaterial({ merchantId, now: new Date() });
    await tenant.write('wechat-main', files);
    await tenant.create('wechat-main', wechatpaySpec('wechat-main'));
    return tenant;
  }

  it('looks at those with the label, also at one that gets it, and leaves alone one that loses it', async (t) => {
    const [mine, other] = [await tenantWith('pay'), await tenantWith('shop')];
    const { recorder, address } = await startOperator(t, plane(), { namespaceSelector: 'team=pay' });
    await mine.condition('wechat-main', 'Ready', 'True Ready');
    await until(async () => (await fetch(`http://${address}/readyz`)).status === 200, 'ready');
    assert.equal(await other.status('wechat-main'), undefined);
    assert.ok(!recorder.events.some((event) => 'object' in event && event.object.startsWith(`${other.namespace}/`)));

    await label(other, 'pay');
    await other.condition('wechat-main', 'Ready', 'True Ready');

    await label(other, null);
    const before = await other.version('wechat-main');
    const metric = async () => (await fetch(`http://${address}/metrics`)).text();
    await until(async () => !(await metric()).includes(other.namespace), 'nothing of it is in the metrics');
    await other.removeSecret('wechat-main');
    // What happens in the other one is looked at after it.
    await mine.removeSecret('wechat-main');
    await mine.condition('wechat-main', 'Ready', 'False SecretMissing');
    assert.equal(await other.version('wechat-main'), before);
  });
});
