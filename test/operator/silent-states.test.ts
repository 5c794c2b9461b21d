// States in which an operator looks well and does nothing: each shows in log, metric or readiness, against a real API server.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemClock, type Clock } from '../../src/clock.ts';
import { noControlPlane, useControlPlane } from '../support/control-plane.ts';
import { installDefinition, leastRules, makeAccount, rule, secretRules, startOperator, Tenant, until, wechatpaySpec } from '../support/operator.ts'; // prettier-ignore
import { call, makeMaterial } from '../support/sidecar.ts';

const limit = { timeout: 300_000, skip: noControlPlane };
const controlPlane = useControlPlane(installDefinition);

/** The machine's clock, so far off. */
const shifted = (milliseconds: number): Clock => ({
  ...systemClock,
  now: () => new Date(Date.now() + milliseconds),
});
const metric = async (address: string, name: string): Promise<string | undefined> => {
  const { content } = await call(address, '/metrics');
  return content.split('\n').find((line) => line.startsWith(name));
};

describe('an operator', () => {
  it('whose Lease cannot be created says so in log, metric and readiness, and leads once it may', limit, async (t) => {
    const tenant = await Tenant.make(controlPlane());
    const { namespace } = tenant;
    const environment = await makeAccount(tenant, [...leastRules, ...secretRules]);
    await tenant.write('keys', (await makeMaterial()).files);
    await tenant.create('wechat-main', wechatpaySpec('keys'));
    let ahead = 0;
    const clock = { ...systemClock, now: () => new Date(Date.now() + ahead) };
    const lease = { namespace, name: 'paycert-operator' };
    const operator = await startOperator(t, controlPlane(), { namespaces: [namespace], environment, lease, clock });
    const { error } = await operator.recorder.next('watch-failed', ({ source }) => source === 'lease:paycert-operator');
    assert.match(error?.message ?? '', /leases\.coordination\.k8s\.io "paycert-operator" in namespace/);
    assert.equal(await metric(operator.address, 'paycert_leading'), 'paycert_leading{lease="paycert-operator"} 0');
    await until(async () => (await call(operator.address, '/readyz')).status === 200, 'a minute is tolerated');
    ahead = 61_000;
    const { status, content } = await call(operator.address, '/readyz');
    assert.equal(status, 503);
    assert.match(content, /cannot take part in the election of a leader: .*leases/);
    assert.equal(await tenant.status('wechat-main'), undefined);
    const rules = [rule('coordination.k8s.io', ['leases'], 'get', 'create', 'update')];
    await controlPlane().grantTo(namespace, 'election', namespace, rules);
    const path = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/rolebindings/election`;
    const subjects = [{ kind: 'ServiceAccount', name: 'operator', namespace }];
    await controlPlane().admin('PATCH', path, { subjects }, 'application/merge-patch+json');
    await tenant.condition('wechat-main', 'Ready', 'True Ready');
    await until(async () => (await call(operator.address, '/readyz')).status === 200);
    assert.equal(await metric(operator.address, 'paycert_leading'), 'paycert_leading{lease="paycert-operator"} 1');
  });

  it('that may not create Events says so in log and metric, and works all the same', limit, async (t) => {
    const tenant = await Tenant.make(controlPlane());
    const rules = leastRules.filter(({ resources }) => String(resources) !== 'events');
    const environment = await makeAccount(tenant, [...rules, ...secretRules]);
    await tenant.write('keys', (await makeMaterial()).files);
    await tenant.create('wechat-main', wechatpaySpec('keys'));
    const operator = await startOperator(t, controlPlane(), { namespaces: [tenant.namespace], environment });
    const { error, isNew } = await operator.recorder.next('event-lost');
    assert.deepEqual([error.code, isNew], ['cluster-forbidden', true]);
    assert.equal(await metric(operator.address, 'paycert_operator_events_recorded'), 'paycert_operator_events_recorded 0'); // prettier-ignore
    await tenant.condition('wechat-main', 'Ready', 'True Ready');
  });

  for (const minutes of [10, -10, 6 * 365 * 24 * 60])
    it(
      `whose clock is ${String(minutes)} minutes ahead of the API server's says so in log and metric`,
      limit,
      async (t) => {
        const tenant = await Tenant.make(controlPlane());
        const clock = shifted(minutes * 60_000);
        const operator = await startOperator(t, controlPlane(), { namespaces: [tenant.namespace], clock });
        await until(() => operator.recorder.of('clock-compared').some(({ isNews }) => isNews), 'it is news');
        let made = 0;
        // A response that was on its way for longer says less: the operator is given something to write, and so hears another.
        await until(async () => {
          await tenant.create(`another-${String(made++)}`, wechatpaySpec('keys'));
          const [, value] = (await metric(operator.address, 'paycert_clock_ahead_seconds'))!.split(' ');
          return Math.abs(Number(value) - minutes * 60) <= 2;
        }, 'the metric says so');
        const compared = operator.recorder.of('clock-compared').map(({ aheadSeconds }) => aheadSeconds);
        assert.ok(
          compared.every((seconds) => Math.abs(seconds) <= Math.abs(minutes) * 60),
          compared.join(),
        );
      },
    );
});
