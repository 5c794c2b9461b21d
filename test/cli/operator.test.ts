// paycert operator as its users run it: a process with flags, health, metrics, and an end that leaves the Lease free.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { noControlPlane, useControlPlane } from '../support/control-plane.ts';
import { installDefinition, Tenant, until, wechatpaySpec } from '../support/operator.ts';
import { paycert, RunningPaycert } from '../support/paycert.ts';
import { call, makeMaterial } from '../support/sidecar.ts';

const limit = { timeout: 300_000, skip: noControlPlane };
const controlPlane = useControlPlane(installDefinition);

describe('paycert operator', () => {
  it('works as its flags say, and gives the Lease up at SIGTERM', limit, async (t) => {
    const tenant = await Tenant.make(controlPlane());
    const { namespace } = tenant;
    await tenant.write('keys', (await makeMaterial()).files);
    await tenant.create('wechat-main', wechatpaySpec('keys'));
    const env = { KUBECONFIG: await controlPlane().kubeconfig('default'), POD_NAME: 'operator-0' };
    const flags = ['--namespace', namespace, '--secret', `${namespace}/keys`, '--lease', `${namespace}/paycert-operator`, '--lease-duration', '30s', '--concurrency', '2', '--refresh-pods', '--address', '127.0.0.1:0', '--log-level', 'debug', '--audit']; // prettier-ignore
    const operator = new RunningPaycert(t, ['operator', ...flags], env);
    const { address } = await operator.event('listening');
    await operator.event('leading', { msg: 'leading' });
    await tenant.condition('wechat-main', 'Ready', 'True Ready');
    await operator.event('condition-changed', {
      object: `${namespace}/wechat-main`,
      condition: 'Ready',
      reason: 'Ready',
    });
    await until(async () => (await call(String(address), '/readyz')).status === 200);
    const { content } = await call(String(address), '/metrics');
    assert.match(content, /paycert_leading\{lease="paycert-operator"\} 1/);
    const leads = await operator.line(({ audit, type }) => audit === 1 && type === 'leading');
    assert.deepEqual([leads['host'], leads['outcome'], leads['seq']], ['operator-0', 'leads', 2]);
    assert.match(content, /paycert_audit_seq 2/);
    assert.match(content, /paycert_operator_reconciles_total\{outcome="written"\} 1/);
    assert.equal((await call(String(address), '/metrics', { method: 'POST' })).status, 405);
    assert.equal((await call(String(address), '/v1/credentials')).status, 404);
    const path = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/paycert-operator`;
    const holder = async () => ((await controlPlane().admin('GET', path))['spec'] as { holderIdentity: string }).holderIdentity; // prettier-ignore
    assert.equal(await holder(), 'operator-0');
    const { spec } = (await controlPlane().admin('GET', path)) as { spec?: { leaseDurationSeconds: number } };
    assert.equal(spec?.leaseDurationSeconds, 30);
    operator.terminate();
    assert.equal(await operator.ended, 0);
    assert.equal(await holder(), '');
  });

  it('says that it is not ready while there is no API server, and lives', limit, async (t) => {
    const kubeconfig = await controlPlane().kubeconfig('default', 'http://127.0.0.1:1');
    const operator = new RunningPaycert(t, ['operator', '--address', '127.0.0.1:0'], { KUBECONFIG: kubeconfig });
    const { address } = await operator.event('listening');
    await operator.event('watch-failed', { reason: 'cluster-unreachable' });
    assert.equal((await call(String(address), '/livez')).status, 200);
    assert.equal((await call(String(address), '/readyz')).status, 503);
  });

  for (const [flags, expected] of [
    [['--secret', 'keys'], /--secret is NAMESPACE\/NAME/],
    [['--lease', 'a/b/c'], /--lease is NAMESPACE\/NAME/],
    [['--namespace', 'A'], /--namespace is a name/],
    [['--address', '9464'], /--address is HOST:PORT/],
    [['--lease-duration', '10s'], /--lease-duration is longer than --renew-deadline/],
    [['--lease-duration', '15500ms'], /whole seconds/],
    [['--renew-deadline', '2s'], /longer than --retry-period/],
    [['--retry-period', '2'], /--retry-period is a time/],
    [['--api-qps', '0'], /--api-qps is a number from 1 to 9999/],
    [['--api-qps', '5', '--api-burst', '0'], /--api-burst is a number from 1 to 9999/],
    [['--operator-class', 'team b'], /--operator-class is the value of a label/],
    [['--namespace-selector', ' '], /--namespace-selector is labels such as team=pay/],
    [['--namespace', 'pay', '--namespace-selector', 'team=pay'], /stands instead of --namespace/],
    [['--audit-key', '/key'], /--audit-key stands beside --audit/],
    [['--audit-directory', '/audit'], /--audit-directory stands beside --audit/],
    [['--audit', '--audit-retention', '1d'], /stand beside --audit-directory/],
    [['--audit', '--audit-directory', '/audit', '--audit-max-bytes', '1'], /--audit-max-bytes is a number of bytes/],
    [['--audit', '--audit-directory', '/audit', '--audit-retention', '6 months'], /--audit-retention is a time/],
    [['--audit', '--audit-otlp'], /--audit-otlp needs OTEL_EXPORTER_OTLP_ENDPOINT/],
    [['--way-out', 'http://proxy.example:3128'], /--way-out stands beside --download-certificates/],
    [['--download-certificates', '--way-out', 'proxy.example'], /--way-out is an address without a path/],
    [['--concurrency', '65'], /--concurrency is a number from 1 to 64/],
    [['--log-level', 'loud'], /--log-level is one of debug, info, warn, error/],
  ] as const)
    it(`refuses ${flags.join(' ')}`, async () => {
      const { code, stderr } = await paycert(['operator', ...flags]);
      assert.equal(code, 64);
      assert.match(stderr, expected);
    });
});
