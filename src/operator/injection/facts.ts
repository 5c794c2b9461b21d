// What is kept of a Pod that asks for a sidecar: whose it is, whether it has one, and whether it runs.
import type { KubeObject } from '../../kube/resources.ts';
import { activationsAnnotation, injectedAnnotation, injectLabel } from '../labels.ts';
import { ownContainer, parsePodSpec, type PodSpec, sidecarOf, type Skip, skipOf } from './pod.ts';
import { keysVolume } from './sidecar.ts';
import { mostNames } from './wanted.ts';

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
  /** Why nothing was injected; also where it has a sidecar that somebody wrote by hand. */
  readonly skip: Skip | undefined;
  /** Of the sidecar. */
  readonly image: string | undefined;
  readonly isReady: boolean;
  readonly isEnding: boolean;
  /** Of each credential with two Secrets, which it mounts: that never changes. */
  readonly staged: readonly StagedMount[];
  /** What its annotation says of when the next ones sign. */
  readonly activations: string | undefined;
}

export interface StagedMount {
  readonly credential: string;
  readonly current: string;
  readonly next: string;
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
  const { namespace = '', name, uid = '', labels = {}, annotations = {} } = pod.metadata;
  const { phase, conditions = [] } = (pod['status'] ?? {}) as PodStatus;
  if (phase === 'Succeeded' || phase === 'Failed') return undefined;
  const spec = parsePodSpec(pod['spec']);
  const sidecar = sidecarOf(spec);
  const isOurs = annotations[injectedAnnotation] !== undefined;
  const skip = sidecar ? (isOurs ? undefined : ownContainer) : skipOf(spec);
  return {
    ...{ namespace, name, uid, owner: ownerOf(pod), skip, image: sidecar?.image },
    credential: labels[injectLabel] ?? '',
    state: sidecar ? 'injected' : skip ? 'skipped' : 'missing',
    staged: sidecar ? stagedMounts(spec, annotations[injectedAnnotation]) : [],
    activations: annotations[activationsAnnotation],
    isReady: conditions.some(({ type, status }) => type === 'Ready' && status === 'True'),
    isEnding: (pod.metadata as PodMetadata).deletionTimestamp !== undefined,
  };
}

/** Whether a Pod, stored or rehearsed, has the sidecar that it asks for. */
export const hasSidecar = (pod: KubeObject): boolean => sidecarOf(parsePodSpec(pod['spec'])) !== undefined;

/** The record names the credentials in the order of their volumes. */
function stagedMounts({ volumes = [] }: PodSpec, record = ''): readonly StagedMount[] {
  const secretIn = (volume: string) => volumes.find(({ name }) => name === volume)?.secret?.secretName;
  return recordedCredentials(record).flatMap((credential, index) => {
    const [current, next] = [secretIn(keysVolume('current', index)), secretIn(keysVolume('next', index))];
    return current === undefined || next === undefined ? [] : [{ credential, current, next }];
  });
}

/** Who may write a Pod's annotations may have written another one. */
function recordedCredentials(record: string): readonly string[] {
  try {
    const { credentials } = JSON.parse(record) as { readonly credentials?: unknown };
    const names = Array.isArray(credentials) ? credentials.slice(0, mostNames) : [];
    return names.map((name) => (typeof name === 'string' ? name : ''));
  } catch {
    return [];
  }
}
