// The words of the Kubernetes API that we use: kinds, objects, collections.

/** A kind of object, as its URL names it; the group of core kinds is empty. */
export interface Resource {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
}

export const secrets: Resource = { group: '', version: 'v1', plural: 'secrets' };
export const pods: Resource = { group: '', version: 'v1', plural: 'pods' };
export const configMaps: Resource = { group: '', version: 'v1', plural: 'configmaps' };

/** What is asked by creating them: whose token it is, and whether somebody may do something. */
export const tokenReviews: Resource = { group: 'authentication.k8s.io', version: 'v1', plural: 'tokenreviews' };
export const accessReviews: Resource = { group: 'authorization.k8s.io', version: 'v1', plural: 'subjectaccessreviews' };

/** Where the pod itself is, or the kubeconfig's context. */
export const ownNamespace = Symbol('own namespace');
export type Namespace = string | typeof ownNamespace;

export interface Metadata {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly managedFields?: readonly {
    readonly manager?: string;
    readonly time?: string;
    readonly subresource?: string;
    readonly fieldsV1?: unknown;
  }[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface KubeObject {
  readonly metadata: Metadata;
  readonly [field: string]: unknown;
}

/** Objects of one kind: those of all namespaces, of one, or one object by name. */
export interface Collection {
  readonly resource: Resource;
  readonly namespace?: Namespace;
  readonly name?: string;
  readonly fieldSelector?: string;
  readonly labelSelector?: string;
  /** Ask for names, labels and annotations, and no contents. */
  readonly isMetadataOnly?: boolean;
}

/** One object by name, or a subresource of it, such as its `status`. */
export interface Target {
  readonly resource: Resource;
  readonly namespace?: Namespace;
  readonly name: string;
  readonly subresource?: string;
}

export interface Page {
  readonly items: readonly KubeObject[];
  readonly resourceVersion: string;
  /** Where the next page begins; empty on the last. */
  readonly continue: string;
}

export interface WatchEvent {
  readonly type: string;
  readonly object: KubeObject;
}

/** The words of a Role: what must be permitted when it is not. */
export function describeCall(
  verb: string,
  { resource, namespace, name, subresource }: Collection & { readonly subresource?: string },
): string {
  const sub = subresource === undefined ? '' : `/${subresource}`;
  const group = resource.group === '' ? '' : `.${resource.group}`;
  const which = name === undefined ? '' : ` "${name}"`;
  const where = {
    string: `in namespace "${String(namespace)}"`,
    symbol: 'in our own namespace',
    undefined: 'in all namespaces',
  }[typeof namespace as 'string' | 'symbol' | 'undefined'];
  return `${verb} ${resource.plural}${group}${sub}${which} ${where}`;
}
