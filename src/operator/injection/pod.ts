// A Pod as injection reads it: its containers and volumes, and what speaks against a sidecar in it.
import Type, { type Static } from 'typebox';
import { validator } from '../../validation.ts';

const Named = Type.Object({ name: Type.String() });

const Container = Type.Object({
  name: Type.String(),
  image: Type.Optional(Type.String()),
  ports: Type.Optional(Type.Array(Type.Object({ containerPort: Type.Optional(Type.Number()) }))),
  env: Type.Optional(Type.Array(Named)),
  volumeMounts: Type.Optional(Type.Array(Type.Object({ name: Type.String(), mountPath: Type.String() }))),
});

const TokenSource = Type.Object({ serviceAccountToken: Type.Optional(Type.Unknown()) });

const Volume = Type.Object({
  name: Type.String(),
  projected: Type.Optional(Type.Object({ sources: Type.Optional(Type.Array(TokenSource)) })),
  secret: Type.Optional(Type.Object({ secretName: Type.Optional(Type.String()) })),
});

const PodSpecSchema = Type.Object({
  hostNetwork: Type.Optional(Type.Boolean()),
  shareProcessNamespace: Type.Optional(Type.Boolean()),
  os: Type.Optional(Named),
  securityContext: Type.Optional(Type.Object({ supplementalGroups: Type.Optional(Type.Array(Type.Number())) })),
  containers: Type.Array(Container),
  initContainers: Type.Optional(Type.Array(Container)),
  volumes: Type.Optional(Type.Array(Volume)),
});

export type PodSpec = Static<typeof PodSpecSchema>;
export type Container = Static<typeof Container>;

/** The API server has checked the rest. @throws PaycertError `review-malformed` */
export const parsePodSpec = validator(PodSpecSchema, 'review-malformed');

/** What names the container of a sidecar, in a Pod that was written by hand too. */
export const sidecarName = 'paycert';

export const containersOf = ({ initContainers = [], containers }: PodSpec): readonly Container[] => [
  ...initContainers,
  ...containers,
];

export const sidecarOf = (spec: PodSpec): Container | undefined =>
  containersOf(spec).find(({ name }) => name === sidecarName);

export interface Skip {
  /** One word for programs, as of an Event. */
  readonly reason: 'HostNetwork' | 'SharedProcesses' | 'Windows' | 'OwnContainer';
  readonly message: string;
}

/** Nothing is added to a Pod that brings its own. */
export const ownContainer: Skip = {
  reason: 'OwnContainer',
  message: `it has a container ${sidecarName} already`,
};

/** Why a Pod gets no sidecar although it asks for one; it is created all the same. */
export function skipOf({ hostNetwork, shareProcessNamespace, os }: PodSpec): Skip | undefined {
  if (hostNetwork === true)
    return {
      reason: 'HostNetwork',
      message: 'it has hostNetwork, and the port of a sidecar would be open on its node',
    };
  if (shareProcessNamespace === true)
    return {
      reason: 'SharedProcesses',
      message: 'it has shareProcessNamespace, and its containers could read the keys',
    };
  if (os?.name === 'windows') return { reason: 'Windows', message: 'it is for Windows, and the image is for Linux' };
  return undefined;
}

/** Where kubelet puts it; `/var/run` is a link to `/run` in many images. */
const tokenDirectory = /^\/(var\/)?run\/secrets\/kubernetes\.io(\/|$)/;

/** Whether a container has a token of the service account, which is the same for all of them. */
export function mountsToken({ volumes = [], ...spec }: PodSpec): boolean {
  const tokens = volumes.filter(({ projected }) =>
    projected?.sources?.some(({ serviceAccountToken }) => serviceAccountToken !== undefined),
  );
  const names = new Set(tokens.map(({ name }) => name));
  const mounts = containersOf(spec).flatMap(({ volumeMounts = [] }) => volumeMounts);
  return mounts.some(({ name, mountPath }) => names.has(name) || tokenDirectory.test(mountPath));
}
