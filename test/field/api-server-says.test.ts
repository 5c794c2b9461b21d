// What the API server says of a refusal reaches the person who must act: each refusal of a real one, by its own code and with its own words.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { errorTable, PaycertError } from '../../src/errors.ts';
import { findAccess } from '../../src/kube/access.ts';
import { KubeClient } from '../../src/kube/client.ts';
import { secrets } from '../../src/kube/resources.ts';
import { toError } from '../../src/kube/responses.ts';
import { useControlPlane, noControlPlane } from '../support/control-plane.ts';
import { startRefusingWebhook } from '../support/refusing-webhook.ts';

const limit = { timeout: 900_000, skip: noControlPlane };
const signal = new AbortController().signal;
const credentials = { group: 'paycert.dev', version: 'v1alpha1', plural: 'paymentcredentials' };

async function refusalOf(call: () => Promise<unknown>): Promise<PaycertError> {
  try {
    await call();
  } catch (error) {
    assert.ok(error instanceof PaycertError, String(error));
    return error;
  }
  return assert.fail('it was not refused');
}

describe('a real API server', limit, () => {
  const controlPlane = useControlPlane();

  async function start() {
    const plane = controlPlane();
    const namespace = await plane.makeNamespace();
    const kubeconfig = await plane.kubeconfig(namespace);
    const client = new KubeClient(() => findAccess({ KUBECONFIG: kubeconfig }));
    const create = (name: string, data: object = {}) =>
      client.create({ resource: secrets, namespace, name }, { metadata: { name }, ...data }, signal);
    return { plane, namespace, client, create };
  }

  it('without the definition says that the kind of object is unknown, and what to install', limit, async () => {
    const { client, namespace } = await start();
    for (const call of [
      () => client.list({ resource: credentials }, { limit: 1 }, signal),
      () => client.get({ resource: credentials, namespace, name: 'a' }, signal),
    ]) {
      const { code, message, hint } = await refusalOf(call);
      assert.deepEqual([code, /knows no such kind of object \(404\)$/.test(message)], ['definition-missing', true]);
      assert.match(hint, /CustomResourceDefinition/);
    }
  });

  it('says which namespace is not there, and which object', limit, async () => {
    const { client, namespace } = await start();
    const target = { resource: secrets, namespace: 'nowhere', name: 'a' };
    const missing = await refusalOf(() => client.create(target, { metadata: { name: 'a' } }, signal));
    assert.deepEqual([missing.code, /there is no namespace "nowhere"/.test(missing.message)], ['object-missing', true]);
    const object = await refusalOf(() => client.get({ ...target, namespace }, signal));
    assert.match(object.message, /get secrets "a" .*: there is no such object \(404\)/);
  });

  it('says that the namespace is being deleted', limit, async () => {
    const { plane, namespace, create } = await start();
    // Nothing here removes what is in it, so it stays in that state.
    await plane.admin('DELETE', `/api/v1/namespaces/${namespace}`);
    const { code, message, hint } = await refusalOf(() => create('a'));
    assert.deepEqual([code, /its namespace is being deleted \(403\)$/.test(message)], ['namespace-terminating', true]);
    assert.match(hint, /^Nothing to do/);
  });

  it('says which quota is exceeded, and by what', limit, async () => {
    const { plane, namespace, create } = await start();
    const path = `/api/v1/namespaces/${namespace}/resourcequotas`;
    const spec = { hard: { secrets: '0' } };
    await plane.admin('POST', path, { metadata: { name: 'tight' }, spec });
    // What the controller manager does.
    await plane.admin('PUT', `${path}/tight/status`, { metadata: { name: 'tight' }, spec, status: { ...spec, used: { secrets: '0' } } }); // prettier-ignore
    const { code, message } = await refusalOf(() => create('a'));
    assert.equal(code, 'quota-exceeded');
    assert.match(message, /exceeded quota: tight, requested: secrets=1, used: secrets=0, limited: secrets=0 \(403\)$/);
  });

  it('says which fields of an object it refuses, and not what is in them', limit, async () => {
    const { create } = await start();
    const { code, message } = await refusalOf(() => create('CANARY name'));
    assert.deepEqual([code, /in metadata\.name \(422\)$/.test(message)], ['object-invalid', true]);
  });

  it('says whom it forbids what', limit, async () => {
    const { plane, namespace } = await start();
    const files = await plane.makeServiceAccount(namespace, 'nobody', []);
    const environment = { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: String(plane.port) };
    const client = new KubeClient(() => findAccess(environment, files));
    const { code, message } = await refusalOf(() => client.get({ resource: secrets, namespace, name: 'a' }, signal));
    assert.equal(code, 'cluster-forbidden');
    assert.match(message, new RegExp(`forbids it to system:serviceaccount:${namespace}:nobody \\(403\\)$`));
  });

  /** The API server sees a webhook some time after it was written. */
  async function firstRefusal(create: (name: string) => Promise<unknown>): Promise<PaycertError> {
    for (let attempt = 0; ; attempt++) {
      try {
        await create(`a${String(attempt)}`);
      } catch (error) {
        assert.ok(error instanceof PaycertError);
        return error;
      }
    }
  }

  it('says which webhook refuses it, and why, in one line', limit, async (t) => {
    const { namespace, create } = await start();
    const name = `${namespace}.policy.example.com`;
    const words = `no Secrets\non Fridays ${'x'.repeat(500)}`;
    await startRefusingWebhook(t, controlPlane(), { name, namespace, group: '', plural: 'secrets', words });
    const { code, message, hint } = await firstRefusal(create);
    assert.equal(code, 'admission-refused');
    assert.ok(message.includes(`the admission webhook "${name}" refuses it: no Secrets on Fridays xxx`), message);
    assert.ok(message.length < 600 && !message.includes('\n'));
    assert.match(hint, /whose webhook or policy/);
  });

  it('says which webhook does not respond', limit, async (t) => {
    const { namespace, create } = await start();
    const name = `${namespace}.gone.example.com`;
    await startRefusingWebhook(t, controlPlane(), { name, namespace, group: '', plural: 'secrets', words: undefined });
    const { code, message } = await firstRefusal(create);
    assert.equal(code, 'admission-failing');
    assert.match(message, new RegExp(`the admission webhook "${name}" does not respond as it should: .*refused`));
  });
});

