// What the chart renders of admission: the webhooks of its page, permissions by name, nothing that is off, and no certificate.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { systemClock } from '../../src/clock.ts';
import { connect } from '../../src/kube/client.ts';
import { ServingSecret } from '../../src/operator/admission/serving-secret.ts';
import { documentedWebhooks } from '../support/admission.ts';
import { noControlPlane, useControlPlane } from '../support/control-plane.ts';
import { until } from '../support/operator.ts';
import { at, chart, type Manifest, namespace, noHelm, ofKind, one, render, root, template } from './helm.ts';

const enabled = { values: { admission: { enabled: true } } };
const example = (name: string) => render({ files: [`${chart}/ci/${name}-values.yaml`] });

interface Rule {
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
}

interface Kept {
  readonly metadata: { readonly managedFields: readonly { readonly manager: string }[] };
  readonly webhooks: readonly { readonly clientConfig: { readonly caBundle?: string } }[];
}

const granted = (manifests: readonly Manifest[], kind: string, name: string): Rule[] =>
  ofKind(manifests, kind)
    .filter(({ metadata }) => metadata.name === name)
    .flatMap(({ rules }) => rules as Rule[]);

const argsOf = (manifests: readonly Manifest[]): string[] =>
  (at(one(manifests, 'Deployment'), 'spec.template.spec.containers.0.args') as string[]).filter((arg) =>
    arg.startsWith('--admission'),
  );

