// What is kept of a Pod that asks for a sidecar: whose it is, whether it has one, and whether it runs.
import type { KubeObject } from '../../kube/resources.ts';
import { injectLabel } from '../labels.ts';
import { parsePodSpec, sidecarOf, type Skip, skipOf } from './pod.ts';

/** Of an object, who made it and looks after it. */
export interface Owner {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

export interface PodFacts {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly owner: Owner | undefined;
  /** The label’s value. */
  readonly credential: string;
  /** `skipped`: it cannot have one. */
  readonly state: 'injected' | 'missing' | 'skipped';
  readonly skip: Skip | undefined;
  /** Of the sidecar. */
  readonly image: string | undefined;
  readonly isReady: boolean;
  readonly isEnding: boolean;
}

interface PodMetadata {
  readonly ownerReferences?: readonly (Owner & { readonly controller?: boolean })[];
  readonly deletionTimestamp?: string;
}

interface PodStatus {
  readonly phase?: string;
  readonly conditions?: readonly { readonly type: string; readonly status: string }[];
}

/** Who controls an object; undefined for what somebody made by hand. */
export function ownerOf({ metadata }: KubeObject): Owner | undefined {
  const { ownerReferences = [] } = metadata as PodMetadata;
  const found = ownerReferences.find(({ controller }) => controller === true);
  return found && { apiVersion: found.apiVersion, kind: found.kind, name: found.name, uid: found.uid };
}

/** Undefined for a Pod that has ended: it runs nothing any more. */
export function readFacts(pod: KubeObject): PodFacts | undefined {
  const { namespace = '', name, uid = '', labels = {} } = pod.metadata;
  const { phase, conditions = [] } = (pod['status'] ?? {}) as PodStatus;
  if (phase === 'Succeeded' || phase === 'Failed') return undefined;
  const spec = parsePodSpec(pod['spec']);
  const sidecar = sidecarOf(spec);
  const skip = sidecar ? undefined : skipOf(spec);
  return {
    ...{ namespace, name, uid, owner: ownerOf(pod), skip, image: sidecar?.image },
    credential: labels[injectLabel] ?? '',
    state: sidecar ? 'injected' : skip ? 'skipped' : 'missing',
    isReady: conditions.some(({ type, status }) => type === 'Ready' && status === 'True'),
    isEnding: (pod.metadata as PodMetadata).deletionTimestamp !== undefined,
  };
}

/** Whether a Pod, stored or rehearsed, has the sidecar that it asks for. */
export const hasSidecar = (pod: KubeObject): boolean => sidecarOf(parsePodSpec(pod['spec'])) !== undefined;
