// How long the operator takes to ask five thousand Pods of five hundred credentials, how much memory that takes, and which calls to the API server.
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../src/clock.ts';
import { paymentCredentials } from '../../src/config/resource.ts';
import { findAccess } from '../../src/kube/access.ts';
import { KubeClient } from '../../src/kube/client.ts';
import { secrets } from '../../src/kube/resources.ts';
import { Informer } from '../../src/kube/watch.ts';
import { readResource } from '../../src/operator/resource.ts';
import { createWechatpayMaterial } from '../../src/testing/index.ts';
import { loadStore } from '../support/api-server.ts';
import { ControlPlane } from '../support/control-plane.ts';
import { installDefinition, merchantId, wechatpaySpec } from '../support/operator.ts';
import { each } from './each.ts';
import { residentMegabytes } from './fixture.ts';
import { startInPod } from './in-pod.ts';

const namespaceCount = 50;
const credentialsEach = 10;
const podsEach = 10;
const credentialCount = namespaceCount * credentialsEach;
const signal = new AbortController().signal;
const restMilliseconds = 15_000;

/** One port for the Pods of each credential, on an address that a Pod may have. */
async function startPorts(snapshotId: string) {
  const host = Object.values(networkInterfaces()).flatMap((all) => all ?? []).find(({ family, internal }) => family === 'IPv4' && !internal)?.address; // prettier-ignore
  if (host === undefined) throw new Error('this machine has no address but its own');
  const questions = { count: 0, firstAt: 0 };
  const loadedAt = new Date().toISOString();
  const servers = Array.from({ length: credentialCount }, (_, index) =>
    createServer((_, response) => {
      questions.count += 1;
      questions.firstAt ||= performance.now();
      const name = `credential-${String(index)}`;
      response.end(JSON.stringify({ version: '1.0.0', credentials: [{ name, snapshotId, keyId: 'KEY', loadedAt }] }));
    }).listen(0, host),
  );
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  return { host, ports, questions, close: () => servers.forEach((server) => server.close()) };
}

async function countCalls(plane: ControlPlane, pattern: RegExp): Promise<number> {
  const lines = (await plane.metrics()).split('\n').filter((line) => line.startsWith('apiserver_request_total{'));
  return lines.filter((line) => pattern.test(line)).reduce((sum, line) => sum + Number(line.split(' ').pop()), 0);
}

const podCalls = /resource="pods"/;
const statusWrites = /resource="paymentcredentials".*subresource="status".*verb="PATCH"/;

async function stop(operator: ChildProcess): Promise<void> {
  const ended = once(operator, 'exit');
  operator.kill('SIGTERM');
  await ended;
}

export async function measureFleet(): Promise<Record<string, number>> {
  await using plane = await ControlPlane.start();
  await installDefinition(plane);
  const client = new KubeClient(() => findAccess({ KUBECONFIG: kubeconfig }));
  const kubeconfig = await plane.kubeconfig('default');
  const { files } = await createWechatpayMaterial({ merchantId, now: new Date() });
  const data = Object.fromEntries([...files].map(([name, bytes]) => [name, Buffer.from(bytes).toString('base64')]));
  const { store } = await loadStore({ shop: { files } }, new Date());
  const { host, ports, questions, close } = await startPorts(store.current('shop').snapshotId);
  const namespaceOf = (index: number) => `tenant-${String(index % namespaceCount)}`;
  await each(namespaceCount, (index) =>
    plane.admin('POST', '/api/v1/namespaces', { metadata: { name: namespaceOf(index) } }),
  );
  await each(credentialCount, async (index) => {
    const [namespace, name] = [namespaceOf(index), `credential-${String(index)}`];
    await client.create({ resource: secrets, namespace, name }, { metadata: { name }, data }, signal);
    const object = { apiVersion: 'paycert.dev/v1alpha1', kind: 'PaymentCredential', metadata: { name }, spec: wechatpaySpec(name) }; // prettier-ignore
    await client.create({ resource: paymentCredentials, namespace, name }, object, signal);
  });
  await each(credentialCount * podsEach, async (index) => {
    const credential = index % credentialCount;
    const path = `/api/v1/namespaces/${namespaceOf(credential)}/pods`;
    const name = `pod-${String(index)}`;
    const container = { name: 'paycert', image: 'paycert', ports: [{ name: 'paycert-admin', containerPort: ports[credential] }] }; // prettier-ignore
    await plane.admin('POST', path, { metadata: { name, labels: { 'paycert.dev/sidecar': 'true' } }, spec: { containers: [container] } }); // prettier-ignore
    const status = { phase: 'Running', podIP: host, podIPs: [{ ip: host }] };
    await plane.admin('PATCH', `${path}/${name}/status`, { status }, 'application/merge-patch+json');
  });

  const said = new Map<string, string>();
  const waiting = new Set<() => void>();
  const watching = new AbortController();
  const informer = new Informer({
    client: async () => client,
    collection: { resource: paymentCredentials },
    name: 'bench',
    transform: readResource,
    changed: (key) => {
      const conditions = informer.get(key)?.status?.conditions ?? [];
      said.set(key, conditions.map(({ type, status }) => `${type} ${status}`).join());
      for (const wake of waiting) wake();
    },
    relistMilliseconds: 3_600_000,
    clock: systemClock,
    random: Math.random,
    observe: () => undefined,
  });
  const watched = informer.run(watching.signal);
  const allSay = async (what: string) => {
    while ([...said.values()].filter((text) => text.includes(what)).length < credentialCount)
      await new Promise<void>((resolve) => waiting.add(resolve));
  };
  const serviceAccount = await plane.ownerFiles('default');
  const start = (...more: readonly string[]) => {
    const words = ['operator', '--address', '127.0.0.1:0', '--log-level', 'error', ...more];
    const operator = startInPod(words, serviceAccount, `https://127.0.0.1:${String(plane.port)}`);
    operator.stdout?.resume();
    return operator;
  };

  let operator = start();
  await allSay('Ready True');
  await stop(operator);
  operator = start();
  await sleep(restMilliseconds);
  const without = await residentMegabytes(operator);
  await stop(operator);

  const before = [await countCalls(plane, podCalls), await countCalls(plane, statusWrites)] as const;
  operator = start('--fleet');
  const started = performance.now();
  await allSay('RolledOut True');
  const [sinceStart, round] = [started, questions.firstAt].map((at) => (performance.now() - at) / 1000) as [number, number]; // prettier-ignore
  const asked = questions.count;
  await sleep(restMilliseconds);
  const figures = {
    fleet_round_5000_pods_s: round,
    fleet_start_to_rolled_out_s: sinceStart,
    fleet_questions: asked,
    fleet_rss_added_mb: (await residentMegabytes(operator)) - without,
    fleet_pod_calls: (await countCalls(plane, podCalls)) - before[0],
    fleet_status_writes: (await countCalls(plane, statusWrites)) - before[1],
  };
  await stop(operator);
  watching.abort();
  await watched;
  close();
  return figures;
}
