// paycert history against a real API server: what was accepted, when, and by which program it was written, as the operator keeps it.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { renderHistory } from '../../src/cli/history.ts';
import { noControlPlane, useControlPlane } from '../support/control-plane.ts';
import {
  installDefinition,
  makeAccount,
  rule,
  startOperator,
  Tenant,
  until,
  wechatpaySpec,
} from '../support/operator.ts';
import { paycert } from '../support/paycert.ts';
import { makeMaterial } from '../support/sidecar.ts';

const limit = { timeout: 300_000, skip: noControlPlane };
const controlPlane = useControlPlane(installDefinition);

describe('paycert history', () => {
  it(
    'lists what was accepted, the newest first, with the program that wrote it, and nothing that was rejected',
    limit,
    async (t) => {
      const tenant = await Tenant.make(controlPlane());
      const path = `/api/v1/namespaces/${tenant.namespace}/secrets/keys`;
      const [first, second] = [await makeMaterial(), await makeMaterial(1)];
      await tenant.write('keys', first.files);
      await startOperator(t, controlPlane(), { namespaces: [tenant.namespace] });
      await tenant.create('shop', wechatpaySpec('keys'));
      await tenant.condition('shop', 'Ready', 'True Ready');
      const replace = async (files: ReadonlyMap<string, Uint8Array>, manager: string) => {
        const data = Object.fromEntries(
          [...files].map(([name, bytes]) => [name, Buffer.from(bytes).toString('base64')]),
        );
        await controlPlane().admin('PUT', `${path}?fieldManager=${manager}`, { metadata: { name: 'keys' }, data });
      };
      const ids = async () => (await tenant.status('shop'))?.history?.map(({ snapshotId }) => snapshotId) ?? [];
      await replace(new Map([['apiclient_key.pem', Buffer.from('bad')]]), 'somebody');
      await tenant.condition('shop', 'Ready', 'False PemMalformed');
      await replace(second.files, 'kubectl-replace');
      await until(async () => (await ids()).length === 2, 'the second is accepted');
      await replace(first.files, 'rollback-tool');
      await until(async () => (await ids()).length === 3, 'the first came back');
      const env = await makeAccount(tenant, [rule('paycert.dev', ['paymentcredentials'], 'get')]);
      const run = (...more: string[]) => paycert(['history', 'shop', '-n', tenant.namespace, ...more], { env });
      const { code, stdout, stderr } = await run();
      assert.deepEqual([code, stderr], [0, '']);
      const lines = stdout.trimEnd().split('\n').map((line) => line.split(/ {2,}/)); // prettier-ignore
      const serials = [first, second, first].map(({ merchant }) => merchant.serialNumber);
      assert.deepEqual(lines.slice(1).map(([, , keyId]) => keyId), serials); // prettier-ignore
      assert.deepEqual(lines.slice(1, 3).map((line) => line.at(-1)), ['rollback-tool', 'kubectl-replace']); // prettier-ignore
      const all = JSON.parse((await run('--output', 'json')).stdout) as { snapshotId: string; secret: string }[];
      assert.deepEqual(all.map(({ snapshotId }) => snapshotId), await ids()); // prettier-ignore
      assert.deepEqual([all[0]?.snapshotId, all[0]?.secret], [all[2]?.snapshotId, 'keys']);
    },
  );

  it('prints nothing that a terminal obeys, and says where there is none', () => {
    const entry = { snapshotId: 'a', time: 't', secretResourceVersion: '1', manager: '\u001b[2Jx' };
    assert.doesNotMatch(renderHistory('shop', [entry]), /\u001b\[2J/);
    assert.match(renderHistory('shop', []), /^shop: nothing was accepted/);
  });
});