describe('admission in the chart', { skip: noHelm, timeout: 900_000 }, () => {
  it('is off: no webhook, no Secret, no permission and no port of it', async () => {
    const text = JSON.stringify(await render());
    assert.doesNotMatch(text, /admission/);
  });

  it('has its alerts only where it is on', async () => {
    const prometheusRule = { renderMode: 'alwaysRender' };
    const rulesWith = async (more: object) =>
      JSON.stringify(one(await render({ values: { ...more, prometheusRule } }), 'PrometheusRule'));
    assert.match(await rulesWith(enabled.values), /PaycertAdmissionUnavailable/);
    assert.doesNotMatch(await rulesWith({}), /PaycertAdmission|admission_webhook/);
  });

  it('has the webhooks of docs/admission.md, without a caBundle', async () => {
    const { webhooks } = one(await render(enabled), 'ValidatingWebhookConfiguration') as unknown as Record<'webhooks', readonly object[]>; // prettier-ignore
    const ours = JSON.parse(JSON.stringify(webhooks).replaceAll(namespace, 'paycert')) as unknown;
    assert.deepEqual(ours, await documentedWebhooks());
    assert.doesNotMatch(JSON.stringify(webhooks), /caBundle/);
  });

  it('renders the same each time, and asks no cluster', async () => {
    assert.deepEqual(await render(enabled), await render(enabled));
    const templates = ['admission.yaml', '_admission.tpl'].map((name) => readFileSync(`${root}${chart}/templates/${name}`, 'utf8')); // prettier-ignore
    assert.doesNotMatch(templates.join(''), /\blookup\b|genCA|genSelfSigned|rand/);
  });

  it('grants one Secret and one configuration, each by its name, and neither with a certificate of somebody else', async () => {
    const manifests = await example('admission');
    const webhooks = 'paycert-admission';
    assert.deepEqual(granted(manifests, 'Role', 'paycert-admission'), [
      { apiGroups: [''], resources: ['secrets'], resourceNames: ['paycert-admission'], verbs: ['get', 'list', 'watch', 'update'] },
    ]);
    assert.deepEqual(granted(manifests, 'ClusterRole', webhooks), [
      {
        apiGroups: ['admissionregistration.k8s.io'],
        resources: ['validatingwebhookconfigurations'],
        resourceNames: [webhooks],
        verbs: ['get', 'patch'],
      },
    ]);
    assert.deepEqual(argsOf(manifests), [
      '--admission-address=:9443',
      '--admission-secret=paycert-system/paycert-admission',
      `--admission-webhooks=${webhooks}`,
      '--admission-host=paycert-admission.paycert-system.svc',
    ]);
    const others = await example('admission-certificate');
    assert.deepEqual(granted(others, 'Role', 'paycert-admission'), []);
    assert.deepEqual(ofKind(others, 'ClusterRole'), []);
    assert.deepEqual(ofKind(others, 'Secret'), []);
    assert.deepEqual(argsOf(others), ['--admission-address=:9443', '--admission-tls=/etc/paycert/admission']);
  }); // prettier-ignore

  it('has a Certificate of an issuer, in the Secret that is mounted, and leaves its authority to cert-manager', async () => {
    const certificate = {
      issuerRef: { name: 'cluster-ca', kind: 'ClusterIssuer' },
      duration: '2160h',
      renewBefore: '360h',
    };
    for (const [more, secretName] of [
      [{}, 'paycert-admission-tls'],
      [{ secretName: 'reviews' }, 'reviews'],
    ] as const) {
      const admission = { enabled: true, certificate: { ...certificate, ...more }, annotations: { a: 'b' } };
      const manifests = await render({ values: { admission, rbac: { scope: 'namespaces', namespaces: ['pay'] } } });
      assert.deepEqual(at(one(manifests, 'Certificate'), 'spec'), {
        ...certificate,
        secretName,
        dnsNames: [`paycert-admission.${namespace}.svc`],
        privateKey: { algorithm: 'ECDSA', size: 256, rotationPolicy: 'Always' },
        usages: ['digital signature', 'server auth'],
      });
      assert.deepEqual(at(one(manifests, 'ValidatingWebhookConfiguration'), 'metadata.annotations'), {
        a: 'b',
        'cert-manager.io/inject-ca-from': `${namespace}/paycert-admission`,
      });
      assert.equal(at(one(manifests, 'Deployment'), 'spec.template.spec.volumes.0.secret.secretName'), secretName);
      assert.deepEqual(argsOf(manifests), ['--admission-address=:9443', '--admission-tls=/etc/paycert/admission']);
      assert.deepEqual(ofKind(manifests, 'Secret'), []);
    }
    const bare = await render({ values: { admission: { enabled: true, certificate: { issuerRef: { name: 'ca' } } } } });
    assert.deepEqual(Object.keys(at(one(bare, 'Certificate'), 'spec') as object).sort(), ['dnsNames', 'issuerRef', 'privateKey', 'secretName', 'usages']); // prettier-ignore
  });

  it('reviews only namespaces whose labels are selected, beside those that are excluded, and so does the policy', async () => {
    const inProduction = { key: 'stage', operator: 'In', values: ['production'] };
    const namespaceSelector = { matchLabels: { team: 'pay' }, matchExpressions: [inProduction] };
    const values = { admission: { enabled: true, policy: { enabled: true }, namespaceSelector } };
    const manifests = await render({ values });
    const webhooks = at(one(manifests, 'ValidatingWebhookConfiguration'), 'webhooks') as readonly object[];
    const excluded = { key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: ['kube-system', namespace] };
    const wanted = { matchLabels: { team: 'pay' }, matchExpressions: [excluded, inProduction] };
    const selectors = [
      ...webhooks.map((webhook) => at(webhook as Manifest, 'namespaceSelector')),
      at(one(manifests, 'ValidatingAdmissionPolicy'), 'spec.matchConstraints.namespaceSelector'),
    ];
    assert.deepEqual(selectors, [wanted, wanted, wanted, wanted]);
  });

  it('lets the API server in where a NetworkPolicy is', async () => {
    const policy = one(await example('admission'), 'NetworkPolicy');
    assert.deepEqual(at(policy, 'spec.ingress.1'), { ports: [{ port: 9443, protocol: 'TCP' }] });
  });

  it('refuses what cannot work: no certificate in scope namespaces, and Fail with one replica', async () => {
    const scoped = await template({ values: { admission: { enabled: true }, rbac: { scope: 'namespaces' } } });
    assert.match(
      scoped.stderr,
      /admission\.certificate\.secretName is needed with rbac\.scope: namespaces, or its issuerRef/,
    );
    const single = await template({ values: { admission: { enabled: true, failurePolicy: 'Fail' }, replicas: 1 } });
    assert.match(single.stderr, /admission\.failurePolicy: Fail needs replicas: 2 or more/);
  });
});

