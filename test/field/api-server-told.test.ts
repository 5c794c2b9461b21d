// What the API server says reaches people through the commands themselves: wait, validate, status, the sidecar and the operator.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { errorTable } from '../../src/errors.ts';
import { type ControlPlane, noControlPlane, useControlPlane } from '../support/control-plane.ts';
import { installDefinition, makeAccount, startOperator, Tenant, until, wechatpaySpec } from '../support/operator.ts';
import { type Ended, paycert, RunningPaycert } from '../support/paycert.ts';
import { startRefusingWebhook } from '../support/refusing-webhook.ts';
import { configuration, makeDirectory, makeMaterial, merchantId, startSidecar } from '../support/sidecar.ts';

const limit = { timeout: 900_000, skip: noControlPlane };
const wait = (name: string, namespace: string, env: Readonly<Record<string, string>>): Promise<Ended> =>
  paycert(['wait', name, '-n', namespace, '--secret-version', '1', '--timeout', '1s'], { env });

/** Which writes a policy refuses. */
interface Forbidden {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly operation: string;
}

const provider = `{ wechatpay: { merchantId: "${merchantId}" } }`;

/** The code with its remedy, as every command prints it. */
const remedy = (code: keyof typeof errorTable): string => errorTable[code].hint;

function assertTold({ code, stdout, stderr }: Ended, exit: number, error: keyof typeof errorTable, why: RegExp): void {
  const all = `${stdout}${stderr}`;
  assert.equal(code, exit, all);
  assert.match(all, why);
  assert.ok(all.includes(error) && all.includes(remedy(error)), all);
}

describe('where the definition is not installed', limit, () => {
  const controlPlane = useControlPlane();

  it('paycert wait says so, and a sidecar that follows a resource, and what to install', limit, async (t) => {
    const plane = controlPlane();
    const namespace = await plane.makeNamespace();
    const env = { KUBECONFIG: await plane.kubeconfig(namespace) };
    const why = /the API server knows no such kind of object \(404\)/;
    assertTold(await wait('shop', namespace, env), 75, 'definition-missing', why);

    const directory = await makeDirectory(t);
    const config = configuration(directory, ['  - name: shop\n    resource: shop\n']);
    const sidecar = await startSidecar(t, directory, config, { waitFor: [], env });
    await sidecar.event('watch-failed', { reason: 'definition-missing' });
    const status = () => paycert(['status', '--socket', sidecar.socket]);
    assertTold(await status(), 0, 'definition-missing', why);

    const flags = ['operator', '--address', '127.0.0.1:0', '--namespace', namespace];
    const operator = new RunningPaycert(t, flags, env);
    const said = await operator.event('watch-failed', { reason: 'definition-missing' });
    assert.match(String(said['detail']), why);
    assert.equal(said['hint'], remedy('definition-missing'));

    // It is over as soon as it can be read.
    await installDefinition(plane);
    await operator.event('watch-restarted');
    await sidecar.event('watch-restarted');
    assert.doesNotMatch((await status()).stdout, /definition-missing/);
  });
});

