// What the chart renders of the operator's downloads of platform certificates: an option, a permission by names and a way out where it is on, and nothing where it is off.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { at, chart, type Manifest, noHelm, ofKind, one, render } from './helm.ts';

interface Rule {
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

const example = () => render({ files: [`${chart}/ci/platform-certificates-values.yaml`] });
const argsOf = (manifests: readonly Manifest[]) =>
  at(one(manifests, 'Deployment'), 'spec.template.spec.containers.0.args') as string[];
/** Every rule that lets somebody write a Secret, with its namespace. */
const writing = (manifests: readonly Manifest[]) =>
  [...ofKind(manifests, 'ClusterRole'), ...ofKind(manifests, 'Role')].flatMap(({ metadata, rules }) =>
    (rules as Rule[])
      .filter(
        ({ resources, verbs }) =>
          resources.includes('secrets') && verbs.some((verb) => !/^(?:get|list|watch)$/.test(verb)),
      ) // prettier-ignore
      .map(({ resourceNames, verbs }) => [metadata.namespace, resourceNames, verbs]),
  );
const platforms = (manifests: readonly Manifest[]) =>
  (at(one(manifests, 'NetworkPolicy'), 'spec.egress') as { ports: { port: number }[]; to?: object[] }[]).filter(
    ({ ports }) => ports.length === 1 && ports[0]?.port === 443,
  );

describe('downloads of platform certificates in the chart', { skip: noHelm, timeout: 900_000 }, () => {
  it('are off: no option, no permission to write a Secret, no way out and no alert', async () => {
    const prometheusRule = { renderMode: 'alwaysRender' };
    const manifests = await render({ values: { prometheusRule, networkPolicy: { enabled: true, apiPorts: [6443] } } });
    assert.ok(!argsOf(manifests).includes('--download-certificates'));
    assert.deepEqual(writing(manifests), []);
    assert.deepEqual(platforms(manifests), []);
    assert.doesNotMatch(JSON.stringify(one(manifests, 'PrometheusRule')), /CertificatesNotStored|CertificatesCurrent/);
  });

  it('may get and patch the Secrets that are named, create none, and call port 443', async () => {
    const manifests = await example();
    assert.ok(argsOf(manifests).includes('--download-certificates'));
    assert.deepEqual(writing(manifests), [['pay', ['wechat-platform'], ['get', 'patch']]]);
    assert.deepEqual(platforms(manifests), [{ ports: [{ port: 443, protocol: 'TCP' }] }]);
    const bound = ofKind(manifests, 'RoleBinding').filter(({ metadata }) => metadata.namespace === 'pay');
    assert.equal(bound.length, 1);
  });

  it('have a way out to the addresses that are named alone', async () => {
    const to = [{ ipBlock: { cidr: '203.0.113.0/24' } }];
    const values = { platformCertificates: { egressTo: to } };
    const manifests = await render({ files: [`${chart}/ci/platform-certificates-values.yaml`], values });
    assert.deepEqual(platforms(manifests), [{ ports: [{ port: 443, protocol: 'TCP' }], to }]);
  });

  it('go through a proxy where one is named, and to its port alone', async () => {
    const of = async (wayOut: string) => {
      const values = { platformCertificates: { wayOut } };
      const manifests = await render({ files: [`${chart}/ci/platform-certificates-values.yaml`], values });
      const egress = at(one(manifests, 'NetworkPolicy'), 'spec.egress') as { ports: { port: number }[] }[];
      return [argsOf(manifests).filter((arg) => arg.startsWith('--way-out')), egress.at(-1)?.ports];
    };
    const to = (port: number) => [{ port, protocol: 'TCP' }];
    assert.deepEqual(await of('http://proxy.example:3128'), [['--way-out=http://proxy.example:3128'], to(3128)]);
    assert.deepEqual(await of('http://proxy.example'), [['--way-out=http://proxy.example'], to(80)]);
    assert.deepEqual(await of('https://proxy.example'), [['--way-out=https://proxy.example'], to(443)]);
    assert.deepEqual(await of(''), [[], to(443)]);
  });

  it('are granted in each namespace for its own Secrets, also with scope `namespaces`, and in no other', async () => {
    const secrets = ['pay/b', 'pay/a', 'shop/c'];
    const rbac = (namespaces: readonly string[]) => ({
      values: { platformCertificates: { enabled: true, secrets }, rbac: { scope: 'namespaces', namespaces } },
    });
    assert.deepEqual(writing(await render(rbac(['pay', 'shop']))), [
      ['pay', ['a', 'b'], ['get', 'patch']],
      ['shop', ['c'], ['get', 'patch']],
    ]);
    await assert.rejects(render(rbac(['pay'])), /platformCertificates\.secrets: shop\/c is in no namespace of rbac\.namespaces/); // prettier-ignore
  });
});
