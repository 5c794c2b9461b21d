// What `paycert fleet` shows: statuses as the operator wrote them, and Pods as they answer through the API server, with the user's own rights.
import type { Clock } from '../../clock.ts';
import { paymentCredentials } from '../../config/resource.ts';
import { type ErrorCode, PaycertError } from '../../errors.ts';
import type { KubeClient } from '../../kube/client.ts';
import { readAll } from '../../kube/listing.ts';
import { type Collection, type KubeObject, type Namespace, pods } from '../../kube/resources.ts';
import { fleetPath } from '../../operator/fleet/ask.ts';
import { type FleetPod, readPod } from '../../operator/fleet/pod.ts';
import { maxSightingBytes, readSighting, Unseen } from '../../operator/fleet/read-sighting.ts';
import { keepKnown, type Seen, viewOf } from '../../operator/fleet/sightings.ts';
import { type PodState, type PodView, stateOf } from '../../operator/fleet/view.ts';
import { sidecarLabel } from '../../operator/labels.ts';
import { type PaymentCredential, readResource, storedSnapshotId } from '../../operator/resource.ts';
import type { Sighting } from '../../store/sighting.ts';
import { TooLarge } from '../../system/request.ts';

export interface Gathering {
  readonly client: Pick<KubeClient, 'get' | 'list' | 'getFromPod'>;
  readonly namespace: Namespace;
  /** One of them; all of the namespace unless it is given. */
  readonly name: string | undefined;
  readonly clock: Clock;
}

export interface CredentialReport {
  readonly resource: PaymentCredential;
  readonly pods: readonly (PodView & { readonly state: PodState; readonly audit: Sighting['audit'] })[];
}

export interface FleetReport {
  readonly credentials: readonly CredentialReport[];
  /** Why no Pods are shown. */
  readonly withheld: PaycertError | undefined;
}

const askedAtOnce = 50;
/** Through the API server it takes longer than from the operator. */
const patienceMilliseconds = 5000;

/** What the user may not see is left out, and said. */
const missing: ReadonlySet<ErrorCode> = new Set(['cluster-forbidden']);

export async function gatherFleet(gathering: Gathering, signal: AbortSignal): Promise<FleetReport> {
  const resources = await readResources(gathering, signal);
  const names = new Set(resources.map(({ name }) => name));
  try {
    const found = (await readPods(gathering, signal)).filter(({ isOver }) => !isOver);
    const wanted = found.filter((pod) => !pod.isComplete || pod.declared.some((name) => names.has(name)));
    const seen = await askEach(wanted, names, gathering, signal);
    return {
      credentials: resources.map((resource) => ({ resource, pods: podsOf(resource, seen) })),
      withheld: undefined,
    };
  } catch (error) {
    if (!(error instanceof PaycertError && missing.has(error.code))) throw error;
    return { credentials: resources.map((resource) => ({ resource, pods: [] })), withheld: error };
  }
}

async function readResources(
  { client, namespace, name }: Gathering,
  signal: AbortSignal,
): Promise<PaymentCredential[]> {
  const resource = paymentCredentials;
  if (name !== undefined) return [readResource(await client.get({ resource, namespace, name }, signal))];
  const { objects } = await readAll(client, { resource, namespace }, readResource, signal);
  return [...objects.values()].map(({ value }) => value).sort((a, b) => a.name.localeCompare(b.name));
}

async function readPods({ client, namespace }: Gathering, signal: AbortSignal): Promise<FleetPod[]> {
  // The API server decides which addresses it connects to.
  const read = (object: KubeObject) => readPod(object, (address) => address !== '');
  const collection: Collection = { resource: pods, namespace, labelSelector: `${sidecarLabel}=true` };
  const { objects } = await readAll(client, collection, read, signal);
  return [...objects.values()].map(({ value }) => value).sort((a, b) => a.name.localeCompare(b.name));
}

type SeenNow = Seen & { readonly audit?: Sighting['audit'] };
type Asked = readonly (readonly [FleetPod, SeenNow | undefined])[];

async function askEach(
  all: readonly FleetPod[],
  names: ReadonlySet<string>,
  { client, clock }: Gathering,
  signal: AbortSignal,
): Promise<Asked> {
  const askedAt = clock.now().getTime();
  const seen = new Map<FleetPod, SeenNow | undefined>(all.map((pod) => [pod, undefined]));
  const waiting = all.filter(({ address }) => address !== undefined).values();
  const ask = async () => {
    for (const pod of waiting) {
      const { namespace, name, address } = pod;
      const target = { namespace, name, port: address?.port ?? 0, path: fleetPath } as const;
      const both = AbortSignal.any([signal, AbortSignal.timeout(patienceMilliseconds)]);
      try {
        const answer = readSighting(await client.getFromPod(target, maxSightingBytes, both));
        const sighting = keepKnown(pod, answer, (name) => names.has(name));
        seen.set(pod, { askedAt, sighting, unseen: undefined, had: undefined, audit: answer.audit });
      } catch (error) {
        signal.throwIfAborted();
        seen.set(pod, { askedAt, sighting: undefined, unseen: whyUnseen(error), had: undefined });
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(askedAtOnce, all.length) }, ask));
  return [...seen];
}

/** @throws PaycertError where no Pod can be asked */
function whyUnseen(error: unknown): string {
  if (error instanceof Unseen) return error.message;
  if (error instanceof TooLarge) return 'its response is too large';
  if (error instanceof PaycertError) {
    if (missing.has(error.code)) throw error;
    return `through the API server it does not answer (${error.code})`;
  }
  if (error instanceof Error && error.name === 'TimeoutError') return 'no response within 5 s';
  throw error;
}

const podsOf = (resource: PaymentCredential, asked: Asked): CredentialReport['pods'] =>
  asked.flatMap(([pod, seen]) => {
    const view = viewOf(pod, seen, resource.name, { since: 0, knownSince: 0 });
    const state = view && stateOf(view, storedSnapshotId(resource.status));
    return view && state ? [{ ...view, state, audit: seen?.audit }] : [];
  });
