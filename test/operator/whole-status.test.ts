// The status on a real API server: written whole, shown by kubectl as people look at it, and read by Helm as it waits.
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { lacks, run } from '../chart/helm.ts';
import { withMismatchedPair } from '../../src/testing/spoiled-material.ts';
import { noControlPlane, useControlPlane } from '../support/control-plane.ts';
import { installDefinition, startOperator, Tenant, until, wechatpaySpec } from '../support/operator.ts';
import { keyPairs, makeDirectory, makeMaterial } from '../support/sidecar.ts';

const limit = { timeout: 300_000, skip: noControlPlane };
const controlPlane = useControlPlane(installDefinition);

describe('a status on the API server', () => {
  it('is written whole: no field of an earlier writer stays, in whatever way it was written', limit, async (t) => {
    const tenant = await Tenant.make(controlPlane());
    await tenant.write('keys', (await makeMaterial()).files);
    await tenant.create('wechat-main', wechatpaySpec('keys'));
    const path = `/apis/paycert.dev/v1alpha1/namespaces/${tenant.namespace}/paymentcredentials/wechat-main/status`;
    const time = '2020-01-01T00:00:00.000Z';
    const condition = { type: 'Old', status: 'True', reason: 'Old', message: '', lastTransitionTime: time, observedGeneration: 1 }; // prettier-ignore
    const rejected = { secretResourceVersion: '1', time, reason: 'Old', message: '' };
    const status = { observedGeneration: 1, conditions: [condition], rejected, createdAt: time };
    const applied = { apiVersion: 'paycert.dev/v1alpha1', kind: 'PaymentCredential', metadata: { name: 'wechat-main' }, status }; // prettier-ignore
    const write = (query: string, type: string) => controlPlane().admin('PATCH', `${path}${query}`, applied, type);
    await write('?fieldManager=older&force=true', 'application/apply-patch+yaml');
    await write('?fieldManager=another', 'application/merge-patch+json');
    await startOperator(t, controlPlane(), { namespaces: [tenant.namespace] });
    const after = await tenant.condition('wechat-main', 'Ready', 'True Ready');
    assert.deepEqual([after.rejected, after.createdAt], [undefined, undefined]);
    const types = after.conditions.map(({ type }) => type);
    assert.deepEqual([types.includes('Ready'), types.includes('Old')], [true, false]);
  });

  it('of a resource that was deleted and made again meanwhile is not that of the first', limit, async (t) => {
    const tenant = await Tenant.make(controlPlane());
    await tenant.write('keys', (await makeMaterial()).files);
    await startOperator(t, controlPlane(), { namespaces: [tenant.namespace] });
    await tenant.create('wechat-main', wechatpaySpec('keys'));
    const first = await tenant.condition('wechat-main', 'Ready', 'True Ready');
    await tenant.remove('wechat-main');
    await tenant.create('wechat-main', wechatpaySpec('missing'));
    const second = await tenant.condition('wechat-main', 'Ready', 'False SecretMissing');
    assert.ok(first.accepted);
    assert.equal(second.accepted, undefined);
  });

  it('warns of an annotation that holds the keys until it is removed', limit, async (t) => {
    const tenant = await Tenant.make(controlPlane());
    const { files } = await makeMaterial();
    const annotation = 'kubectl.kubernetes.io/last-applied-configuration';
    await tenant.write('keys', files, { annotations: { [annotation]: '{"data":{"apiv3_key":"x"}}' } });
    await startOperator(t, controlPlane(), { namespaces: [tenant.namespace] });
    await tenant.create('wechat-main', wechatpaySpec('keys'));
    const exposed = await tenant.condition('wechat-main', 'Exposed', 'True LastAppliedConfiguration');
    const kubeconfig = await controlPlane().kubeconfig(tenant.namespace);
    const [, words = ''] = /: kubectl (.*-) \. Then/.exec(exposed.message) ?? [];
    const { code, stderr } = await run('kubectl', [...words.split(' '), '--kubeconfig', kubeconfig]);
    assert.equal(code, 0, stderr);
    const isGone = async () => (await tenant.status('wechat-main'))!.conditions.every(({ type }) => type !== 'Exposed');
    await until(isGone, 'the warning is gone');
    await tenant.condition('wechat-main', 'Ready', 'True Ready');
  });
});

