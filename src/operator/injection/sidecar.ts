// The container of an injected sidecar and its volumes: what deploy/sidecar shows, without a ConfigMap and without fsGroup.
import type { InjectedServices } from '../../config/injected-services.ts';
import { setsOf } from '../../config/resource.ts';
import { adminPortName } from '../admin-port.ts';
import { activationsAnnotation } from '../labels.ts';
import {
  activationsMount,
  type Injected,
  keyServiceMounts,
  lastGoodDirectory,
  type Mounted,
  mountOf,
} from './configuration.ts';
import { sidecarName } from './pod.ts';
import type { Wanted } from './wanted.ts';

/** User and group of the image; a process in the group may use the socket. */
export const sidecarId = 65_532;

const configVariable = 'PAYCERT_CONFIG';

/** Before the names of all volumes that are ours. */
export const volumePrefix = 'paycert-';
export const socketVolume = `${volumePrefix}socket`;
export const socketDirectory = '/run/paycert';
const lastGoodVolume = `${volumePrefix}last-good`;
const tokenVolume = `${volumePrefix}token`;
const keyTokenVolume = `${volumePrefix}key-token`;
const keyFilesVolume = `${volumePrefix}key-services`;
const activationsVolume = `${volumePrefix}activations`;

const volumeNames = { current: 'keys', next: 'next', platform: 'platform' } as const satisfies Record<Mounted, string>;

/** The volume of a Secret of the credential with that place. */
export const keysVolume = (set: Mounted, index: number): string =>
  `${volumePrefix}${volumeNames[set]}-${String(index)}`;

const isStaged = ({ spec }: Injected): boolean => spec.source.staged !== undefined;

/** Without fsGroup they belong to root: every user may read them, and only the container of the sidecar mounts them. */
const defaultMode = 0o444;

export interface SidecarOptions {
  readonly injected: readonly Injected[];
  readonly wanted: Wanted;
  readonly image: string;
  readonly configuration: string;
  readonly adminPort: number;
  readonly keyServices: InjectedServices | undefined;
}

const probe = (path: string, more: object) => ({ httpGet: { path, port: adminPortName }, ...more });

export function sidecarContainer({
  injected,
  wanted,
  image,
  configuration,
  adminPort,
  keyServices,
}: SidecarOptions): object {
  const { cpu, memory, drain, otlpEndpoint, usesApi } = wanted;
  return {
    name: sidecarName,
    image,
    restartPolicy: 'Always',
    args: ['sidecar', `--config-env=${configVariable}`, ...(drain === undefined ? [] : [`--drain=${drain}`])],
    env: [
      { name: configVariable, value: configuration },
      // Whose last good material it is.
      { name: 'PAYCERT_POD_UID', valueFrom: { fieldRef: { fieldPath: 'metadata.uid' } } },
      ...(otlpEndpoint === undefined ? [] : [{ name: 'OTEL_EXPORTER_OTLP_ENDPOINT', value: otlpEndpoint }]),
    ],
    ports: [{ name: adminPortName, containerPort: adminPort, protocol: 'TCP' }],
    startupProbe: probe('/startupz', { periodSeconds: 1, failureThreshold: 60 }),
    readinessProbe: probe('/readyz', { periodSeconds: 5 }),
    livenessProbe: probe('/livez', { periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 }),
    terminationMessagePolicy: 'FallbackToLogsOnError',
    resources: {
      requests: { cpu: cpu.request, memory: memory.request },
      limits: {
        ...(memory.limit !== undefined && { memory: memory.limit }),
        ...(cpu.limit !== undefined && { cpu: cpu.limit }),
      },
    },
    securityContext: {
      runAsNonRoot: true,
      runAsUser: sidecarId,
      runAsGroup: sidecarId,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
    },
    volumeMounts: [
      { name: socketVolume, mountPath: socketDirectory },
      { name: lastGoodVolume, mountPath: lastGoodDirectory },
      ...mountsOf(injected).map(({ volume, path }) => ({ name: volume, mountPath: path, readOnly: true })),
      ...(injected.some(isStaged)
        ? [{ name: activationsVolume, mountPath: activationsMount.directory, readOnly: true }]
        : []),
      ...(usesApi
        ? [{ name: tokenVolume, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount', readOnly: true }]
        : []),
      ...(keyServices?.audience === undefined
        ? []
        : [{ name: keyTokenVolume, mountPath: keyServiceMounts.token, readOnly: true }]),
      ...(keyServices?.configMap === undefined
        ? []
        : [{ name: keyFilesVolume, mountPath: keyServiceMounts.files, readOnly: true }]),
    ],
  };
}

/** Each Secret: where it is mounted, and whether the Pod starts without it. */
function mountsOf(injected: readonly Injected[]) {
  return injected.flatMap(({ name, spec }, index) => {
    const { current, next } = setsOf(spec.source);
    const { platformCertificates: platform } = spec;
    const mount = (set: Mounted, secret: string) => ({
      volume: keysVolume(set, index),
      path: mountOf(name, set),
      secret,
      // kubelet waits with the whole Pod for a Secret that is not there: for the one that the Pod cannot do without.
      isOptional: index > 0 || next !== undefined || set === 'platform',
    });
    return [
      mount('current', current.name),
      ...(next ? [mount('next', next.name)] : []),
      ...(platform ? [mount('platform', platform.secret)] : []),
    ];
  });
}

export const sidecarVolumes = ({
  injected,
  wanted,
  keyServices: { audience, configMap } = { services: {} },
}: Pick<SidecarOptions, 'injected' | 'wanted' | 'keyServices'>): readonly object[] => [
  { name: socketVolume, emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
  { name: lastGoodVolume, emptyDir: { medium: 'Memory', sizeLimit: '16Mi' } },
  ...mountsOf(injected).map(({ volume, secret, isOptional }) => ({
    name: volume,
    secret: { secretName: secret, defaultMode, ...(isOptional && { optional: true }) },
  })),
  ...(injected.some(isStaged) ? [{ name: activationsVolume, downwardAPI: { defaultMode, items: [activations] } }] : []),
  ...(wanted.usesApi ? [{ name: tokenVolume, projected: { defaultMode, sources: tokenSources } }] : []),
  ...(audience === undefined
    ? []
    : [{ name: keyTokenVolume, projected: { defaultMode, sources: [keyToken(audience)] } }]),
  // A namespace that has none has Pods all the same: those whose keys are in their Secrets.
  ...(configMap === undefined
    ? []
    : [{ name: keyFilesVolume, configMap: { name: configMap, defaultMode, optional: true } }]),
];

/** kubelet writes it again when the annotation changes. */
const activations = {
  path: activationsMount.file,
  fieldRef: { fieldPath: `metadata.annotations['${activationsAnnotation}']` },
};

/** For key services alone: the API server takes no such token. */
const keyToken = (audience: string) => ({
  serviceAccountToken: { path: 'token', audience, expirationSeconds: 3600 },
});

const tokenSources = [
  { serviceAccountToken: { path: 'token', expirationSeconds: 3600 } },
  { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
  { downwardAPI: { items: [{ path: 'namespace', fieldRef: { fieldPath: 'metadata.namespace' } }] } },
];