describe('what else is said', () => {
  it('by a ValidatingAdmissionPolicy is told with its name and its words', () => {
    const message = `paymentcredentials.paycert.dev "a" is forbidden: ValidatingAdmissionPolicy 'no-fridays' with binding 'all' denied request: not today`;
    const { code, message: told } = toError(422, 'patch a', { kind: 'Status', reason: 'Invalid', message });
    assert.deepEqual(
      [code, told],
      ['admission-refused', "patch a: the ValidatingAdmissionPolicy 'no-fridays' refuses it: not today (422)"],
    );
  });

  it('by something else in its place changes nothing: the status of HTTP counts', () => {
    for (const body of [
      undefined,
      '',
      '<html>',
      null,
      [],
      7,
      { kind: 'Status' },
      { kind: 'Status', details: 'x', message: 7 },
      { message: 'exceeded quota: x' },
    ]) {
      assert.equal(toError(403, 'get a', body).code, 'cluster-forbidden');
      assert.equal(toError(404, 'get a', body).code, 'object-missing');
      assert.equal(toError(500, 'get a', body).code, 'cluster-failing');
    }
  });

  it('names no person for what the cluster does by itself', () => {
    for (const code of [
      'definition-missing',
      'namespace-terminating',
      'quota-exceeded',
      'admission-refused',
      'admission-failing',
    ] as const)
      assert.equal(errorTable[code].kind, 'source');
  });
});
