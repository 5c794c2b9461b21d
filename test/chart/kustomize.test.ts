// deploy/ as a base of kustomize: all of its objects, and an overlay that names another image and namespace.
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { parseAllDocuments, stringify } from 'yaml';
import { noControlPlane } from '../support/control-plane.ts';
import { makeDirectory } from '../support/sidecar.ts';
import { at, type Manifest, one, root, run } from './helm.ts';

const objects = (text: string): Manifest[] => parseAllDocuments(text).map((document) => document.toJSON() as Manifest);
const identities = (manifests: readonly Manifest[]): string[] =>
  manifests.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`).sort();

async function build(folder: string): Promise<Manifest[]> {
  const { code, stdout, stderr } = await run('kubectl', ['kustomize', folder]);
  assert.equal(code, 0, stderr);
  return objects(stdout);
}

/** An overlay beside a copy of the folder: kustomize takes nothing from outside but folders. */
async function overlay(t: TestContext, kustomization: object): Promise<string> {
  const folder = await makeDirectory(t);
  cpSync(join(root, 'deploy'), join(folder, 'deploy'), { recursive: true });
  mkdirSync(join(folder, 'own'));
  const text = stringify({ resources: ['../deploy'], ...kustomization });
  writeFileSync(join(folder, 'own/kustomization.yaml'), text);
  return join(folder, 'own');
}

describe('deploy/ with kustomize', { skip: noControlPlane, timeout: 900_000 }, () => {
  it('has every object of its files', async () => {
    const files = ['00-namespace.yaml', '10-crds.yaml', '20-operator.yaml'];
    const wanted = files.flatMap((name) => objects(readFileSync(join(root, 'deploy', name), 'utf8')));
    assert.deepEqual(identities(await build('deploy')), identities(wanted));
  });

  it('takes the image from an overlay', async (t) => {
    const images = [{ name: 'paycert', newName: 'registry.example.com/paycert', digest: `sha256:${'a'.repeat(64)}` }];
    const deployment = one(await build(await overlay(t, { images })), 'Deployment');
    assert.equal(
      at(deployment, 'spec.template.spec.containers.0.image'),
      `registry.example.com/paycert@sha256:${'a'.repeat(64)}`,
    );
  });

  it('takes the namespace from an overlay, in bindings too', async (t) => {
    const manifests = await build(await overlay(t, { namespace: 'payments' }));
    assert.equal(one(manifests, 'Deployment').metadata.namespace, 'payments');
    assert.equal(at(one(manifests, 'ClusterRoleBinding'), 'subjects.0.namespace'), 'payments');
  });
});
