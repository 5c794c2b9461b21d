// npm run bench:operator: memory, readiness, latency, fairness, fleet and reviews of the operator against a real API server, and latency of a mount on a real cluster; --output json for programs.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect as connectTcp, createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../../src/clock.ts';
import { paymentCredentials } from '../../src/config/resource.ts';
import { findAccess } from '../../src/kube/access.ts';
import { KubeClient } from '../../src/kube/client.ts';
import { secrets as secretsResource } from '../../src/kube/resources.ts';
import { Informer } from '../../src/kube/watch.ts';
import { readResource } from '../../src/operator/resource.ts';
import { secret } from '../../src/sources/secret.ts';
import { rotateMerchant, createWechatpayMaterial, type WechatpayMaterial } from '../../src/testing/index.ts';
import { formatTable } from '../../src/cli/table.ts';
import { ControlPlane, noControlPlane } from '../support/control-plane.ts';
import { installDefinition, merchantId, wechatpaySpec } from '../support/operator.ts';
import { noCluster } from '../e2e/cluster.ts';
import { imageEnvironment, imageOptions } from '../support/image-settings.ts';
import { measureAdmission } from './admission.ts';
import { each } from './each.ts';
import { measureFleet } from './fleet.ts';
import { buildBundle, percentile, residentMegabytes } from './fixture.ts';
import { startInPod } from './in-pod.ts';
import { measureIdleLists } from './idle-lists.ts';
import { measureOtherTenant } from './other-tenant.ts';
import { secretSourceMemory } from './secret-source.ts';
import { measureMount } from './mount.ts';

/** What we aim for; figures without an aim are printed for the eye. */
const aims: Readonly<Record<string, string>> = {
  operator_rss_over_informer: '≤ 0.35',
  secret_to_current_p99_ms: '≤ 500',
  restart_status_writes: '≤ 0',
  other_tenant_current_p99_ms: '≤ 2000',
  idle_lists_per_s_200_namespaces: '≤ 0.5',
  mount_to_current_p99_s: '≤ 3',
  fleet_round_5000_pods_s: '≤ 60',
  fleet_rss_added_mb: '≤ 40',
  fleet_pod_calls: '≤ 20',
  admission_review_p99_ms: '≤ 50',
};

const { values } = parseArgs({
  options: {
    output: { type: 'string', default: 'text' },
    /** `api`, `tenants`, `idle`, `fleet`, `admission`: against an API server that is started here; `mount`: on the cluster that KUBECONFIG names. */
    only: { type: 'string' },
    secrets: { type: 'string', default: '10000' },
    credentials: { type: 'string', default: '1000' },
    changes: { type: 'string', default: '100' },
  },
});
const [secretCount, credentialCount, changes] = [values.secrets, values.credentials, values.changes].map(Number) as [number, number, number]; // prettier-ignore
const namespace = 'bench';
const signal = new AbortController().signal;

const toData = ({ files }: WechatpayMaterial) =>
  Object.fromEntries([...files].map(([name, bytes]) => [name, Buffer.from(bytes).toString('base64')]));

