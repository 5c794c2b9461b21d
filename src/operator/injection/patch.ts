// What is added to a Pod, as a JSON patch (RFC 6902): nothing that is there is changed or removed.
import type { Operation } from '../../kube/client.ts';
import type { Container, PodSpec } from './pod.ts';

type Texts = Readonly<Record<string, string>>;

export interface Additions {
  readonly labels: Texts;
  readonly annotations: Texts;
  /** Comes first. */
  readonly initContainer: object;
  readonly volumes: readonly object[];
  /** Of the containers with these names. */
  readonly containers: ReadonlySet<string>;
  readonly mount: { readonly name: string; readonly mountPath: string; readonly readOnly: boolean };
  readonly variable: { readonly name: string; readonly value: string };
  readonly group: number;
}

interface Pod {
  readonly metadata: { readonly labels?: Texts | undefined; readonly annotations?: Texts | undefined };
  readonly spec: PodSpec;
}

/** A tilde and a slash have other names in a path (RFC 6901 §3). */
const step = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');

const add = (path: string, value: unknown): Operation => ({ op: 'add', path, value });

/** At the end of a list; of one that is not there, as its beginning. */
const append = (path: string, list: readonly unknown[] | undefined, values: readonly unknown[]): Operation[] =>
  list === undefined && values.length > 0 ? [add(path, values)] : values.map((value) => add(`${path}/-`, value));

const setAll = (path: string, now: Texts | undefined, values: Texts): Operation[] =>
  now === undefined
    ? [add(path, values)]
    : Object.entries(values).map(([name, value]) => add(`${path}/${step(name)}`, value));

export function patchOf({ metadata, spec }: Pod, additions: Additions): Operation[] {
  const { labels, annotations, initContainer, volumes, group } = additions;
  const { initContainers, securityContext } = spec;
  const groups = securityContext?.supplementalGroups;
  const inside = (path: string, list: readonly Container[] = []) =>
    list.flatMap((container, index) => containerPatch(`${path}/${String(index)}`, container, additions));
  return [
    ...setAll('/metadata/labels', metadata.labels, labels),
    ...setAll('/metadata/annotations', metadata.annotations, annotations),
    ...append('/spec/volumes', spec.volumes, volumes),
    ...(securityContext === undefined ? [add('/spec/securityContext', { supplementalGroups: [group] })] : []),
    ...(securityContext === undefined || groups?.includes(group) === true
      ? []
      : append('/spec/securityContext/supplementalGroups', groups, [group])),
    ...inside('/spec/containers', spec.containers),
    ...inside('/spec/initContainers', initContainers),
    // Last: it moves those whose places the operations above name.
    initContainers === undefined
      ? add('/spec/initContainers', [initContainer])
      : add('/spec/initContainers/0', initContainer),
  ];
}

/** What a container says itself of the place or the variable is left as it is. */
function containerPatch(path: string, container: Container, { containers, mount, variable }: Additions): Operation[] {
  const { name, volumeMounts, env } = container;
  if (!containers.has(name)) return [];
  const isMounted = volumeMounts?.some(({ mountPath }) => mountPath.replace(/\/$/, '') === mount.mountPath) === true;
  const isSet = env?.some((one) => one.name === variable.name) === true;
  return [
    ...append(`${path}/volumeMounts`, volumeMounts, isMounted ? [] : [mount]),
    ...append(`${path}/env`, env, isSet ? [] : [variable]),
  ];
}