describe('the policy of the chart', { skip: noHelm || noControlPlane, timeout: 900_000 }, () => {
  const plane = useControlPlane();

  it('refuses empty Secrets, empty values, keys of another length and files that are no PEM, by the API server alone', async () => {
    const path = '/apis/admissionregistration.k8s.io/v1';
    const manifests = await example('admission');
    for (const [kind, plural] of [
      ['ValidatingAdmissionPolicy', 'validatingadmissionpolicies'],
      ['ValidatingAdmissionPolicyBinding', 'validatingadmissionpolicybindings'],
    ] as const)
      await plane().admin('POST', `${path}/${plural}`, one(manifests, kind));
    const home = await plane().makeNamespace();
    const labels = { 'paycert.dev/used-by': 'wechat-main' };
    const write = async (data: Readonly<Record<string, string>>, annotations = {}) => {
      const base64 = Object.entries(data).map(([name, text]) => [name, Buffer.from(text).toString('base64')]);
      const secret = { metadata: { name: 'keys', labels, annotations }, data: Object.fromEntries(base64) as object };
      const { status, object } = await plane().attempt('POST', `/api/v1/namespaces/${home}/secrets?dryRun=All`, secret);
      return status === 201 ? 'stored' : String(object['message']);
    };
    const good = { apiv3_key: 'a'.repeat(32), 'apiclient_key.pem': '-----BEGIN PRIVATE KEY-----\n' };
    await until(async () => (await write({})) !== 'stored', 'the policy counts');
    assert.match(await write({}), /the Secret is empty/);
    assert.match(await write({ ...good, note: '' }), /a value of the Secret is empty/);
    for (const length of [16, 30, 31, 35, 36, 40, 64]) assert.match(await write({ ...good, apiv3_key: 'a'.repeat(length) }), /apiv3_key is not 32 characters long/); // prettier-ignore
    assert.match(
      await write({ ...good, 'apiclient_key.pem': 'MIIE' }),
      /apiclient_key\.pem does not begin with -----BEGIN/,
    );
    assert.equal(await write(good), 'stored');
    assert.equal(await write({ ...good, apiv3_key: `${'a'.repeat(32)}\n` }), 'stored');
    assert.equal(await write({}, { 'paycert.dev/break-glass': '2026-03-01T12:00:00Z' }), 'stored');

    // Stored before there was a policy: it may be annotated, and not be written again as it was.
    const kept = `/api/v1/namespaces/${home}/secrets`;
    await plane().admin('POST', kept, { metadata: { name: 'old' }, data: {} });
    const note = (metadata: object) => plane().attempt('PATCH', `${kept}/old`, { metadata }, 'application/merge-patch+json'); // prettier-ignore
    assert.match(String((await note({ labels })).object['message']), /the Secret is empty/);
    const annotations = { 'paycert.dev/break-glass': '2026-03-01T12:00:00Z' };
    assert.equal((await note({ labels, annotations })).status, 200);
    assert.equal((await note({ annotations: { 'paycert.dev/break-glass': null, note: 'x' } })).status, 200);
  });
});

describe(
  'a loop that applies the rendered chart server-side',
  { skip: noHelm || noControlPlane, timeout: 300_000 },
  () => {
    const plane = useControlPlane();

    it('leaves the authority where the operator puts it, changes nothing from the second round on, and conflicts with nobody', async () => {
    await plane().admin('POST', '/api/v1/namespaces', { metadata: { name: namespace } });
    const kubeconfig = await plane().kubeconfig(namespace);
    const name = 'paycert-admission';
    const webhooks = `/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/${name}`;
    const secret = `/api/v1/namespaces/${namespace}/secrets/${name}`;
    const keeper = new ServingSecret({
      secret: { namespace, name },
      configurations: [{ kind: 'validating', name }],
      hostNames: [`${name}.${namespace}.svc`],
      client: async () => connect({ KUBECONFIG: kubeconfig }),
      clock: systemClock,
      random: randomBytes,
      observe: () => undefined,
    });
    const stored = () => Promise.all([webhooks, secret].map((path) => plane().admin('GET', path)));
    const rounds: string[] = [];
    for (const force of [false, false, true, false]) {
      // Each round renders again.
      const manifests = await example('admission');
      for (const [path, kind] of [
        [webhooks, 'ValidatingWebhookConfiguration'],
        [secret, 'Secret'],
      ] as const) {
        const manifest = ofKind(manifests, kind).find(({ metadata }) => metadata.name === name);
        const query = `?fieldManager=argocd-controller&force=${String(force)}`;
        const { status, object } = await plane().attempt('PATCH', path + query, manifest, 'application/apply-patch+yaml');
        assert.ok(status === 200 || status === 201, String(object['message']));
      }
      rounds.push(JSON.stringify(await stored()));
      await keeper.keep(AbortSignal.timeout(240_000));
      rounds.push(JSON.stringify(await stored()));
    }
    const [applied, ...later] = rounds;
    assert.notEqual(applied, later[0]);
    assert.equal(new Set(later).size, 1);
    const [{ metadata, webhooks: all }] = JSON.parse(later[0]!) as [Kept, unknown];
    assert.equal(new Set(all.map(({ clientConfig }) => clientConfig.caBundle)).size, 1);
    assert.match(Buffer.from(all[0]!.clientConfig.caBundle!, 'base64').toString(), /^-----BEGIN CERTIFICATE-----/);
    const owners = metadata.managedFields.filter((fields) => JSON.stringify(fields).includes('f:caBundle'));
    assert.deepEqual(owners.map(({ manager }) => manager), ['paycert-operator']); // prettier-ignore
  }); // prettier-ignore
  },
);