/** Counts what passes, and looks at none of it. */
async function startMeter(port: number) {
  const server = createServer((near) => {
    const far = connectTcp(port, '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const)
      // prettier-ignore
      from.on('data', (chunk: Buffer) => (meter.bytes += chunk.length)).on('error', () => to.destroy());
    near.pipe(far);
    far.pipe(near);
  });
  const meter = { bytes: 0, url: '', close: () => void server.close() };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  meter.url = `https://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  return meter;
}

/** The peer, with the same flags. It needs a kubeconfig's reader whatever it does: that is its client. */
function startInformer(KUBECONFIG: string): ChildProcess {
  const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], KUBECONFIG, ...imageEnvironment };
  const program = [...imageOptions, join(import.meta.dirname, 'informer.ts')];
  return spawn(process.execPath, program, { env, stdio: ['ignore', 'pipe', 'inherit'] });
}

async function stop(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.stdout?.resume();
  child.kill('SIGTERM');
  await ended;
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function measure(plane: ControlPlane): Promise<Record<string, number>> {
  await installDefinition(plane);
  await plane.admin('POST', '/api/v1/namespaces', { metadata: { name: namespace } });
  const kubeconfig = await plane.kubeconfig(namespace);
  const client = new KubeClient(() => findAccess({ KUBECONFIG: kubeconfig }));
  const material = await createWechatpayMaterial({ merchantId, now: new Date() });
  const rotated = await rotateMerchant(material, { now: new Date() });
  const noise = { filler: Buffer.alloc(4096, 1).toString('base64') };
  const nameOf = (index: number) => `secret-${String(index)}`;
  await each(secretCount, async (index) => {
    const data = index < credentialCount ? toData(material) : noise;
    const target = { resource: secretsResource, namespace, name: nameOf(index) };
    await client.create(target, { metadata: { name: nameOf(index) }, data }, signal);
  });
  await each(credentialCount, async (index) => {
    const name = `credential-${String(index)}`;
    const object = { apiVersion: 'paycert.dev/v1alpha1', kind: 'PaymentCredential', metadata: { name }, spec: wechatpaySpec(nameOf(index)) }; // prettier-ignore
    await client.create({ resource: paymentCredentials, namespace, name }, object, signal);
  });

  // What the status says, as a person with a watch sees it.
  const accepted = new Map<string, string>();
  const waiting = new Set<() => void>();
  const writes = { count: 0 };
  const watching = new AbortController();
  const informer = new Informer({
    client: async () => client,
    collection: { resource: paymentCredentials, namespace },
    name: 'bench',
    transform: readResource,
    changed: (key) => {
      writes.count += 1;
      accepted.set(key, informer.get(key)?.status?.accepted?.snapshotId ?? '');
      for (const wake of waiting) wake();
    },
    relistMilliseconds: 3_600_000,
    clock: systemClock,
    random: Math.random,
    observe: () => undefined,
  });
  const watched = informer.run(watching.signal);
  const until = async (isSo: () => boolean) => {
    while (!isSo()) await new Promise<void>((resolve) => waiting.add(resolve));
  };
  const figures: Record<string, number> = {};
  const meter = await startMeter(plane.port);
  const serviceAccount = await plane.ownerFiles(namespace);
  const words = ['operator', '--address', '127.0.0.1:0', '--log-level', 'error', '--lease', `${namespace}/paycert-operator`]; // prettier-ignore
  const startOperator = () => startInPod(words, serviceAccount, meter.url);

  let started = performance.now();
  let operator = startOperator();
  await until(() => [...accepted.values()].filter((id) => id !== '').length === credentialCount);
  figures['operator_ready_s'] = (performance.now() - started) / 1000;
  await pause(5000);
  await stop(operator);

  [writes.count, meter.bytes, started] = [0, 0, performance.now()];
  operator = startOperator();
  await pause(20_000);
  figures['restart_status_writes'] = writes.count;
  figures['restart_megabytes'] = meter.bytes / 1e6;
  meter.bytes = 0;
  await pause(60_000);
  figures['rest_kilobytes_per_minute'] = meter.bytes / 1e3;
  figures['operator_rss_mb'] = await residentMegabytes(operator);

  const peer = startInformer(kubeconfig);
  await once(peer.stdout!, 'data');
  await pause(5000);
  figures['informer_rss_mb'] = await residentMegabytes(peer);
  figures['operator_rss_over_informer'] = figures['operator_rss_mb'] / figures['informer_rss_mb'];
  await stop(peer);

  const versions = [toData(rotated), toData(material)];
  const write = (name: string, change: number) =>
    client.replace({ resource: secretsResource, namespace, name }, { metadata: { name }, data: versions[change % 2] }, signal); // prettier-ignore
  const toStatus: number[] = [];
  for (let change = 0; change < changes; change += 1) {
    const index = change % credentialCount;
    const key = `${namespace}/credential-${String(index)}`;
    const before = accepted.get(key);
    const at = performance.now();
    await write(nameOf(index), Math.floor(change / credentialCount));
    await until(() => accepted.get(key) !== before);
    toStatus.push(performance.now() - at);
  }
  figures['secret_to_status_p99_ms'] = percentile(
    toStatus.sort((a, b) => a - b),
    0.99,
  );
  await stop(operator);
  figures['secret_source_rss_added_mb'] = await secretSourceMemory(material, { server: meter.url, serviceAccount, secret: nameOf(credentialCount - 1) }); // prettier-ignore
  meter.close();

  figures['secret_to_current_p99_ms'] = await secretToCurrent(client, write, nameOf(credentialCount - 1));
  watching.abort();
  await watched;
  return figures;
}

/** A hundred sidecars' sources on one Secret, in one process: from the write to the material of each. */
async function secretToCurrent(
  client: KubeClient,
  write: (name: string, change: number) => Promise<unknown>,
  name: string,
): Promise<number> {
  const end = new AbortController();
  const latencies: number[] = [];
  const rounds = 5;
  let wroteAt = 0;
  let seen: (() => void) | undefined;
  const watchers = Array.from({ length: 100 }, async () => {
    const source = secret({ secret: name, namespace, client: async () => client, clock: systemClock, random: Math.random, observe: () => undefined }); // prettier-ignore
    let revision = '';
    for await (const _ of source.changes(end.signal)) {
      const next = (await source.read(end.signal)).revision;
      if (next === revision) continue;
      if (revision !== '') latencies.push(performance.now() - wroteAt);
      revision = next;
      seen?.();
    }
  });
  await pause(5000);
  for (let round = 0; round < rounds; round += 1) {
    const target = (round + 1) * watchers.length;
    wroteAt = performance.now();
    await write(name, round);
    while (latencies.length < target) await new Promise<void>((resolve) => (seen = resolve));
  }
  end.abort();
  await Promise.allSettled(watchers);
  return percentile(
    latencies.sort((a, b) => a - b),
    0.99,
  );
}

async function measureApi(): Promise<Record<string, number>> {
  await using plane = await ControlPlane.start();
  return await measure(plane);
}

const withoutCluster: Readonly<Record<string, () => Promise<Record<string, number>>>> = {
  api: measureApi,
  tenants: measureOtherTenant,
  idle: measureIdleLists,
  fleet: measureFleet,
  admission: measureAdmission,
};
const groups: typeof withoutCluster = { ...withoutCluster, mount: measureMount };
const unknown = values.only !== undefined && !Object.hasOwn(groups, values.only);
if (unknown) throw new Error(`--only is one of: ${Object.keys(groups).join(', ')}`);
const all = [...Object.keys(withoutCluster), ...(noCluster === false ? ['mount'] : [])];
const wanted = values.only === undefined ? all : [values.only];
if (wanted.some((group) => Object.hasOwn(withoutCluster, group))) {
  if (noControlPlane !== false) throw new Error(noControlPlane);
  buildBundle();
}
const measured: Record<string, number> = {};
for (const group of wanted) Object.assign(measured, await groups[group]?.());
const figures = Object.fromEntries(Object.entries(measured).map(([name, value]) => [name, Number(value.toPrecision(3))])); // prettier-ignore
if (values.output === 'json') process.stdout.write(`${JSON.stringify(figures)}\n`);
else {
  const rows = Object.entries(figures).map(([name, value]) => [name, String(value), aims[name] ?? '']);
  process.stdout.write(`${formatTable(['FIGURE', 'MEASURED', 'AIM'], rows)}\n`);
}