describe('kubectl get paycred', { skip: lacks('kubectl') }, () => {
  it('shows source, expiry date and the last rejection; -o wide the rest', limit, async (t) => {
    const tenant = await Tenant.make(controlPlane());
    const material = await makeMaterial();
    for (const name of ['good', 'worse']) await tenant.write(name, material.files);
    await startOperator(t, controlPlane(), { namespaces: [tenant.namespace] });
    for (const name of ['good', 'worse']) await tenant.create(name, wechatpaySpec(name));
    const { keyId = '', notAfter = '', accepted } = await tenant.condition('worse', 'Ready', 'True Ready');
    await tenant.write('worse', await withMismatchedPair(material, (await keyPairs())[3]));
    const rejected = await tenant.condition('worse', 'Ready', 'False KeyMismatch');
    await tenant.condition('good', 'Ready', 'True Ready');
    const kubeconfig = await controlPlane().kubeconfig(tenant.namespace);
    const table = async (...more: string[]) => {
      const { stdout } = await run('kubectl', ['get', 'paycred', ...more, '--kubeconfig', kubeconfig]);
      // As kubectl lays it out: cells may be empty, columns begin where their titles do.
      const [header = '', ...lines] = stdout.trimEnd().split('\n');
      const starts = [...header.matchAll(/\S+(?: \S+)*/g)].map(({ 0: title, index }) => ({ title, index }));
      return lines.map((line) =>
        Object.fromEntries(
          starts.map(({ title, index }, at) => [title, line.slice(index, starts[at + 1]?.index).trim()]),
        ),
      );
    };
    const [good, worse] = await table();
    const plain = { PROVIDER: 'wechatpay', EXPIRES: notAfter };
    assert.deepEqual({ ...good, AGE: '' }, { NAME: 'good', ...plain, READY: 'True', SOURCE: 'good', REJECTED: '', AGE: '' }); // prettier-ignore
    assert.deepEqual({ ...worse, AGE: '' }, { NAME: 'worse', ...plain, READY: 'False', SOURCE: 'worse', REJECTED: 'KeyMismatch', AGE: '' }); // prettier-ignore
    const [, wide = {}] = await table('-o', 'wide');
    assert.match(wide['REJECTED SINCE'] ?? '', /^[0-9]+m?s?$/);
    const rest = { REASON: 'KeyMismatch', 'KEY ID': keyId, SNAPSHOT: accepted!.snapshotId, 'SECRET VERSION': rejected.observedSecretVersion }; // prettier-ignore
    assert.deepEqual(Object.fromEntries(Object.keys(rest).map((title) => [title, wide[title]])), rest);
  });
});

describe('helm --wait', { skip: lacks('helm') }, () => {
  it(
    'sees in progress what no operator has looked at, failed what is rejected, waits for what is missing, and is content with what is ready',
    limit,
    async (t) => {
      const tenant = await Tenant.make(controlPlane());
      const material = await makeMaterial();
      await tenant.write('good', material.files);
      await tenant.write('bad', await withMismatchedPair(material, (await keyPairs())[3]));
      const kubeconfig = await controlPlane().kubeconfig(tenant.namespace);
      const directory = await makeDirectory(t);
      await mkdir(join(directory, 'templates'));
      await writeFile(join(directory, 'Chart.yaml'), 'apiVersion: v2\nname: shop\nversion: 1.0.0\n');
      const spec = JSON.stringify(wechatpaySpec('SECRET')).replace('"SECRET"', '{{ .Values.secret | quote }}');
      const resource = `apiVersion: paycert.dev/v1alpha1\nkind: PaymentCredential\nmetadata: { name: {{ .Release.Name }} }\nspec: ${spec}\n`; // prettier-ignore
      await writeFile(join(directory, 'templates', 'resource.yaml'), resource);
      const install = (secret: string) =>
      run('helm', ['install', secret, directory, '--set', `secret=${secret}`, '--wait', '--timeout', '4s', '-n', tenant.namespace, '--kubeconfig', kubeconfig]); // prettier-ignore
      const early = await install('early');
      assert.deepEqual(
        [early.code, /\/early not ready\. status: InProgress/.test(early.stderr)],
        [1, true],
        early.stderr,
      );
      await startOperator(t, controlPlane(), { namespaces: [tenant.namespace] });
      const good = await install('good');
      assert.equal(good.code, 0, good.stderr);
      const bad = await install('bad');
      assert.deepEqual([bad.code, /\/bad not ready\. status: Failed/.test(bad.stderr)], [1, true], bad.stderr);
      const missing = await install('missing');
      assert.deepEqual([missing.code, /\/missing not ready\. status: InProgress/.test(missing.stderr)], [1, true], missing.stderr); // prettier-ignore
    },
  );
});
