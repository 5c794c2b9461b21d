// What the chart renders of the view of a fleet: an option, a permission and a way out where it is on, and nothing where it is off.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { at, chart, type Manifest, noHelm, ofKind, one, render } from './helm.ts';

interface Rule {
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

const example = () => render({ files: [`${chart}/ci/fleet-values.yaml`] });
const argsOf = (manifests: readonly Manifest[]) =>
  at(one(manifests, 'Deployment'), 'spec.template.spec.containers.0.args') as string[];
const rulesAboutPods = (manifests: readonly Manifest[]): Rule[] =>
  [...ofKind(manifests, 'ClusterRole'), ...ofKind(manifests, 'Role')]
    .flatMap(({ rules }) => rules as Rule[])
    .filter(({ resources }) => resources.some((resource) => resource.startsWith('pods')));

describe('the fleet in the chart', { skip: noHelm, timeout: 900_000 }, () => {
  it('is off: no option, no permission for pods, no way out and no alert of it', async () => {
    const prometheusRule = { renderMode: 'alwaysRender' };
    const manifests = await render({ values: { prometheusRule, networkPolicy: { enabled: true } } });
    assert.ok(!argsOf(manifests).includes('--fleet'));
    assert.deepEqual(rulesAboutPods(manifests), []);
    assert.doesNotMatch(JSON.stringify(one(manifests, 'NetworkPolicy')), /sidecar/);
    assert.doesNotMatch(JSON.stringify(one(manifests, 'PrometheusRule')), /Fleet|fleet_/);
  });

  it('may list and watch pods, and nothing else of them, and reaches sidecars at their port alone', async () => {
    const manifests = await example();
    assert.ok(argsOf(manifests).includes('--fleet'));
    assert.deepEqual(rulesAboutPods(manifests), [{ apiGroups: [''], resources: ['pods'], verbs: ['list', 'watch'] }]);
    const egress = at(one(manifests, 'NetworkPolicy'), 'spec.egress') as { ports: { port: number }[]; to?: object[] }[];
    assert.deepEqual(
      egress.filter(({ ports }) => ports.some(({ port }) => port === 9464)),
      [
        {
          ports: [{ port: 9464, protocol: 'TCP' }],
          to: [{ namespaceSelector: {}, podSelector: { matchLabels: { 'paycert.dev/sidecar': 'true' } } }],
        },
      ],
    );
  });

  it('is granted in the namespaces of the operator alone, with scope `namespaces`', async () => {
    const manifests = await render({
      values: { fleet: { enabled: true }, rbac: { scope: 'namespaces', namespaces: ['pay'] } },
    });
    const roles = ofKind(manifests, 'Role').filter((role) => rulesAboutPods([role]).length > 0);
    assert.deepEqual(
      roles.map(({ metadata }) => metadata.namespace),
      ['pay'],
    );
    assert.deepEqual(rulesAboutPods(ofKind(manifests, 'ClusterRole')), []);
  });

  it('has its alert, after the time that is configured', async () => {
    const values = {
      fleet: { enabled: true },
      prometheusRule: { renderMode: 'alwaysRender', alerts: { fleetNotRolledOut: { for: '2m' } } },
    };
    const groups = at(one(await render({ values }), 'PrometheusRule'), 'spec.groups') as {
      rules: { alert?: string; for?: string }[];
    }[];
    const rule = groups.flatMap(({ rules }) => rules).find(({ alert }) => alert === 'PaycertFleetNotRolledOut');
    assert.equal(rule?.for, '2m');
  });
});
