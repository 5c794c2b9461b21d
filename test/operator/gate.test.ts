// The gate of a pipeline: a status says which version of the Secret it speaks of, so that an older verdict passes nothing.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { noControlPlane, useControlPlane } from '../support/control-plane.ts';
import { installDefinition, startOperator, Tenant, until, wechatpaySpec } from '../support/operator.ts';
import { makeMaterial } from '../support/sidecar.ts';

const limit = { timeout: 300_000, skip: noControlPlane };
const controlPlane = useControlPlane(installDefinition);

describe('status.observedSecretVersion', () => {
  it(
    'is that of the stored Secret once it was evaluated, and an older one while no operator runs',
    limit,
    async (t) => {
      const plane = controlPlane();
      const tenant = await Tenant.make(plane);
      const { files } = await makeMaterial();
      const stored = async () => {
        const { metadata } = await plane.admin('GET', `/api/v1/namespaces/${tenant.namespace}/secrets/keys`);
        return (metadata as { resourceVersion: string }).resourceVersion;
      };
      const observed = async () => (await tenant.status('gate'))?.observedSecretVersion;
      await tenant.write('keys', files);
      await tenant.create('gate', wechatpaySpec('keys'));
      const only = { namespaces: [tenant.namespace] };
      const first = await startOperator(t, plane, only);
      await tenant.condition('gate', 'Ready', 'True Ready');
      assert.equal(await observed(), await stored());
      await first.stop();

      await tenant.write('keys', new Map([['apiclient_key.pem', Buffer.from('bad')]]));
      await tenant.condition('gate', 'Ready', 'True Ready');
      assert.notEqual(await observed(), await stored(), 'Ready is about the version before');
      await startOperator(t, plane, only);
      const version = await stored();
      await until(async () => (await observed()) === version, 'the new version is evaluated');
      const { conditions } = (await tenant.status('gate'))!;
      assert.equal(conditions.find(({ type }) => type === 'Ready')?.status, 'False');
    },
  );
});
