// The daily digest in the chart: a job with the right to list PaymentCredentials where the operator may, and nothing else.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { at, chart, fieldsAt, type Manifest, noHelm, ofKind, one, render, template } from './helm.ts';

const name = 'paycert-digest';
const files = [`${chart}/ci/digest-values.yaml`];
const argsOf = (manifests: readonly Manifest[]) =>
  at(one(manifests, 'CronJob', name), 'spec.jobTemplate.spec.template.spec.containers.0.args');
const rule = { apiGroups: ['paycert.dev'], resources: ['paymentcredentials'], verbs: ['list'] };

describe('the digest in the chart', { skip: noHelm, timeout: 900_000 }, () => {
  it('is off', async () => {
    assert.doesNotMatch(JSON.stringify(await render()), /paycert-digest/);
  });

  it('posts at its time, of the whole cluster, and may list PaymentCredentials and nothing else', async () => {
    const manifests = await render({ files });
    const job = fieldsAt(one(manifests, 'CronJob', name), 'spec');
    assert.deepEqual([job['schedule'], job['timeZone']], ['0 9 * * 1-5', 'Asia/Shanghai']);
    assert.deepEqual(argsOf(manifests), [
      ...['digest', '--all-namespaces', '--receiver=dingtalk', '--webhook-file=/etc/paycert/digest/webhook'],
      ...['--sign-file=/etc/paycert/digest/sign', '--proxy=http://proxy.example.com:3128'],
    ]);
    assert.deepEqual(one(manifests, 'ClusterRole', name)['rules'], [rule]);
    assert.deepEqual(at(one(manifests, 'ClusterRoleBinding', name), 'subjects.0.name'), name);
    const pod = fieldsAt(job, 'jobTemplate.spec.template.spec');
    assert.deepEqual([pod['serviceAccountName'], at(pod, 'securityContext.runAsNonRoot')], [name, true]);
  });

  it('asks in the namespaces of the operator, with scope `namespaces`', async () => {
    const values = { rbac: { scope: 'namespaces', namespaces: ['pay', 'shop'] } };
    const manifests = await render({ files, values });
    assert.deepEqual((argsOf(manifests) as string[]).slice(1, 3), ['--namespace=pay', '--namespace=shop']);
    const roles = ofKind(manifests, 'Role').filter(({ metadata }) => metadata.name === name);
    assert.deepEqual(roles.map(({ metadata, rules }) => [metadata.namespace, rules]), [['pay', [rule]], ['shop', [rule]]]); // prettier-ignore
    assert.deepEqual(ofKind(manifests, 'ClusterRole').filter(({ metadata }) => metadata.name === name), []); // prettier-ignore
  });

  it('is refused without a Secret that has the address', async () => {
    const { code, stderr } = await template({ values: { digest: { enabled: true } } });
    assert.notEqual(code, 0);
    assert.match(stderr, /secretName/);
  });
});
