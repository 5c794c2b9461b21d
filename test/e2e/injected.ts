// A Deployment and a Job that get their sidecar from one label, sign through a rotation, and are made again where the webhook missed them.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Json } from '../support/control-plane.ts';
import { restricted } from '../support/injection.ts';
import { eventually, execute, kubectl } from './kubernetes.ts';
import { eventsOf, logOf } from './questions.ts';
import { rotate } from './traffic.ts';
import type { World } from './world.ts';

interface Pod {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
  readonly spec: { readonly initContainers?: readonly { readonly name: string }[] };
}

/** Signs until a second key has signed, and twenty times more; then says how it went, and ends as a Job should. */
const settle = `
  import { request } from 'node:http';
  const call = () => new Promise((resolve, reject) => {
    const outgoing = request({ socketPath: process.env.PAYCERT_SOCKET, path: '/v1/credentials/wechat-main/authorize', method: 'POST', headers: { 'Content-Type': 'application/json' } }, async (answer) => {
      const body = JSON.parse(Buffer.concat(await answer.toArray()).toString());
      answer.statusCode === 200 ? resolve(body.keyId) : reject(new Error(body.title));
    });
    outgoing.on('error', reject);
    outgoing.end(JSON.stringify({ method: 'POST', url: '/v3/pay/transactions/jsapi', body: '{}' }));
  });
  const keys = new Map();
  let failed = 0;
  while (keys.size < 2 || [...keys.values()].at(-1) < 20) {
    await call().then((key) => keys.set(key, (keys.get(key) ?? 0) + 1), () => (failed += 1));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  console.log(JSON.stringify({ failed, keys: keys.size }));
`;

const labels = { app: 'injected', 'paycert.dev/inject': 'wechat-main' };

/** A Pod template as somebody writes it who knows nothing of sidecars. */
const template = (image: string, more: Json, command: readonly string[]): Json => ({
  metadata: { labels },
  spec: {
    automountServiceAccountToken: false,
    containers: [
      {
        name: 'shop',
        image,
        imagePullPolicy: 'IfNotPresent',
        command,
        securityContext: restricted,
        env: [{ name: 'REPORT_MS', value: '1000' }],
        volumeMounts: [{ name: 'shop-code', mountPath: '/app', readOnly: true }],
      },
    ],
    volumes: [{ name: 'shop-code', configMap: { name: 'shop-code' } }],
    ...more,
  },
});

async function injectedPods({ kubernetes, pay }: World): Promise<readonly Pod[]> {
  const { items } = await kubernetes.json('GET', `/api/v1/namespaces/${pay}/pods?labelSelector=app=injected`);
  return items as readonly Pod[];
}

const hasSidecar = ({ spec }: Pod): boolean => spec.initContainers?.[0]?.name === 'paycert';

export function injected(world: () => World): void {
  it('gives a Deployment and a Job their sidecar from one label, and both sign through a rotation', async (t) => {
    const { pay, image, kubernetes } = world();
    const probe = { ...template(image, {}, []), apiVersion: 'v1', kind: 'Pod' };
    const pod = { ...probe, metadata: { name: 'probe', labels } };
    await eventually('the webhook is asked', 60, async () =>
      hasSidecar((await kubernetes.json('POST', `/api/v1/namespaces/${pay}/pods?dryRun=All`, pod)) as unknown as Pod),
    );
    const deployment = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'injected' },
      spec: {
        replicas: 1,
        selector: { matchLabels: { app: 'injected' } },
        template: template(image, {}, ['node', '/app/shop.mjs']),
      },
    };
    const command = ['node', '--input-type=module', '-e', settle];
    const job = {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'settle' },
      spec: { backoffLimit: 0, template: template(image, { restartPolicy: 'Never' }, command) },
    };
    await world().apply([deployment, job]);
    await kubectl('rollout', 'status', 'deployment/injected', '-n', pay, '--timeout=60s');
    const pods = await injectedPods(world());
    assert.equal(pods.length, 2);
    for (const pod of pods) assert.ok(hasSidecar(pod), pod.metadata.name);
    await kubectl('wait', 'pod', '-n', pay, '-l', 'app=injected', '--for=condition=Ready', '--timeout=60s');
    await rotate(t, world(), { api: 2, mount: 12 });
    // The sidecar of a Job ends with it: the Job is complete.
    await kubectl('wait', 'job/settle', '-n', pay, '--for=condition=Complete', '--timeout=120s');
    const [settled, shop] = [pods.find(isOf('settle')), pods.find(isOf('injected'))];
    const line = await logOf(world(), settled!.metadata.name, 'shop');
    assert.deepEqual(JSON.parse(line), { failed: 0, keys: 2 });
    assert.match(await logOf(world(), shop!.metadata.name, 'shop'), /"failed":0,"retries":0\}\s*$/);
    await eventually('the Deployment is told', 30, async () => (await eventsOf(world(), 'injected')).has('Injected'));
  });

  it('makes a Pod again that was created while the webhook was away', async () => {
    const { pay, system, release } = world();
    const operator = (replicas: number) =>
      kubectl('scale', 'deployment', '-n', system, '-l', `app.kubernetes.io/instance=${release}`, `--replicas=${String(replicas)}`); // prettier-ignore
    await operator(0);
    await kubectl('wait', 'pod', '-n', system, '-l', `app.kubernetes.io/component=operator`, '--for=delete', '--timeout=60s'); // prettier-ignore
    await execute('kubectl', ['scale', 'deployment/injected', '-n', pay, '--replicas=2']);
    const missed = await eventually('a Pod without its sidecar', 30, async () =>
      (await injectedPods(world())).find((pod) => isOf('injected')(pod) && !hasSidecar(pod)),
    );
    await operator(2);
    await eventually('each has its sidecar', 120, async () => {
      const running = (await injectedPods(world())).filter(isOf('injected'));
      return running.length === 2 && running.every((pod) => hasSidecar(pod)) && !running.some(isNamed(missed));
    });
    await kubectl('rollout', 'status', 'deployment/injected', '-n', pay, '--timeout=60s');
    assert.match((await eventsOf(world(), 'injected')).get('InjectionSkipped') ?? '', /WebhookMissed/);
    await kubectl('delete', 'deployment/injected', 'job/settle', '-n', pay);
  });
}

const isOf =
  (owner: string) =>
  ({ metadata }: Pod): boolean =>
    metadata.name.startsWith(`${owner}-`);

const isNamed =
  ({ metadata: { name } }: Pod) =>
  ({ metadata }: Pod): boolean =>
    metadata.name === name;
