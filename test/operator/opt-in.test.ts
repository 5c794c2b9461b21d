// Secrets that opt in: without their owner's label nothing of them is read for a resource.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { noControlPlane, useControlPlane } from '../support/control-plane.ts';
import { installDefinition, startOperator, Tenant, wechatpaySpec } from '../support/operator.ts';
import { makeMaterial } from '../support/sidecar.ts';

const limit = { timeout: 300_000, skip: noControlPlane };
const controlPlane = useControlPlane(installDefinition);
const label = (value: string | null) => ({ labels: { 'paycert.dev/used-by': value } });

describe('with --secret-opt-in, a Secret', () => {
  it(
    'is read for the resource that its label names, and for no other, from the moment it has the label',
    limit,
    async (t) => {
      const tenant = await Tenant.make(controlPlane());
      const { files } = await makeMaterial();
      await tenant.write('keys', files);
      await tenant.create('mine', wechatpaySpec('keys'));
      await tenant.create('theirs', wechatpaySpec('keys'));
      await startOperator(t, controlPlane(), { namespaces: [tenant.namespace], secretOptIn: true });
      const refused = await tenant.condition('mine', 'Valid', 'Unknown SecretNotOptedIn');
      assert.deepEqual([refused.keys, refused.keyId, refused.accepted], [undefined, undefined, undefined]);
      assert.match(refused.message, /paycert\.dev\/used-by/);
      await tenant.write('keys', files, label('mine'));
      await tenant.condition('mine', 'Ready', 'True Ready');
      await tenant.condition('theirs', 'Ready', 'Unknown SecretNotOptedIn');
      await tenant.write('keys', files, label('any'));
      await tenant.condition('theirs', 'Ready', 'True Ready');
    },
  );
});
