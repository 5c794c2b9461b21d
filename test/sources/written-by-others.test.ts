// What writers of Secrets do, on a real API server and in a volume: whole sets at once, key by key, deleted and made again, metadata alone. Each set is read whole.
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { type CredentialConfig, startPaycert } from '../../src/index.ts';
import { createSecretVolume } from '../../src/testing/secret-volume.ts';
import { noControlPlane, useControlPlane } from '../support/control-plane.ts';
import { makeDirectory } from '../support/directories.ts';
import { filesOf, issue, makeAuthority, pairFiles } from '../support/mtls.ts';
import { Recorder } from '../support/recorder.ts';

const limit = { timeout: 300_000, skip: noControlPlane };
const controlPlane = useControlPlane();
const authority = await makeAuthority();
const name = 'bank';
const merge = 'application/merge-patch+json';

/** A pair, as a Secret of the type kubernetes.io/tls holds it. */
async function makePair() {
  const issued = await issue(authority, 'shop');
  const texts: Readonly<Record<string, string>> = { ...pairFiles(issued), 'ca.crt': authority.certificate };
  return { serial: issued.serialNumber, texts };
}

const base64 = (texts: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, Buffer.from(text).toString('base64')]));

async function follow(t: TestContext, source: CredentialConfig['source'], kubeconfig = '') {
  const recorder = new Recorder();
  const environment = { KUBECONFIG: kubeconfig };
  const credential = { name, required: true, provider: { mtls: {} }, source };
  const paycert = await startPaycert([credential], { observe: recorder.observe, environment });
  t.after(() => paycert.stop());
  /** Does what a writer does, and waits until that certificate is shown. */
  const until = async (serial: string, write: () => Promise<unknown>) => {
    const swapped = recorder.next('swapped', ({ keyId }) => keyId === serial);
    await Promise.all([swapped, write()]);
  };
  return { recorder, until };
}

async function prepare(t: TestContext) {
  const plane = controlPlane();
  const namespace = await plane.makeNamespace();
  await plane.writeSecret(namespace, name, (await makePair()).texts);
  const path = `/api/v1/namespaces/${namespace}/secrets`;
  const followed = await follow(t, { secret: { name } }, await plane.kubeconfig(namespace));
  return { plane, namespace, path, ...followed };
}

describe('a Secret that others write', () => {
  it(
    'whole, with each renewal, as External Secrets and cert-manager do: one swap each, and nothing else',
    limit,
    async (t) => {
      const { plane, namespace, recorder, until } = await prepare(t);
      for (let times = 0; times < 5; times += 1) {
        const { serial, texts } = await makePair();
        await until(serial, () => plane.writeSecret(namespace, name, texts));
      }
      assert.equal(recorder.of('swapped').length, 6);
      assert.deepEqual([recorder.of('rejected'), recorder.of('source-failed')], [[], []]);
    },
  );

  it(
    'key by key, as External Secrets merges and kubectl patches: a pair that is half there is never used',
    limit,
    async (t) => {
      const { plane, path, recorder, until } = await prepare(t);
      for (const order of [
        ['tls.key', 'tls.crt'],
        ['tls.crt', 'tls.key'],
      ]) {
        const { serial, texts } = await makePair();
        const refused = recorder.next('rejected');
        const patch = (key: string) =>
          plane.admin('PATCH', `${path}/${name}`, { data: base64({ [key]: texts[key]! }) }, merge);
        await patch(order[0]!);
        assert.equal((await refused).error.code, 'key-mismatch');
        await until(serial, () => patch(order[1]!));
      }
      assert.equal(recorder.of('swapped').length, 3);
    },
  );

  it('deleted and made again, as sealed-secrets may: the last good set stays meanwhile', limit, async (t) => {
    const { plane, namespace, path, recorder, until } = await prepare(t);
    const { serial, texts } = await makePair();
    const failed = recorder.next('source-failed');
    await plane.admin('DELETE', `${path}/${name}`);
    assert.equal((await failed).error.code, 'object-missing');
    assert.equal(recorder.of('swapped').length, 1);
    await until(serial, () => plane.writeSecret(namespace, name, texts));
  });

  it('in its metadata alone, as each refresh of External Secrets does: no swap', limit, async (t) => {
    const { plane, namespace, path, recorder, until } = await prepare(t);
    for (const hash of ['1', '2', '3'])
      await plane.admin('PATCH', `${path}/${name}`, { metadata: { annotations: { 'example.com/data-hash': hash } } }, merge); // prettier-ignore
    const { serial, texts } = await makePair();
    await until(serial, () => plane.writeSecret(namespace, name, texts));
    assert.equal(recorder.of('swapped').length, 2);
  });
});

it('a volume of the secrets-store CSI driver is read whole with each rotation', async (t) => {
  const path = await makeDirectory(t);
  const volume = await createSecretVolume(path, filesOf((await makePair()).texts));
  const { recorder, until } = await follow(t, { files: { path } });
  for (let times = 0; times < 5; times += 1) {
    const { serial, texts } = await makePair();
    await until(serial, () => volume.write(filesOf(texts)));
  }
  assert.deepEqual([recorder.of('rejected'), recorder.of('source-failed')], [[], []]);
});
