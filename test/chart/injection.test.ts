// What the chart renders of injection: the webhook of its page, permissions by name, nothing that is off, and no creation of Pods but a dry run.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readInjectedServices } from '../../src/config/injected-services.ts';
import { connect } from '../../src/kube/client.ts';
import { documentedWebhooks } from '../support/admission.ts';
import { noControlPlane, useControlPlane } from '../support/control-plane.ts';
import { rule, until } from '../support/operator.ts';
import { at, chart, namespace, noHelm, ofKind, one, render, template } from './helm.ts';

const kind = 'MutatingWebhookConfiguration';
const values = (injection: object, more: object = {}) => ({ values: { admission: { enabled: true }, injection: { enabled: true, ...injection }, ...more } }); // prettier-ignore
const example = () => render({ files: [`${chart}/ci/injection-values.yaml`] });

interface Rule {
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

/** `verb resource` of everything that the operator may do in its scope. */
async function grantedBy(options: Parameters<typeof render>[0]): Promise<Set<string>> {
  const roles = ofKind(await render(options), 'ClusterRole').filter(({ metadata }) => metadata.name === 'paycert');
  const rules = roles.flatMap((role) => role['rules'] as Rule[]);
  return new Set(rules.flatMap(({ resources, verbs }) => resources.flatMap((what) => verbs.map((verb) => `${verb} ${what}`)))); // prettier-ignore
}

const added = (before: ReadonlySet<string>, after: ReadonlySet<string>): string[] =>
  [...after].filter((one) => !before.has(one)).sort();

describe('injection in the chart', { skip: noHelm, timeout: 900_000 }, () => {
  it('is off: no webhook, no argument, no permission and no alert of it', async () => {
    const prometheusRule = { renderMode: 'alwaysRender' };
    for (const admission of [{}, { enabled: true }])
      assert.doesNotMatch(JSON.stringify(await render({ values: { admission, prometheusRule } })), /inject/i);
  });

  it('has the webhook of docs/injection.md, without a caBundle', async () => {
    const { webhooks } = one(await render(values({})), kind) as unknown as Record<'webhooks', readonly object[]>;
    const ours = JSON.parse(JSON.stringify(webhooks).replaceAll(namespace, 'paycert')) as unknown;
    assert.deepEqual(ours, await documentedWebhooks(kind));
  });

  it('asks for the Pods of its class alone', async () => {
    const configuration = one(await render(values({}, { operatorClass: 'trial' })), kind);
    const selector = at(configuration, 'webhooks.0.objectSelector.matchExpressions.2');
    assert.deepEqual(selector, { key: 'paycert.dev/operator-class', operator: 'In', values: ['trial'] });
  });

  it('grants what each part of it needs, and nothing that is off', async () => {
    const [off, on, all] = await Promise.all([grantedBy(values({ enabled: false })), grantedBy(values({})), grantedBy(values({ recreateMissing: true }))]); // prettier-ignore
    assert.deepEqual(added(off, on), ['get replicasets', 'list pods', 'patch pods/status', 'watch pods']);
    assert.deepEqual(added(on, all), ['create pods', 'create pods/eviction', 'get daemonsets', 'get statefulsets']); // prettier-ignore
    const manifests = await example();
    const named = ofKind(manifests, 'ClusterRole').find(({ metadata }) => metadata.name === 'paycert-injection');
    assert.deepEqual(named?.['rules'], [
      {
        apiGroups: ['admissionregistration.k8s.io'],
        resources: ['mutatingwebhookconfigurations'],
        resourceNames: ['paycert-injection'],
        verbs: ['get', 'patch'],
      },
    ]);
  });

  it('starts the operator with its own image for sidecars, or another', async () => {
    const argsOf = async (injection: object) =>
      (at(one(await render(values(injection)), 'Deployment'), 'spec.template.spec.containers.0.args') as string[]).filter((arg) => /inject|recreate/.test(arg)); // prettier-ignore
    assert.deepEqual(await argsOf({}), ['--inject-image=paycert:0.1.0', '--inject-webhooks=paycert-injection']);
    const other = { image: 'registry.example/paycert:2', recreateMissing: true };
    assert.deepEqual(await argsOf(other), ['--inject-image=registry.example/paycert:2', '--inject-webhooks=paycert-injection', '--recreate-missing']); // prettier-ignore
  });

  it('gives the operator the key services of every sidecar, where there are any', async () => {
    const services = { local: { keyFile: '/etc/paycert/key-services/key' } };
    const given = { services, audience: 'vault', configMap: '' };
    const manifests = await render(values({ keyServices: given }));
    const args = at(one(manifests, 'Deployment'), 'spec.template.spec.containers.0.args') as readonly string[];
    const text =
      args
        .find((arg) => arg.startsWith('--inject-key-services='))
        ?.split('=')
        .slice(1)
        .join('=') ?? '';
    assert.deepEqual(JSON.parse(text), given);
    assert.deepEqual(readInjectedServices(text), { services, audience: 'vault' });
  });

  it('leaves its authority to cert-manager with admission', async () => {
    const certificate = { issuerRef: { name: 'ca', kind: 'ClusterIssuer' } };
    const manifests = await render({ values: { admission: { enabled: true, certificate }, injection: { enabled: true } } }); // prettier-ignore
    const { annotations } = one(manifests, kind).metadata as { annotations?: Readonly<Record<string, string>> };
    assert.deepEqual(annotations, { 'cert-manager.io/inject-ca-from': `${namespace}/paycert-admission` });
    const args = at(one(manifests, 'Deployment'), 'spec.template.spec.containers.0.args') as readonly string[];
    assert.deepEqual(args.filter((arg) => arg.startsWith('--inject')), ['--inject-image=paycert:0.1.0']); // prettier-ignore
    assert.deepEqual(ofKind(manifests, 'ClusterRole').filter(({ metadata }) => metadata.name === 'paycert-injection'), []); // prettier-ignore
  });

  it('refuses what cannot work: without admission, and Fail with one replica', async () => {
    const alone = await template({ values: { injection: { enabled: true } } });
    assert.match(alone.stderr, /injection\.enabled needs admission\.enabled/);
    const single = await template(values({ failurePolicy: 'Fail' }, { replicas: 1 }));
    assert.match(single.stderr, /injection\.failurePolicy: Fail needs replicas: 2 or more/);
  });
});

describe('the policy of the chart for recreated Pods', { skip: noHelm || noControlPlane, timeout: 900_000 }, () => {
  const plane = useControlPlane();

  it('refuses the account of the operator every creation of a Pod that is no dry run, and nobody else', async () => {
    const manifests = await example();
    const path = '/apis/admissionregistration.k8s.io/v1';
    for (const [policy, plural] of [
      ['ValidatingAdmissionPolicy', 'validatingadmissionpolicies'],
      ['ValidatingAdmissionPolicyBinding', 'validatingadmissionpolicybindings'],
    ] as const)
      await plane().admin('POST', `${path}/${plural}`, one(manifests, policy));
    await plane().admin('POST', '/api/v1/namespaces', { metadata: { name: namespace } });
    const home = await plane().makeNamespace();
    const rules = [rule('', ['pods'], 'create')];
    const clientOf = async (name: string) => {
      const directory = await plane().makeServiceAccount(namespace, name, rules);
      await plane().grantTo(home, name, namespace, rules);
      const token = await readFile(join(directory, 'token'), 'utf8');
      const kubeconfig = await plane().kubeconfig(home, undefined, token);
      return connect({ KUBECONFIG: kubeconfig });
    };
    const [operator, other] = [await clientOf('paycert'), await clientOf('somebody')];
    const pods = { group: '', version: 'v1', plural: 'pods' };
    const pod = (name: string) => ({ metadata: { name }, spec: { containers: [{ name: 'shop', image: 'shop' }] } });
    const target = (name: string) => ({ resource: pods, namespace: home, name });
    const signal = AbortSignal.timeout(240_000);
    let count = 0;
    await until(
      () =>
        operator.create(target('x'), pod(`probe-${String((count += 1))}`), signal).then(
          () => false,
          () => true,
        ),
      'the policy counts',
    );
    await assert.rejects(operator.create(target('x'), pod('x'), signal), /creates no pods, but as a dry run/);
    const rehearsed = await operator.rehearse(target('x'), pod('x'), signal);
    assert.equal(rehearsed.metadata.name, 'x');
    await other.create(target('y'), pod('y'), signal);
  });
});
