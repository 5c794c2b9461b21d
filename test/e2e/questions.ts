// What the cluster says of itself: statuses, Events, pods and their logs.
import type { Condition, Status } from '../../src/operator/resource.ts';
import { eventually, kubectl } from './kubernetes.ts';
import type { World } from './world.ts';

export async function statusOf({ kubernetes, pay }: World, name: string): Promise<Status | undefined> {
  const path = `/apis/paycert.dev/v1alpha1/namespaces/${pay}/paymentcredentials/${name}`;
  return (await kubernetes.json('GET', path))['status'] as Status | undefined;
}

/** The status once it says that, such as `Ready True Ready`; and the message of that condition. */
export async function condition(
  world: World,
  name: string,
  wanted: string,
  seconds = 10,
): Promise<{ status: Status; message: string }> {
  let told = '';
  return eventually(`${name}: ${wanted}`, seconds, async () => {
    const status = await statusOf(world, name);
    const words = ({ type, status: is, reason }: Condition) => `${type} ${is} ${reason}`;
    const found = status?.conditions.find((condition) => words(condition) === wanted);
    told = status?.conditions.map(words).join(', ') ?? 'nothing';
    return status && found && { status, message: found.message };
  }).catch((error: unknown) => {
    throw new Error(`it says ${told}`, { cause: error });
  });
}

/** Until the status names the key that was deployed last. */
export async function statusFollows(world: World, seconds: number): Promise<void> {
  await eventually('the status follows', seconds, async () => {
    const status = await statusOf(world, 'wechat-main');
    return status?.keyId === world.current.merchant.serialNumber;
  });
}

/** Events about an object: reason → note. */
export async function eventsOf({ kubernetes, pay }: World, name: string): Promise<Map<string, string>> {
  const { items } = await kubernetes.json('GET', `/apis/events.k8s.io/v1/namespaces/${pay}/events`);
  const events = items as { reason: string; note: string; regarding: { name: string } }[];
  return new Map(events.filter(({ regarding }) => regarding.name === name).map(({ reason, note }) => [reason, note]));
}

/** Names of the pods. */
export async function podsOf({ kubernetes }: World, namespace: string): Promise<string[]> {
  const { items } = await kubernetes.json('GET', `/api/v1/namespaces/${namespace}/pods`);
  return (items as { metadata: { name: string } }[]).map(({ metadata }) => metadata.name);
}

/** What the container has logged. */
export function logOf(world: World, pod: string, container: string, namespace = world.pay): Promise<string> {
  return world.kubernetes.text('GET', `/api/v1/namespaces/${namespace}/pods/${pod}/log?container=${container}`);
}

/** What Prometheus would get of the pod. @throws Error where it does not answer */
export const scrape = ({ kubernetes, pay }: World, pod: string): Promise<string> =>
  kubernetes.text('GET', `/api/v1/namespaces/${pay}/pods/${pod}:9464/proxy/metrics`);

export const sample = (metrics: string, series: string): number | undefined => {
  const line = metrics.split('\n').find((text) => text.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length));
};

/** The id of the first of these containers, as the Pod's status has it. */
export async function containerOf(
  { kubernetes, pay }: World,
  pod: string,
  statuses: 'initContainerStatuses' | 'containerStatuses',
  namespace = pay,
): Promise<string> {
  const { status } = await kubernetes.json('GET', `/api/v1/namespaces/${namespace}/pods/${pod}`);
  const [{ containerID }] = (status as Record<string, [{ containerID: string }]>)[statuses]!;
  return containerID;
}

export const podIp = ({ pay }: World, name: string): Promise<string> =>
  kubectl('get', 'pod', name, '-n', pay, '-o', 'jsonpath={.status.podIP}');

/** What the operators have logged last, for whoever looks into a failure. */
export async function operatorLogs({ system }: World): Promise<string> {
  const words = ['-n', system, '-l', 'app.kubernetes.io/component=operator', '--tail=40', '--prefix'];
  return kubectl('logs', ...words).catch(String);
}
