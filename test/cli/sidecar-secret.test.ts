// The sidecar as its users run it, on a Secret of a real API server: rotation, rejection, deletion, and nothing secret in what it writes.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { noControlPlane, useControlPlane } from '../support/control-plane.ts';
import { paycert } from '../support/paycert.ts';
import { configuration, makeDirectory, makeMaterial, merchantId, startSidecar } from '../support/sidecar.ts';

const limit = { timeout: 300_000, skip: noControlPlane };
const controlPlane = useControlPlane();

const credential = (source: string): string => `  - name: wechat-main
    required: true
    provider: { wechatpay: { merchantId: "${merchantId}" } }
    source: ${source}
`;

describe('paycert sidecar on a Secret', () => {
  it(
    'follows it, rejects what is not fit, keeps the last good when it is deleted, and writes no secret',
    limit,
    async (t) => {
      const plane = controlPlane();
      const [namespace, directory] = [await plane.makeNamespace(), await makeDirectory(t)];
      const env = { KUBECONFIG: await plane.kubeconfig(namespace) };
      const [first, second] = [await makeMaterial(), await makeMaterial(1)];
      const write = (files: ReadonlyMap<string, Uint8Array>) =>
        plane.writeSecret(namespace, 'wechat-main', Object.fromEntries(files));
      await write(first.files);
      const config = configuration(directory, [credential('{ secret: { name: wechat-main } }')]);
      const sidecar = await startSidecar(t, directory, config, { env });
      assert.equal((await fetch(`http://${sidecar.admin}/readyz`)).status, 200);

      await write(second.files);
      await sidecar.event('swapped', { generation: 2 });
      const [name] = [...first.files.keys()].filter((key) => key === 'apiclient_key.pem');
      await write(new Map(second.files).set(name!, first.files.get(name!)!));
      await sidecar.event('rejected', { code: 'key-mismatch' });
      await write(second.files);
      await sidecar.event('unchanged');
      await plane.admin('DELETE', `/api/v1/namespaces/${namespace}/secrets/wechat-main`);
      await sidecar.event('source-failed', { code: 'object-missing' });
      assert.equal((await fetch(`http://${sidecar.admin}/readyz`)).status, 200);
      await write(first.files);
      await sidecar.event('swapped', { generation: 3 });

      const metrics = await (await fetch(`http://${sidecar.admin}/metrics`)).text();
      assert.match(metrics, /paycert_source_errors_total\{credential="wechat-main",reason="object-missing"\}/);
      assert.doesNotMatch(metrics, /paycert_poll_corrections_total\{/);
      sidecar.terminate();
      assert.equal(await sidecar.ended, 0);
      const apiv3 = Buffer.from(first.files.get('apiv3_key')!).toString();
      for (const secret of ['PRIVATE KEY', apiv3, Buffer.from(apiv3).toString('base64'), 'admin-token'])
        assert.ok(!`${sidecar.stdout}${sidecar.stderr}${metrics}`.includes(secret));
    },
  );

  it(
    'says that an annotation has a copy of its keys, and with which command it goes; that reloads nothing',
    limit,
    async (t) => {
      const plane = controlPlane();
      const [namespace, directory] = [await plane.makeNamespace(), await makeDirectory(t)];
      const env = { KUBECONFIG: await plane.kubeconfig(namespace) };
      const { files } = await makeMaterial();
      await plane.writeSecret(namespace, 'keys', Object.fromEntries(files));
      const config = configuration(directory, [credential('{ secret: { name: keys } }')]);
      const sidecar = await startSidecar(t, directory, config, { env });
      const secret = `/api/v1/namespaces/${namespace}/secrets/keys`;
      const annotate = (annotations: object) =>
        plane.admin('PATCH', secret, { metadata: { annotations } }, 'application/merge-patch+json');
      const said = async () => ({
        status: (await paycert(['status', '--socket', sidecar.socket])).stdout,
        gauge: /^paycert_secret_copies\{credential="wechat-main"\} (\d)$/m.exec(await get('/metrics'))?.[1],
        copies: (JSON.parse(await get('/status')) as { credentials: { copies?: object }[] }).credentials[0]?.copies,
      });
      const get = async (path: string) => (await fetch(`http://${sidecar.admin}${path}`)).text();

      for (const annotation of ['kubectl.kubernetes.io/last-applied-configuration', 'kapp.k14s.io/original']) {
        const before = await said();
        assert.doesNotMatch(before.status, /exposed/);
        assert.deepEqual([before.gauge, before.copies], ['0', undefined]);
        const from = sidecar.lines.length;
        await annotate({ [annotation]: JSON.stringify({ kind: 'Secret', data: { apiv3_key: 'Y2FuYXJ5' } }) });
        await sidecar.event('copies-changed', { level: 'error' }, from);
        const { status, gauge, copies } = await said();
        assert.deepEqual([gauge, copies], ['1', [{ namespace, secret: 'keys', annotation }]]);
        const remedy = `kubectl -n ${namespace} annotate secret keys ${annotation}-`;
        assert.ok(status.includes(`exposed: wechat-main: Secret "keys" has a copy of its keys in ${annotation}. Remove it: ${remedy}`), status); // prettier-ignore
        await annotate({ [annotation]: null });
        await sidecar.event('copies-changed', { level: 'info' }, from);
      }
      assert.doesNotMatch(sidecar.stdout, /Y2FuYXJ5|canary|"generation":2/);
    },
  );

  it('is validated before it is deployed, with the remedy where it cannot be read', limit, async (t) => {
    const plane = controlPlane();
    const [namespace, directory] = [await plane.makeNamespace(), await makeDirectory(t)];
    const env = { KUBECONFIG: await plane.kubeconfig(namespace) };
    const path = join(directory, 'paycert.yaml');
    await writeFile(path, configuration(directory, [credential('{ secret: { name: wechat-main } }')]));
    await writeFile(join(directory, 'token'), 'a-token-for-tests-only');
    const validate = () => paycert(['validate', '--config', path], { env });

    const missing = await validate();
    assert.equal(missing.code, 65);
    assert.match(missing.stdout, /get secrets "wechat-main" in namespace "test-\d+": there is no such object \(404\)/);
    const { files } = await makeMaterial();
    await plane.writeSecret(namespace, 'wechat-main', Object.fromEntries(files));
    const found = await validate();
    assert.deepEqual([found.code, found.stderr], [0, '']);
  });
});
