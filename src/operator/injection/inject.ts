// The review of a Pod that asks for a sidecar: what is added to it, from what is cached of the PaymentCredentials alone.
import { type Activations, formatActivations } from '../../config/activations.ts';
import type { InjectedServices } from '../../config/injected-services.ts';
import { throwTogether } from '../../errors.ts';
import type { Operation } from '../../kube/client.ts';
import { defaultAdminPort } from '../admin-port.ts';
import type { ReviewRequest } from '../admission/review.ts';
import { activationsAnnotation, containersAnnotation, credentialsAnnotation, injectedAnnotation, refreshLabel, sidecarLabel, sourceAnnotation } from '../labels.ts'; // prettier-ignore
import type { Objects } from '../objects.ts';
import { configurationOf, type Injected, socketPath } from './configuration.ts';
import { findCredentials } from './find-credentials.ts';
import { type Additions, patchOf } from './patch.ts';
import { containersOf, mountsToken, parsePodSpec, type PodSpec, sidecarName, sidecarOf, skipOf } from './pod.ts';
import { sidecarContainer, sidecarId, sidecarVolumes, socketDirectory, socketVolume, volumePrefix } from './sidecar.ts';
import { ignoredNames } from './ignored-names.ts';
import { refusal } from './refusal.ts';
import { readWanted, type Wanted } from './wanted.ts';

export interface InjectionOptions {
  readonly lookup: Pick<Objects, 'find'>;
  readonly image: string;
  readonly version: string;
  /** Of every sidecar. */
  readonly keyServices?: InjectedServices | undefined;
}

export interface Injection {
  readonly patch: readonly Operation[];
  readonly warnings: readonly string[];
  /** The PaymentCredentials whose keys the Pod has from now on. */
  readonly credentials: readonly string[];
}

/** @throws PaycertError `injection-refused`, `review-malformed` */
export function inject({ object, namespace }: ReviewRequest, options: InjectionOptions): Injection {
  const { metadata } = object;
  const spec = parsePodSpec(object.spec, 'spec');
  const none = (warning?: string): Injection => ({
    patch: [],
    warnings: warning === undefined ? [] : [warning],
    credentials: [],
  });
  // Asked again after another webhook: it stays where it is.
  if (sidecarOf(spec)) {
    const isOurs = metadata.annotations?.[injectedAnnotation] !== undefined;
    return none(isOurs ? undefined : `The Pod has a container ${sidecarName} already: nothing is injected.`);
  }
  const skip = skipOf(spec);
  if (skip) return none(`The Pod gets no sidecar of paycert: ${skip.message}.`);
  const wanted = readWanted(metadata.labels, metadata.annotations);
  assertRoom(spec, wanted);
  const { injected, warnings: found } = findCredentials(namespace, wanted.credentials, options.lookup);
  const warnings = [...found, ...wanted.warnings, ...ignoredNames(metadata.labels, metadata.annotations)];
  const credentials = injected.map(({ name }) => name);
  const additions = additionsOf(spec, { injected, wanted, ...options });
  const kept = metadata.labels?.[refreshLabel];
  const labels = { ...additions.labels, ...(kept === undefined && { [refreshLabel]: credentials[0] ?? '' }) };
  const named = metadata.annotations?.[credentialsAnnotation];
  const annotations = {
    ...additions.annotations,
    ...(named === undefined && { [credentialsAnnotation]: credentials.join() }),
  };
  return { patch: patchOf({ metadata, spec }, { ...additions, labels, annotations }), warnings, credentials };
}

/** What the Pod has already that would be in the way. */
function assertRoom(spec: PodSpec, { containers = [], usesApi }: Wanted): void {
  const names = new Set(containersOf(spec).map(({ name }) => name));
  const faults = containers
    .filter((name) => !names.has(name))
    .map((name) => refusal(`annotation ${containersAnnotation}`, `names ${name}, and the Pod has no such container`));
  const taken = spec.volumes?.find(({ name }) => name.startsWith(volumePrefix));
  if (taken)
    faults.push(
      refusal(`volume ${taken.name.slice(0, 63)}`, `is there, and ${volumePrefix}… are those of the sidecar`),
    );
  if (usesApi && mountsToken(spec))
    faults.push(
      refusal(
        `annotation ${sourceAnnotation}`,
        'is api, and a container has the token of the same account: set automountServiceAccountToken: false',
      ),
    );
  throwTogether(faults);
}

interface Making extends InjectionOptions {
  readonly injected: readonly Injected[];
  readonly wanted: Wanted;
}

function additionsOf(spec: PodSpec, { injected, wanted, image: own, version, keyServices }: Making): Additions {
  const image = wanted.image ?? own;
  const adminPort = freePort(spec);
  const configuration = configurationOf(injected, { ...wanted, adminPort, keyServices: keyServices?.services });
  const containers = wanted.containers ?? spec.containers.map(({ name }) => name);
  const activations = activationsOf(injected);
  const record = { version, image, credentials: injected.map(({ name }) => name), containers };
  return {
    labels: { [sidecarLabel]: 'true' },
    annotations: {
      [injectedAnnotation]: JSON.stringify(record),
      ...(activations.size > 0 && { [activationsAnnotation]: formatActivations(activations) }),
    },
    initContainer: sidecarContainer({ injected, wanted, image, configuration, adminPort, keyServices }),
    volumes: sidecarVolumes({ injected, wanted, keyServices }),
    containers: new Set(containers),
    // It can connect there, and cannot put another socket in its place.
    mount: { name: socketVolume, mountPath: socketDirectory, readOnly: true },
    variable: { name: 'PAYCERT_SOCKET', value: socketPath },
    group: sidecarId,
  };
}

/** As the resources say it now; the operator keeps it so. */
const activationsOf = (injected: readonly Injected[]): Activations =>
  new Map(injected.flatMap(({ name, spec }) => (spec.source.staged ? [[name, spec.source.staged.activate]] : [])));

/** Other exporters have the same port by default: the first from there that no container of the Pod names. */
function freePort(spec: PodSpec): number {
  const ports = containersOf(spec).flatMap(({ ports: all = [] }) => all);
  const taken = new Set(ports.map(({ containerPort }) => containerPort));
  let port = defaultAdminPort;
  while (taken.has(port)) port += 1;
  return port;
}
