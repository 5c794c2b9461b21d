// How long a change of one tenant waits while another's Secrets of 1 MB flap, and while another's thousand resources name one Secret that changes.
import { type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../src/clock.ts';
import { paymentCredentials } from '../../src/config/resource.ts';
import { findAccess } from '../../src/kube/access.ts';
import { KubeClient } from '../../src/kube/client.ts';
import { secrets } from '../../src/kube/resources.ts';
import { Informer } from '../../src/kube/watch.ts';
import { readResource } from '../../src/operator/resource.ts';
import { createWechatpayMaterial, rotateMerchant, type WechatpayMaterial } from '../../src/testing/index.ts';
import { ControlPlane } from '../support/control-plane.ts';
import { installDefinition, merchantId, wechatpaySpec } from '../support/operator.ts';
import { percentile } from './fixture.ts';
import { startInPod } from './in-pod.ts';

const signal = new AbortController().signal;
const changeCount = 60;
const pauseMilliseconds = 250;

type Data = Readonly<Record<string, string>>;

const toData = ({ files }: WechatpayMaterial): Data =>
  Object.fromEntries([...files].map(([name, bytes]) => [name, Buffer.from(bytes).toString('base64')]));

/** As large as the API server takes: hundreds of certificates that have to be parsed. */
function enlarge(data: Data, certificate: string): Data {
  const size = Object.values(data).reduce((sum, base64) => sum + (base64.length * 3) / 4, 0);
  const count = Math.floor((1_000_000 - size) / certificate.length);
  return { ...data, 'trust.pem': Buffer.from(certificate.repeat(count)).toString('base64') };
}

class Tenants {
  readonly client: KubeClient;
  readonly plane: ControlPlane;

  constructor(plane: ControlPlane, kubeconfig: string) {
    this.plane = plane;
    this.client = new KubeClient(() => findAccess({ KUBECONFIG: kubeconfig }));
  }

  async makeNamespace(name: string): Promise<void> {
    await this.plane.admin('POST', '/api/v1/namespaces', { metadata: { name } });
  }

  async makeSecret(namespace: string, name: string, data: Data): Promise<void> {
    await this.client.create({ resource: secrets, namespace, name }, { metadata: { name }, data }, signal);
  }

  async makeResource(namespace: string, name: string, spec: object): Promise<void> {
    const object = { apiVersion: 'paycert.dev/v1alpha1', kind: 'PaymentCredential', metadata: { name }, spec };
    await this.client.create({ resource: paymentCredentials, namespace, name }, object, signal);
  }

  async write(namespace: string, name: string, data: Data): Promise<void> {
    await this.client.replace({ resource: secrets, namespace, name }, { metadata: { name }, data }, signal);
  }
}

/** Milliseconds from each change of the one Secret of the namespace until its status is about it. */
async function changesOf(tenants: Tenants, namespace: string, versions: readonly Data[]): Promise<number> {
  let accepted = '';
  let wake: (() => void) | undefined;
  const informer = new Informer({
    client: async () => tenants.client,
    collection: { resource: paymentCredentials, namespace },
    name: 'bench',
    transform: readResource,
    changed: (key) => {
      accepted = informer.get(key)?.status?.accepted?.snapshotId ?? '';
      wake?.();
    },
    relistMilliseconds: 3_600_000,
    clock: systemClock,
    random: Math.random,
    observe: () => undefined,
  });
  const stop = new AbortController();
  const watched = informer.run(stop.signal);
  while (accepted === '') await new Promise<void>((resolve) => (wake = resolve));
  const latencies: number[] = [];
  for (let change = 1; change <= changeCount; change += 1) {
    const before = accepted;
    const at = performance.now();
    await tenants.write(namespace, 'keys', versions[change % 2] ?? {});
    while (accepted === before) await new Promise<void>((resolve) => (wake = resolve));
    latencies.push(performance.now() - at);
    await sleep(pauseMilliseconds);
  }
  stop.abort();
  await watched;
  return percentile(
    latencies.sort((a, b) => a - b),
    0.99,
  );
}

/** Does so again and again while something is measured. */
async function during<T>(load: (round: number) => Promise<void>, measure: () => Promise<T>): Promise<T> {
  const state = { isOver: false };
  const loading = (async () => {
    for (let round = 1; !state.isOver; round += 1) await load(round);
  })();
  const result = await measure();
  state.isOver = true;
  await loading;
  return result;
}

async function startOperator(plane: ControlPlane): Promise<ChildProcess> {
  const words = ['operator', '--address', '127.0.0.1:0', '--log-level', 'error'];
  const operator = startInPod(words, await plane.ownerFiles('default'), `https://127.0.0.1:${String(plane.port)}`);
  operator.stdout?.resume();
  return operator;
}

export async function measureOtherTenant(): Promise<Record<string, number>> {
  await using plane = await ControlPlane.start();
  await installDefinition(plane);
  const tenants = new Tenants(plane, await plane.kubeconfig('default'));
  const material = await createWechatpayMaterial({ merchantId, now: new Date() });
  const rotated = await rotateMerchant(material, { now: new Date() });
  const versions = [toData(material), toData(rotated)] as const;
  for (const name of ['large', 'shared', 'other']) await tenants.makeNamespace(name);
  await tenants.makeSecret('other', 'keys', versions[0]);
  await tenants.makeResource('other', 'credential', wechatpaySpec('keys'));
  const operator = await startOperator(plane);
  const measure = () => changesOf(tenants, 'other', versions);
  const alone = await measure();

  const pem = Buffer.from(versions[0]['apiclient_cert.pem'] ?? '', 'base64').toString();
  const large = versions.map((data) => enlarge(data, pem));
  const names = Array.from({ length: 200 }, (_, index) => `large-${String(index)}`);
  for (const name of names) {
    await tenants.makeSecret('large', name, large[0] ?? {});
    await tenants.makeResource('large', name, wechatpaySpec(name));
  }
  const flap = (round: number) =>
    tenants.write('large', names[round % 200] ?? '', large[Math.ceil(round / 200) % 2] ?? {});
  const besideLarge = await during(flap, measure);

  await tenants.makeSecret('shared', 'keys', versions[0]);
  for (let index = 0; index < 1000; index += 1)
    await tenants.makeResource('shared', `credential-${String(index)}`, wechatpaySpec('keys'));
  const change = async (round: number) => {
    await tenants.write('shared', 'keys', versions[round % 2] ?? {});
    await sleep(pauseMilliseconds);
  };
  const besideShared = await during(change, measure);
  const ended = once(operator, 'exit');
  operator.kill('SIGTERM');
  await ended;
  return {
    other_tenant_alone_p99_ms: alone,
    other_tenant_beside_200_secrets_of_1_mb_p99_ms: besideLarge,
    other_tenant_beside_1000_resources_p99_ms: besideShared,
    other_tenant_current_p99_ms: Math.max(besideLarge, besideShared),
  };
}
