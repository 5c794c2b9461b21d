// What is kept of a Pod that has a sidecar: where its admin port is, and which PaymentCredentials it says it uses.
import { adminPortName, defaultAdminPort } from '../admin-port.ts';
import type { KubeObject } from '../../kube/resources.ts';
import { credentialsAnnotation, injectedAnnotation, injectLabel, refreshLabel } from '../labels.ts';

/** As the API server has it: nothing here is said by the sidecar. */
export interface FleetPod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** Undefined until it has one that may be asked. */
  readonly address: { readonly host: string; readonly port: number } | undefined;
  /** Names of PaymentCredentials of its namespace. */
  readonly declared: readonly string[];
  /** Whether it uses no others. */
  readonly isComplete: boolean;
  /** Its containers run, ready or not: what they sign with counts. */
  readonly isRunning: boolean;
  readonly isReady: boolean;
  /** It has ended, and signs no more. */
  readonly isOver: boolean;
}

const maxDeclared = 64;

interface PodFields {
  readonly spec?: Partial<Record<'initContainers' | 'containers', readonly Container[]>>;
  readonly status?: {
    readonly phase?: string;
    readonly podIP?: string;
    readonly conditions?: readonly { readonly type?: string; readonly status?: string }[];
  };
}

interface Container {
  readonly ports?: readonly { readonly name?: string; readonly containerPort?: number }[];
}

export function readPod(object: KubeObject, mayBeAsked: (address: string) => boolean): FleetPod {
  const { namespace = '', name, uid = '', annotations = {} } = object.metadata;
  const { spec = {}, status = {} } = object as PodFields;
  const { phase, podIP: host = '', conditions = [] } = status;
  const ports = [...(spec.initContainers ?? []), ...(spec.containers ?? [])].flatMap(({ ports = [] }) => ports);
  const port = ports.find((one) => one.name === adminPortName)?.containerPort ?? defaultAdminPort;
  return {
    ...{ namespace, name, uid, declared: declaredBy(object) },
    isComplete: [credentialsAnnotation, injectedAnnotation].some((name) => annotations[name] !== undefined),
    address: mayBeAsked(host) ? { host, port } : undefined,
    isRunning: phase === 'Running' || phase === 'Unknown',
    isReady: conditions.some((condition) => condition.type === 'Ready' && condition.status === 'True'),
    isOver: phase === 'Succeeded' || phase === 'Failed',
  };
}

function declaredBy({ metadata: { labels = {}, annotations = {} } }: KubeObject): readonly string[] {
  const listed = annotations[credentialsAnnotation]?.split(',', maxDeclared) ?? [];
  const names = [labels[refreshLabel] ?? '', labels[injectLabel] ?? '', ...listed]
    .map((name) => name.trim())
    .filter((name) => name !== '');
  return [...new Set(names)];
}
