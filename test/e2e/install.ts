// The story begins: the chart on an empty cluster, a Secret and its PaymentCredential, and payment pods that sign.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { eventually, execute, kubectl } from './kubernetes.ts';
import { byApi, byMount, makeCaller, makeVariant, sidecarManifests, wechat } from './pods.ts';
import { condition, podIp } from './questions.ts';
import { signOn } from './traffic.ts';
import { makeToken, type World } from './world.ts';

export function install(world: () => World): void {
  it('installs with Helm on a cluster without Prometheus, and says what to do next', async () => {
    const { system } = world();
    const said = await world().helm('install', '--set', 'refreshPods=true');
    assert.match(said, /There are no alerts: this cluster has no Prometheus Operator/);
    assert.match(said, new RegExp(`helm test ${world().release} -n ${system}`));
    const ready = await kubectl('get', 'deployment', '-n', system, '-o', 'jsonpath={.items[*].status.readyReplicas}');
    assert.equal(ready, '2');
  });

  it('says within seconds that a Secret will do', async (t) => {
    const { pay } = world();
    await world().deploy(world().materials.next());
    const started = Date.now();
    await world().apply([world().credential('wechat-main', { refreshPods: true })]);
    const { status } = await condition(world(), 'wechat-main', 'Ready True Ready');
    t.diagnostic(`Ready after ${Date.now() - started} ms`);
    const row = await kubectl('get', 'paycred', '-n', pay);
    assert.match(row, new RegExp(`wechat-main +wechatpay +True +\\S+ +${String(status.notAfter)}`));
  });

  it('signs in pods made as docs/sidecar.md says, in a restricted namespace', async () => {
    const { pay, image, kubernetes } = world();
    const manifests = sidecarManifests(image);
    await world().apply([
      ...manifests,
      makeToken(),
      ...makeVariant(manifests, { name: 'api', credential: wechat(byApi) }),
      ...makeVariant(manifests, { name: 'mount', credential: wechat(byMount), labels: { 'paycert.dev/refresh': 'wechat-main' } }), // prettier-ignore
      ...makeVariant(manifests, { name: 'untouched', credential: wechat(byMount) }),
    ]);
    await kubectl('rollout', 'status', 'deployment/shop', '-n', pay, '--timeout=60s');
    await kubectl('wait', 'pod', 'api', 'mount', 'untouched', '-n', pay, '--for=condition=Ready', '--timeout=60s');
    await eventually('the application signs, and nothing has failed', 10, async () => {
      const path = `/api/v1/namespaces/${pay}/pods`;
      const { items } = await kubernetes.json('GET', `${path}?labelSelector=app=shop`);
      const [{ metadata }] = items as [{ metadata: { name: string } }];
      const line = await kubernetes.text('GET', `${path}/${metadata.name}/log?container=shop&tailLines=1`);
      assert.doesNotMatch(line, /"(failed|retries)":[1-9]/);
      return /^\{"signed":[1-9]\d*,"failed":0,"retries":0\}$/m.test(line);
    });
  });

  it('gives the application neither the Secret nor a token, nor a way to put something in the place of the socket', async () => {
    const { pay } = world();
    const code = readFileSync(new URL('intruder.ts', import.meta.url), 'utf8');
    const container = ['-n', pay, 'deployment/shop', '-c', 'shop'];
    const said = await kubectl('exec', ...container, '--', 'node', '--input-type=module-typescript', '-e', code, pay);
    assert.deepEqual(JSON.parse(said), {
      token: 'ENOENT',
      mount: 'ENOENT',
      socket: 'EROFS',
      'processes of others': [],
      'the Secret through the API': 403,
    });
  });

  it('answers `kubectl exec … -- paycert status`, as the runbook has it', async () => {
    const said = await kubectl(
      'exec',
      '-n',
      world().pay,
      'deployment/shop',
      '-c',
      'paycert',
      '--',
      'paycert',
      'status',
    );
    assert.match(said, /^wechat-main\b/m);
  });

  it('signs for a caller in another pod, which verifies every signature', async () => {
    const { pay, image } = world();
    const targets: Record<string, string> = {};
    for (const name of ['api', 'mount', 'untouched']) targets[name] = `${await podIp(world(), name)}:8010`;
    await world().apply(makeCaller(image, targets, world().materials.certificates()));
    await execute('kubectl', ['wait', 'pod/caller', '-n', pay, '--for=condition=Ready', '--timeout=30s']);
    await signOn(world());
  });
}
