// The pods of the story: deploy/sidecar as the docs tell, pods that differ from it in where their keys come from, and the caller.
import { readdirSync, readFileSync } from 'node:fs';
import { parseAllDocuments, stringify } from 'yaml';
import { type Manifest, one, root } from '../chart/helm.ts';
import type { Json } from '../support/control-plane.ts';

const folder = `${root}deploy/sidecar/`;

/** What `kubectl apply -f deploy/sidecar/` applies, with the image that is tested. The application says every second how it goes. */
export function sidecarManifests(image: string): Manifest[] {
  const manifests = readdirSync(folder).flatMap((name) => {
    const text = readFileSync(`${folder}${name}`, 'utf8').replaceAll('image: paycert:0.1.0', `image: ${image}`);
    // As kubectl reads it: 0440 is a mode in octal.
    return parseAllDocuments(text, { version: '1.1' }).map((document) => document.toJSON() as Manifest);
  });
  podOf(manifests).containers[0]['env'] = [{ name: 'REPORT_MS', value: '1000' }];
  return manifests;
}

/** The same, with an application that does nothing. */
export function makeIdle(manifests: Manifest[]): Manifest[] {
  const idle = 'process.on("SIGTERM", () => process.exit()); setInterval(() => undefined, 3600_000)';
  podOf(manifests).containers[0]['command'] = ['node', '-e', idle];
  return manifests;
}

interface PodSpec {
  readonly initContainers: readonly [Container];
  readonly containers: readonly [Container];
  readonly volumes: Volume[];
}

interface Volume {
  readonly name: string;
  configMap?: { readonly name: string };
  readonly secret?: { secretName: string; readonly defaultMode: number };
  readonly projected?: object;
}

interface Container {
  readonly volumeMounts: Json[];
  env: Json[];
  [field: string]: unknown;
}

const podOf = (manifests: readonly Manifest[]): PodSpec =>
  (one(manifests, 'Deployment')['spec'] as { template: { spec: PodSpec } }).template.spec;

interface Variant {
  readonly name: string;
  /** An entry of `credentials` in paycert.yaml. */
  readonly credential: Json;
  /** Instead of wechat-main. */
  readonly secret?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Code that the sidecar's Node runs before its program. */
  readonly before?: string;
  /** In place of its application. */
  readonly caller?: ReturnType<typeof callsItsOwn>;
}

/** What the image has, and the code. */
const nodeOptions = (code: string): string =>
  `--disable-sigusr1 --max-semi-space-size=4 --import=data:text/javascript,${encodeURIComponent(code)}`;

/** A pod like those of deploy/sidecar with its own configuration, which other pods may call too, with a token. */
export function makeVariant(manifests: readonly Manifest[], variant: Variant): Manifest[] {
  const { name, credential, secret = 'wechat-main', labels = {}, before, caller } = variant;
  const spec = structuredClone(podOf(manifests));
  for (const volume of spec.volumes) {
    if (volume.name === 'paycert-config') volume.configMap = { name };
    if (volume.secret) volume.secret.secretName = secret;
  }
  spec.volumes.push({ name: 'token', secret: { secretName: 'caller-token', defaultMode: 0o440 } });
  if (before !== undefined) spec.initContainers[0].env.push({ name: 'NODE_OPTIONS', value: nodeOptions(before) });
  spec.initContainers[0].volumeMounts.push({ name: 'token', mountPath: '/etc/paycert/token', readOnly: true });
  if (caller) {
    const [application] = spec.containers;
    Object.assign(application, caller.container);
    application.volumeMounts.push(caller.mount);
    spec.volumes.push(caller.volume);
  }
  const configuration = {
    listen: {
      socket: '/run/paycert/paycert.sock',
      tcp: { address: ':8010', exposed: true, tokenFile: '/etc/paycert/token/token' },
    },
    lastGood: { directory: '/run/paycert-last-good/keys' },
    credentials: [credential],
  };
  return [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { 'paycert.yaml': stringify(configuration) } },
    { apiVersion: 'v1', kind: 'Pod', metadata: { name, labels }, spec },
  ];
}

export const wechat = (source: Json): Json => ({
  name: 'wechat-main',
  required: true,
  provider: { wechatpay: { merchantId: '1900000001' } },
  source,
});
export const byApi = { secret: { name: 'wechat-main' } };
export const byMount = { files: { path: '/etc/paycert/wechat-main' } };

const callerMount = { name: 'caller', mountPath: '/caller', readOnly: true };
const callerReady = { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 };

const certificateFiles = (certificates: Readonly<Record<string, string>>) =>
  Object.entries(certificates).map(([serial, pem]) => [`${serial}.pem`, pem] as const);

/** Its code, who may sign, and a token. */
function callerVolume(certificates: Readonly<Record<string, string>>): Json & Volume {
  const items = certificateFiles(certificates).map(([file]) => ({ key: file, path: `certificates/${file}` }));
  const sources = [
    { configMap: { name: 'caller' } },
    { configMap: { name: 'certificates', items } },
    { secret: { name: 'caller-token' } },
  ];
  return { name: 'caller', projected: { defaultMode: 0o444, sources } };
}

/** Calls the sidecars of other pods: name → host:port. `certificates`: PEM by serial number. */
export function makeCaller(
  image: string,
  targets: Readonly<Record<string, string>>,
  certificates: Readonly<Record<string, string>>,
): Manifest[] {
  const script = readFileSync(new URL('caller.ts', import.meta.url), 'utf8');
  const words = Object.entries(targets).map(([name, target]) => `${name}=${target}`);
  const spec = {
    automountServiceAccountToken: false,
    securityContext: { runAsNonRoot: true, fsGroup: 65532, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [
      {
        name: 'caller',
        image,
        imagePullPolicy: 'IfNotPresent',
        command: ['node', '/caller/caller.mts', ...words],
        readinessProbe: callerReady,
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        volumeMounts: [callerMount],
      },
    ],
    volumes: [callerVolume(certificates)],
  };
  const files = Object.fromEntries(certificateFiles(certificates));
  return [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'caller' }, data: { 'caller.mts': script } },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'certificates' }, data: files },
    { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'caller' }, spec },
  ];
}

/** An application that calls the sidecar beside it, as `own`: what is added to a container and to its Pod. */
export const callsItsOwn = (credential: string, certificates: Readonly<Record<string, string>>) => ({
  container: {
    command: ['node', '/caller/caller.mts', 'own=/run/paycert/paycert.sock'],
    env: Object.entries({ CREDENTIAL: credential, CALLERS: '1', PAUSE_MS: '100' }).map(([name, value]) => ({ name, value })), // prettier-ignore
    readinessProbe: callerReady,
  },
  mount: callerMount,
  volume: callerVolume(certificates),
});
