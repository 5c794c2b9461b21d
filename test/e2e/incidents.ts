// Incidents that alerts are about, as a cluster makes them: what the alerts ask for is really there, and nothing of what they must not see.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Json } from '../support/control-plane.ts';
import { eventually, kubectl } from './kubernetes.ts';
import { byApi, byMount, makeVariant, sidecarManifests, wechat } from './pods.ts';
import { logOf, sample, scrape } from './questions.ts';
import { signOn } from './traffic.ts';
import type { World } from './world.ts';

interface PodStatus {
  readonly phase: string;
  readonly podIP?: string;
  readonly initContainerStatuses?: readonly [
    {
      readonly restartCount: number;
      readonly state: {
        readonly waiting?: { readonly reason: string };
        readonly terminated?: { readonly exitCode: number };
      };
    },
  ];
}

const statusOfPod = async ({ kubernetes, pay }: World, pod: string): Promise<PodStatus> =>
  (await kubernetes.json('GET', `/api/v1/namespaces/${pay}/pods/${pod}`))['status'] as PodStatus;

/** As if the clock of the machine were off. */
const clockOff = (seconds: number): string =>
  `const Real = Date; globalThis.Date = class extends Real { constructor(...given) { given.length > 0 ? super(...given) : super(Real.now() + ${seconds * 1000}); } static now() { return Real.now() + ${seconds * 1000}; } };`;

/** What a Job does: it signs once, and ends. */
const signOnce = `
  import { request } from 'node:http';
  const body = JSON.stringify({ method: 'POST', url: '/v3/pay/transactions/jsapi', body: '{}' });
  const options = { socketPath: '/run/paycert/paycert.sock', path: '/v1/credentials/wechat-main/authorize', method: 'POST', headers: { 'Content-Type': 'application/json' } };
  request(options, (answer) => process.exit(answer.statusCode === 200 ? 0 : 1)).end(body);`;

export function loops(world: () => World): void {
  it('shows in a crash loop what the alert asks for: a target that stays, answers now and then, and starts again and again', async (t) => {
    const { pay, image } = world();
    const before = 'setTimeout(() => process.exit(1), 6000)';
    await world().apply(makeVariant(sidecarManifests(image), { name: 'looping', credential: wechat(byMount), before }));
    const starts = new Set<number>();
    let missed = 0;
    await eventually('it has begun three times, and was away in between', 120, async () => {
      const [metrics, { phase, initContainerStatuses }] = await Promise.all([
        scrape(world(), 'looping').catch(() => undefined),
        statusOfPod(world(), 'looping'),
      ]);
      assert.ok(['Pending', 'Running'].includes(phase), `${phase}: Prometheus Operator would drop its target`);
      if (metrics === undefined) {
        if (starts.size > 0) missed += 1;
      } else if (sample(metrics, 'paycert_credential_ready{credential="wechat-main"}') === 1)
        starts.add(sample(metrics, 'process_start_time_seconds')!);
      const isBackingOff = initContainerStatuses?.[0].state.waiting?.reason === 'CrashLoopBackOff';
      return starts.size >= 3 && missed > 0 && isBackingOff;
    });
    t.diagnostic(`it began ${starts.size} times, and ${missed} scrapes were missed`);
    await kubectl('delete', 'pod/looping', '-n', pay, '--wait=false');
  });

  it('ends with its Job, and leaves nothing that would be missed', async () => {
    const { pay, image } = world();
    const [map, pod] = makeVariant(sidecarManifests(image), { name: 'nightly', credential: wechat(byMount) });
    const { containers, ...rest } = pod!['spec'] as Json & { containers: [Json] };
    const command = ['node', '--input-type=module', '-e', signOnce];
    const spec = { ...rest, containers: [{ ...containers[0], command }], restartPolicy: 'Never' };
    const labels = { 'paycert.dev/sidecar': 'true' };
    const job = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'nightly' }, spec: { backoffLimit: 0, template: { metadata: { labels }, spec } } }; // prettier-ignore
    await world().apply([map!, job]);
    await kubectl('wait', 'job/nightly', '-n', pay, '--for=condition=Complete', '--timeout=90s');
    const name = await kubectl(
      'get',
      'pods',
      '-n',
      pay,
      '-l',
      'job-name=nightly',
      '-o',
      'jsonpath={.items[*].metadata.name}',
    );
    const { phase, initContainerStatuses } = await statusOfPod(world(), name);
    // By the phase its target is dropped, and `kube_pod_status_phase` says so.
    assert.equal(phase, 'Succeeded');
    assert.equal(initContainerStatuses?.[0].state.terminated?.exitCode, 0);
    assert.equal(initContainerStatuses[0].restartCount, 0);
    await assert.rejects(scrape(world(), name));
    await kubectl('delete', 'job/nightly', '-n', pay);
  });
}

export function clocks(world: () => World): void {
  for (const [direction, seconds] of [
    ['ahead', 600],
    ['behind', -90],
  ] as const)
    it(`says of a clock that is ${Math.abs(seconds)} s ${direction} how much it is off, and signs on`, async (t) => {
      const { pay, image } = world();
      const name = `clock-${direction}`;
      await world().apply(
        makeVariant(sidecarManifests(image), { name, credential: wechat(byApi), before: clockOff(seconds) }),
      );
      const off = await eventually('the gauge says so', 60, async () => {
        const ahead = sample(await scrape(world(), name), 'paycert_clock_ahead_seconds');
        return ahead !== undefined && ahead !== 0 && ahead;
      });
      t.diagnostic(`paycert_clock_ahead_seconds ${off}`);
      assert.ok(Math.abs(off - seconds) <= 2, String(off));
      assert.match(await logOf(world(), name, 'paycert'), /the clock here was compared with that of the API server/);
      await kubectl('wait', `pod/${name}`, '-n', pay, '--for=condition=Ready', '--timeout=60s');
      await kubectl('delete', `pod/${name}`, '-n', pay, '--wait=false');
      await signOn(world());
    });
}
