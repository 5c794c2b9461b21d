// deploy/sidecar: the pod is as docs/sidecar.md says, its configuration loads, and its application outlives a killed sidecar without a failure.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { parseConfig } from '../../src/config/load.ts';
import { createSecretVolume } from '../../src/testing/secret-volume.ts';
import { noControlPlane, useControlPlane } from '../support/control-plane.ts';
import { configuration, credential, makeDirectory, makeMaterial, startSidecar } from '../support/sidecar.ts';
import { at, fieldsAt, listAt, type Manifest, one, root, run } from './helm.ts';

const folder = `${root}deploy/sidecar/`;
// As kubectl reads it: 0440 is a mode in octal.
const manifests = readdirSync(folder).flatMap((name) =>
  parseAllDocuments(readFileSync(`${folder}${name}`, 'utf8'), { version: '1.1' }).map(
    (document) => document.toJSON() as Manifest,
  ),
);
const pod = fieldsAt(one(manifests, 'Deployment'), 'spec.template.spec');
const [paycert = {}, ...otherInits] = listAt(pod, 'initContainers');
const [shop = {}] = listAt(pod, 'containers');
const data = (name: string): Record<string, string> =>
  one(manifests, 'ConfigMap', name)['data'] as Record<string, string>;

describe('the example of a pod with a sidecar', { timeout: 900_000 }, () => {
  it('starts paycert first, as a native sidecar with all three probes', () => {
    assert.equal(paycert['name'], 'paycert');
    assert.equal(paycert['restartPolicy'], 'Always');
    assert.deepEqual(otherInits, []);
    const paths = ['startupProbe', 'readinessProbe', 'livenessProbe'].map((probe) =>
      at(paycert, `${probe}.httpGet.path`),
    );
    assert.deepEqual(paths, ['/startupz', '/readyz', '/livez']);
    assert.equal(paycert['terminationMessagePolicy'], 'FallbackToLogsOnError');
    assert.equal(paycert['lifecycle'], undefined);
  });

  it('gives the application the socket, read-only, and neither the Secret nor a token', () => {
    assert.deepEqual(
      listAt(shop, 'volumeMounts').map(({ name }) => name),
      ['paycert-socket', 'shop-code'],
    );
    for (const { readOnly } of listAt(shop, 'volumeMounts')) assert.equal(readOnly, true);
    assert.equal(pod['automountServiceAccountToken'], false);
    assert.equal(pod['shareProcessNamespace'], undefined);
    assert.notEqual(at(shop, 'securityContext.runAsUser'), at(paycert, 'securityContext.runAsUser'));
    assert.equal(at(pod, 'securityContext.fsGroup'), 65532);
    const [secret = {}] = listAt(pod, 'volumes').filter((volume) => volume['secret']);
    assert.equal(at(secret, 'secret.defaultMode'), 0o440);
  });

  it('keeps the last good material in memory, where only paycert reaches it, under the uid of the pod', () => {
    const { lastGood } = parseConfig(data('shop-paycert')['paycert.yaml']!);
    const [volume = {}] = listAt(pod, 'volumes').filter(({ name }) => name === 'paycert-last-good');
    assert.equal(at(volume, 'emptyDir.medium'), 'Memory');
    const [mount] = listAt(paycert, 'volumeMounts').filter(({ name }) => name === volume['name']);
    assert.equal(lastGood?.directory, `${String(mount?.['mountPath'])}/keys`);
    assert.ok(listAt(shop, 'volumeMounts').every(({ name }) => name !== volume['name']));
    const [uid = {}] = listAt(paycert, 'env').filter(({ name }) => name === 'PAYCERT_POD_UID');
    assert.equal(at(uid, 'valueFrom.fieldRef.fieldPath'), 'metadata.uid');
  });

  it('permits one Secret by name, the one that the configuration reads', () => {
    const { credentials } = parseConfig(data('shop-paycert')['paycert.yaml']!);
    const [{ secret } = {}, { files } = {}] = credentials[0]!.source.fallback!;
    assert.deepEqual(one(manifests, 'Role')['rules'], [
      { apiGroups: [''], resources: ['secrets'], resourceNames: [secret?.name], verbs: ['get', 'list', 'watch'] },
    ]);
    const mounts = listAt(paycert, 'volumeMounts');
    assert.ok(mounts.some(({ mountPath }) => mountPath === files?.path));
    assert.equal(credentials[0]?.required, true);
  });

  describe('for a real API server', { skip: noControlPlane }, () => {
    const controlPlane = useControlPlane();

    it('is valid, field by field, in a restricted namespace', async () => {
      const plane = controlPlane();
      const labels = {
        'pod-security.kubernetes.io/enforce': 'restricted',
        'pod-security.kubernetes.io/warn': 'restricted',
      };
      await plane.admin('POST', '/api/v1/namespaces', { metadata: { name: 'pay', labels } });
      const kubeconfig = await plane.kubeconfig('pay');
      const { code, stderr } = await run('kubectl', [
        'apply',
        '--dry-run=server',
        '--validate=strict',
        '--kubeconfig',
        kubeconfig,
        '-f',
        'deploy/sidecar/',
      ]);
      assert.equal(code, 0, stderr);
      assert.equal(stderr, '');
    });
  });

  it('has an application that goes on signing through a killed sidecar, by the documented retry', async (t) => {
    const directory = await makeDirectory(t);
    await createSecretVolume(join(directory, 'material'), (await makeMaterial()).files);
    const config = configuration(directory, [credential({ path: join(directory, 'material') })]);
    const first = await startSidecar(t, directory, config);
    const code = join(directory, 'shop.mjs');
    await writeFile(code, data('shop-code')['shop.mjs']!);
    const application = spawn(process.execPath, [code], { env: { PAYCERT_SOCKET: first.socket, REPORT_MS: '50' } });
    t.after(() => application.kill('SIGKILL'));
    let failures = '';
    application.stderr.on('data', (chunk: Buffer) => (failures += chunk.toString()));
    const reports = createInterface({ input: application.stdout })[Symbol.asyncIterator]();
    const until = async (isEnough: (report: Report) => boolean): Promise<Report> => {
      for (;;) {
        const { value, done } = await reports.next();
        assert.ok(done !== true, failures);
        const report = JSON.parse(value) as Report;
        if (isEnough(report)) return report;
      }
    };

    await until(({ signed }) => signed >= 3);
    first.child.kill('SIGKILL');
    await first.ended;
    const { signed } = await until(({ retries }) => retries >= 3);
    await startSidecar(t, directory, config);
    const after = await until((report) => report.signed >= signed + 3);
    application.kill('SIGTERM');
    await once(application, 'exit');
    assert.deepEqual([after.failed, failures], [0, '']);
  });
});

interface Report {
  readonly signed: number;
  readonly failed: number;
  readonly retries: number;
}