describe('where the API server refuses', limit, () => {
  const controlPlane = useControlPlane(installDefinition);

  it('paycert wait names the namespace or object that is not there, and whom it forbids what', limit, async () => {
    const plane = controlPlane();
    const tenant = await Tenant.make(plane);
    const env = { KUBECONFIG: await plane.kubeconfig(tenant.namespace) };
    const missing = await wait('shop', tenant.namespace, env);
    assertTold(
      missing,
      75,
      'object-missing',
      /get paymentcredentials\S* "shop" in namespace "[^"]+": there is no such obj/,
    );
    const account = await makeAccount(tenant, []);
    const who = new RegExp(`forbids it to system:serviceaccount:${tenant.namespace}:operator \\(403\\)`);
    assertTold(await wait('shop', tenant.namespace, account), 75, 'cluster-forbidden', who);
    assertTold(await wait('shop', 'nowhere', account), 75, 'cluster-forbidden', who);
  });

  it('validate and a sidecar say whom it forbids the Secret', limit, async (t) => {
    const tenant = await Tenant.make(controlPlane());
    const env = await makeAccount(tenant, []);
    const directory = await makeDirectory(t);
    const entry = `  - name: shop\n    provider: ${provider}\n    source: { secret: { name: keys } }\n`;
    const config = configuration(directory, [entry]);
    const path = join(directory, 'paycert.yaml');
    await writeFile(path, config);
    await writeFile(join(directory, 'token'), 'a-token-for-tests-only');
    const why = new RegExp(`secrets.*forbids it to system:serviceaccount:${tenant.namespace}:operator \\(403\\)`);
    assertTold(await paycert(['validate', '--config', path], { env }), 65, 'cluster-forbidden', why);
    const sidecar = await startSidecar(t, directory, config, { waitFor: [], env });
    await sidecar.event('source-failed', { code: 'cluster-forbidden' });
    assertTold(await paycert(['status', '--socket', sidecar.socket]), 0, 'cluster-forbidden', why);
  });

  const admission = '/apis/admissionregistration.k8s.io/v1';
  const leases = { group: 'coordination.k8s.io', plural: 'leases' };

  /** What makes the API server refuse a Lease in that namespace, and in what words of its own. */
  const refusals: readonly (readonly [
    what: string,
    code: keyof typeof errorTable,
    why: RegExp,
    make: (plane: ControlPlane, namespace: string, t: TestContext) => Promise<unknown>,
  ])[] = [
    ['a namespace that is being deleted', 'namespace-terminating', /its namespace is being deleted \(403\)/, async (plane, namespace) => plane.admin('DELETE', `/api/v1/namespaces/${namespace}`)],
    ['a quota', 'quota-exceeded', /exceeded quota: none, requested: count\/leases\S*=1, used: \S+=0, limited: \S+=0 \(403\)/, async (plane, namespace) => {
      const path = `/api/v1/namespaces/${namespace}/resourcequotas`;
      const [metadata, hard] = [{ name: 'none' }, { [`count/${leases.plural}.${leases.group}`]: '0' }];
      await plane.admin('POST', path, { metadata, spec: { hard } });
      // What the controller manager does.
      const used = Object.fromEntries(Object.keys(hard).map((name) => [name, '0']));
      await plane.admin('PUT', `${path}/none/status`, { metadata, spec: { hard }, status: { hard, used } });
    }],
    ['a policy', 'admission-refused', /ValidatingAdmissionPolicy '[^']+-frozen'.* refuses it: no changes during the sale/, async (plane, namespace) => forbid(plane, namespace, { ...leases, version: 'v1', operation: 'CREATE' })],
    ['a webhook', 'admission-refused', /the admission webhook "[^"]+\.policy\.example" refuses it: no Leases on Fridays/, async (plane, namespace, t) => startRefusingWebhook(t, plane, { name: `${namespace}.policy.example`, namespace, ...leases, words: 'no Leases on Fridays' })],
    ['a webhook that nobody serves', 'admission-failing', /the admission webhook "[^"]+\.gone\.example" does not respond as it should: .*refused/, async (plane, namespace, t) => startRefusingWebhook(t, plane, { name: `${namespace}.gone.example`, namespace, ...leases, words: undefined })],
  ]; // prettier-ignore

  for (const [what, code, why, make] of refusals)
    it(
      `the operator that cannot lead for ${what} says so in its log, in those words, and what to do`,
      limit,
      async (t) => {
        const plane = controlPlane();
        const namespace = await plane.makeNamespace();
        await make(plane, namespace, t);
        const path = `/apis/${leases.group}/v1/namespaces/${namespace}/leases?dryRun=All`;
        const isRefused = () => plane.admin('POST', path, { metadata: { name: 'probe' } }).then(() => false, () => true); // prettier-ignore
        // The API server sees a policy or a webhook some time after it was written.
        await until(isRefused, `${what} refuses`);
        const env = { KUBECONFIG: await plane.kubeconfig(namespace) };
        const flags = ['--address', '127.0.0.1:0', '--namespace', namespace, '--lease', `${namespace}/paycert`];
        const operator = new RunningPaycert(t, ['operator', ...flags], env);
        const said = await operator.event('watch-failed', { source: 'lease:paycert' });
        assert.deepEqual([said['reason'], said['code'], said['hint']], [code, code, remedy(code)]);
        assert.match(String(said['detail']), why);
      },
    );

  it('the operator says which policy refuses its Events, in what words, and writes the status all the same', limit, async (t) => {
    const plane = controlPlane();
    const tenant = await Tenant.make(plane);
    await tenant.write('keys', (await makeMaterial()).files);
    await forbid(plane, tenant.namespace, { group: 'events.k8s.io', version: 'v1', plural: 'events', operation: 'CREATE' });
    const path = `/apis/events.k8s.io/v1/namespaces/${tenant.namespace}/events?dryRun=All`;
    const regarding = { kind: 'Secret', namespace: tenant.namespace, name: 'keys' };
    const reporting = { reportingController: 'a.b/c', reportingInstance: 'd', action: 'Check', reason: 'Try', type: 'Normal' };
    const probe = { metadata: { name: 'probe' }, eventTime: new Date().toISOString().replace('Z', '000Z'), regarding, ...reporting };
    const isRefused = () => plane.admin('POST', path, probe).then(() => false, (error: unknown) => /during the sale/.test(String(error)));
    await until(isRefused, 'the policy refuses');
    await tenant.create('shop', wechatpaySpec('keys'));
    const { recorder } = await startOperator(t, plane, { namespaces: [tenant.namespace] });
    const [{ error } = await recorder.next('event-lost')] = recorder.of('event-lost');
    assert.deepEqual([error.code, error.hint], ['admission-refused', remedy('admission-refused')]);
    assert.match(error.message, /-frozen'.* refuses it: no changes during the sale/);
    await tenant.condition('shop', 'Ready', 'True Ready');
  }); // prettier-ignore

  /** No webhook has to be served for a policy, and its words come back in the same way. */
  async function forbid(
    plane: ControlPlane,
    namespace: string,
    { group, version, plural, operation }: Forbidden,
  ): Promise<void> {
    const metadata = { name: `${namespace}-frozen` };
    await plane.admin('POST', `${admission}/validatingadmissionpolicies`, {
      metadata,
      spec: {
        matchConstraints: {
          resourceRules: [
            {
              apiGroups: [group],
              apiVersions: [version],
              operations: [operation],
              resources: [plural],
            },
          ],
        },
        validations: [{ expression: 'false', message: 'no changes during the sale' }],
      },
    });
    await plane.admin('POST', `${admission}/validatingadmissionpolicybindings`, {
      metadata,
      spec: {
        policyName: metadata.name,
        validationActions: ['Deny'],
        matchResources: { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } } },
      },
    });
  }

  it('the operator says which policy refuses its status, and in what words', limit, async (t) => {
    const plane = controlPlane();
    const tenant = await Tenant.make(plane);
    await tenant.write('keys', (await makeMaterial()).files);
    const status = {
      group: 'paycert.dev',
      version: 'v1alpha1',
      plural: 'paymentcredentials/status',
      operation: 'UPDATE',
    };
    await forbid(plane, tenant.namespace, status);
    const patch = async (n: number) =>
      plane
        .admin(
          'PATCH',
          `/apis/paycert.dev/v1alpha1/namespaces/${tenant.namespace}/paymentcredentials/probe/status`,
          { status: { observedGeneration: n } },
          'application/merge-patch+json',
        )
        .then(() => false, (error: unknown) => /no changes during the sale/.test(String(error))); // prettier-ignore
    await tenant.create('probe', wechatpaySpec('keys'));
    let count = 0;
    // The API server sees a policy some time after it was written.
    await until(() => patch((count += 1)), 'the policy refuses');
    const { recorder } = await startOperator(t, plane, { namespaces: [tenant.namespace] });
    const [refused = await recorder.next('status-unwritten')] = recorder.of('status-unwritten');
    const { error } = refused;
    assert.equal(error.code, 'admission-refused');
    assert.match(error.message, /ValidatingAdmissionPolicy '[^']+-frozen'.* refuses it: no changes during the sale/);
    assert.equal(error.hint, remedy('admission-refused'));
  });
});
