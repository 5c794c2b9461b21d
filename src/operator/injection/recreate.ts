// Evicts a Pod that asks for a sidecar and has none, if its owner makes another, which would get one: one at a time for each owner.
import type { KubeClient } from '../../kube/client.ts';
import { type KubeObject, pods as podResource, type Resource } from '../../kube/resources.ts';
import type { Leadership } from '../leadership.ts';
import { hasSidecar, type Owner, type PodFacts } from './facts.ts';

export interface RecreateOptions {
  readonly client: () => Promise<Pick<KubeClient, 'get' | 'create' | 'rehearse'>>;
  readonly leadership: Leadership;
}

/** Those that make another Pod for one that goes. A Job would count it as a failure. */
const plurals: Readonly<Record<string, string>> = {
  ReplicaSet: 'replicasets',
  StatefulSet: 'statefulsets',
  DaemonSet: 'daemonsets',
};

/** `waiting`: not now. `not-injected`: a new one would have no sidecar either. */
export type Outcome =
  { readonly outcome: 'waiting' | 'not-injected' } | { readonly outcome: 'evicted'; readonly uid: string };

interface Workload extends KubeObject {
  readonly spec: { readonly replicas?: number; readonly template: KubeObject };
  readonly status?: { readonly desiredNumberScheduled?: number };
}

/**
 * By what is seen alone, so that a leader that follows does the same: nothing of the owner ends or is on its way, and every Pod
 * that has a sidecar is ready.
 */
function nextOf(pods: readonly PodFacts[]): PodFacts | undefined {
  const isSettled = pods.every(({ isEnding, state, isReady }) => !isEnding && (state !== 'injected' || isReady));
  const missing = pods.filter(({ state }) => state === 'missing');
  // What cannot sign goes first: it may well be what is not ready.
  return isSettled ? (missing.find(({ isReady }) => !isReady) ?? missing[0]) : undefined;
}

/** Whether another would be made for a Pod of this owner. */
export const isRecreated = ({ apiVersion, kind }: Owner): boolean =>
  apiVersion === 'apps/v1' && plurals[kind] !== undefined;

/** Of the Pods of one owner. @throws PaycertError of kind source, also where a PodDisruptionBudget forbids it now */
export async function recreateNext(
  owner: Owner,
  pods: readonly PodFacts[],
  { client: connect, leadership }: RecreateOptions,
  signal: AbortSignal,
): Promise<Outcome> {
  const pod = nextOf(pods);
  if (pod === undefined) return { outcome: 'waiting' };
  const { namespace, name, uid } = pod;
  const client = await connect();
  const resource: Resource = { group: 'apps', version: 'v1', plural: plurals[owner.kind] ?? '' };
  const workload = (await client.get({ resource, namespace, name: owner.name }, signal)) as Workload;
  const wanted = workload.status?.desiredNumberScheduled ?? workload.spec.replicas ?? 1;
  if (workload.metadata.uid !== owner.uid || wanted === 0 || pods.length < wanted) return { outcome: 'waiting' };
  const { labels = {}, annotations = {} } = workload.spec.template.metadata;
  const metadata = { name: '', generateName: `${owner.name}-`, namespace, labels, annotations };
  const other = { metadata, spec: workload.spec.template['spec'] };
  if (!hasSidecar(await client.rehearse({ resource: podResource, namespace, name: owner.name }, other, signal)))
    return { outcome: 'not-injected' };
  const eviction = {
    apiVersion: 'policy/v1',
    kind: 'Eviction',
    metadata: { name, namespace },
    deleteOptions: { preconditions: { uid } },
  };
  const target = { resource: podResource, namespace, name, subresource: 'eviction' };
  const written = await leadership.write((leading) =>
    client.create(target, eviction, AbortSignal.any([leading, signal])),
  );
  return written === undefined ? { outcome: 'waiting' } : { outcome: 'evicted', uid };
}
