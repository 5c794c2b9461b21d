// Injected Pods on a real API server: each is told when the next of its two Secrets signs, and a Pod of other Secrets is never told of these.
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { connect } from '../../../src/kube/client.ts';
import { ActivationWriter } from '../../../src/operator/injection/activations.ts';
import { readFacts } from '../../../src/operator/injection/facts.ts';
import { Leadership } from '../../../src/operator/leadership.ts';
import { Pods } from '../../../src/operator/pods.ts';
import { noControlPlane, useControlPlane } from '../../support/control-plane.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { asking, podsPath, startInjecting, type Stored } from '../../support/injection.ts';
import { installDefinition, leastRules, makeAccount, rule, secretRules, until } from '../../support/operator.ts';
import { Recorder } from '../../support/recorder.ts';

const limit = { timeout: 300_000, skip: noControlPlane };
const controlPlane = useControlPlane(installDefinition);
const annotation = 'paycert.dev/activations';
const staged = (percent: number, next = 'next') => ({
  secret: null,
  staged: { current: { secret: { name: 'keys' } }, next: { secret: { name: next } }, activate: { percent } },
});

/** What docs/injection.md says that it needs. */
const rules = [
  ...leastRules,
  ...secretRules,
  rule('', ['pods'], 'list', 'watch'),
  rule('', ['pods/status'], 'patch'),
  rule('apps', ['replicasets'], 'get'),
];

async function setUp(t: TestContext) {
  const injecting = await startInjecting(t, controlPlane());
  const { plane, namespace, tenant, create, install } = injecting;
  await install();
  await tenant.patch('wechat-main', { source: staged(0) });
  const pod = async (): Promise<string> => {
    const { status, object } = await create({ labels: asking });
    assert.equal(status, 201, String(object['message']));
    return (object as Stored).metadata.name;
  };
  const annotationOf = async (name: string, which: string) =>
    ((await plane.admin('GET', podsPath(namespace, name))) as Stored).metadata.annotations?.[which];
  const said = (name: string) => annotationOf(name, annotation);
  const touchedAt = (name: string) => annotationOf(name, 'paycert.dev/refreshed-at');
  const says = (name: string, text: string) => until(async () => (await said(name)) === text, `${name} says ${text}`);
  const tamper = (name: string, text: string | null) =>
    plane.admin('PATCH', podsPath(namespace, name), { metadata: { annotations: { [annotation]: text } } }, 'application/merge-patch+json'); // prettier-ignore
  // What is cached by the webhook is what a new Pod gets.
  await until(async () => {
    const { object } = await create({ query: '?dryRun=All' });
    return (object as Stored).metadata.annotations?.[annotation] !== undefined;
  }, 'Pods get both Secrets');
  return { ...injecting, pod, said, touchedAt, says, tamper };
}

describe('a Pod with two staged Secrets', () => {
  it('is told of a promotion and a rollback, and again of what somebody else wrote there', limit, async (t) => {
    const { tenant, pod, says, tamper } = await setUp(t);
    const name = await pod();
    await says(name, '{"wechat-main":{"percent":0}}');
    await tenant.patch('wechat-main', { source: staged(100) });
    await says(name, '{"wechat-main":{"percent":100}}');
    for (const text of ['{"wechat-main":{"percent":0}}', 'no JSON', null]) {
      await tamper(name, text);
      await says(name, '{"wechat-main":{"percent":100}}');
    }
    await tenant.patch('wechat-main', { source: staged(0) });
    await says(name, '{"wechat-main":{"percent":0}}');
  });

  it('signs on with what it signs with when the resource names other Secrets', limit, async (t) => {
    const { tenant, pod, said, says } = await setUp(t);
    const older = await pod();
    await tenant.patch('wechat-main', { source: staged(100) });
    await says(older, '{"wechat-main":{"percent":100}}');
    await tenant.patch('wechat-main', { source: staged(0, 'third') });
    let newer = '';
    await until(async () => {
      newer = await pod();
      return (await said(newer)) === '{"wechat-main":{"percent":0}}';
    }, 'a new Pod has the third Secret');
    await tenant.patch('wechat-main', { source: staged(7, 'third') });
    await says(newer, '{"wechat-main":{"percent":7}}');
    assert.equal(await said(older), '{"wechat-main":{"percent":100}}', 'what it mounts is promoted');
    await tenant.patch('wechat-main', { source: { secret: { name: 'third' }, staged: null } });
    await says(newer, '{"wechat-main":{"percent":7}}');
  });

  it(
    'is written with the permissions that docs/injection.md names, touched after 2 and 8 s, and a refusal is logged once',
    limit,
    async (t) => {
      const { tenant, plane, namespace, pod, touchedAt } = await setUp(t);
      const name = await pod();
      const facts = readFacts((await plane.admin('GET', podsPath(namespace, name))) as never)!;
      assert.deepEqual(facts.staged, [{ credential: 'wechat-main', current: 'keys', next: 'next' }]);
      const write = async (account: readonly ReturnType<typeof rule>[], called: string) => {
        const environment = await makeAccount(tenant, account, called);
        const [recorder, leadership, stop] = [new Recorder(), new Leadership(), new AbortController()];
        const leading = leadership.lead(() => undefined, stop.signal);
        const spec = { provider: { wechatpay: { merchantId: '1900000001' } }, source: { staged: staged(42).staged } };
        const lookup = { find: () => ({ spec }) as never };
        const client = async () => connect(environment);
        const clock = new FakeClock();
        const touches = new Pods({ client, leadership, clock, observe: recorder.observe });
        const writer = new ActivationWriter({ client, lookup, leadership, touches, observe: recorder.observe });
        for (let times = 0; times < 2; times += 1) await writer.write([facts], t.signal);
        const end = async () => {
          stop.abort();
          await Promise.all([leading, touches.stop()]);
        };
        return { recorder, clock, [Symbol.asyncDispose]: end };
      };
      await using refusing = await write(leastRules, 'least');
      const refused = refusing.recorder;
      assert.deepEqual(refused.of('activation-unwritten').map(({ error, isNew }) => [error.code, isNew]), [['cluster-forbidden', true], ['cluster-forbidden', false]]); // prettier-ignore
      assert.equal(refusing.clock.sleeping.length, 0, 'nothing was written that kubelet could have missed');
      await using writing = await write(rules, 'enough');
      const { recorder, clock } = writing;
      assert.equal(recorder.of('activation-written').length, 2);
      assert.equal(await touchedAt(name), undefined, 'the write itself was the first touch');
      for (const pause of [2000, 6000]) {
        await until(() => clock.sleeping.includes(pause), 'the next touch is due');
        const touched = recorder.next('pods-refreshed');
        clock.advance(pause);
        assert.equal((await touched).pods, 1);
        assert.equal(await touchedAt(name), clock.now().toISOString());
      }
    },
  );
});
