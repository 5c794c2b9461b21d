// Events about injection, on who looks after the Pods: what they got, or why they got nothing. A webhook without side effects makes none.
import { PaycertError } from '../../errors.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Resource } from '../../kube/resources.ts';
import { injectLabel } from '../labels.ts';
import type { EventRecorder } from '../event-recorder.ts';
import type { Regarded } from '../record-events.ts';
import type { Notice } from '../status/events.ts';
import { type Owner, ownerOf, type PodFacts } from './facts.ts';

export interface OwnerEventsOptions {
  readonly client: () => Promise<Pick<KubeClient, 'get'>>;
  readonly recorder: Pick<EventRecorder, 'record'>;
}

const replicaSets: Resource = { group: 'apps', version: 'v1', plural: 'replicasets' };

/** The same for every Pod of an owner that got the same, so that it is said once. */
function noticeOf({ state, credential, image = '', skip }: PodFacts): Notice {
  const asked = `${injectLabel}: ${credential}`;
  if (state === 'injected' && skip === undefined)
    return { type: 'Normal', reason: 'Injected', note: `${asked} has the sidecar ${image.slice(0, 256)}`, since: '' };
  const why = skip
    ? `${skip.reason}: ${skip.message}`
    : 'WebhookMissed: the webhook was away when it was created, or not there yet. Create it again.';
  const what = state === 'injected' ? 'got nothing' : 'has no sidecar';
  return { type: 'Warning', reason: 'InjectionSkipped', note: `${asked} ${what}. ${why}`, since: '' };
}

export class OwnerEvents {
  readonly #options: OwnerEventsOptions;
  /** By who owns the Pods: what was said, and of whom. */
  #said = new Map<string, Set<string>>();
  #roots = new Map<string, Regarded>();

  constructor(options: OwnerEventsOptions) {
    this.#options = options;
  }

  /** Says what is new of these, which are all that there are. */
  async tell(pods: readonly PodFacts[], signal: AbortSignal): Promise<void> {
    const live = new Set(pods.map(({ owner, uid }) => owner?.uid ?? uid));
    this.#said = new Map([...this.#said].filter(([uid]) => live.has(uid)));
    this.#roots = new Map([...this.#roots].filter(([uid]) => live.has(uid)));
    for (const pod of pods) {
      const notice = noticeOf(pod);
      const id = pod.owner?.uid ?? pod.uid;
      const said = this.#said.get(id) ?? new Set();
      if (said.has(notice.note)) continue;
      this.#said.set(id, said.add(notice.note));
      await this.#options.recorder.record(await this.#rootOf(pod, signal), notice, signal);
    }
  }

  async #rootOf({ namespace, name, uid, owner }: PodFacts, signal: AbortSignal): Promise<Regarded> {
    if (owner === undefined) return { apiVersion: 'v1', kind: 'Pod', namespace, name, uid };
    const known = this.#roots.get(owner.uid);
    if (known) return known;
    const root = { namespace, ...((await this.#deploymentOf(owner, namespace, signal)) ?? owner) };
    this.#roots.set(owner.uid, root);
    return root;
  }

  /** People look at the Deployment, or what else controls a ReplicaSet. */
  async #deploymentOf(
    { apiVersion, kind, name }: Owner,
    namespace: string,
    signal: AbortSignal,
  ): Promise<Owner | undefined> {
    if (kind !== 'ReplicaSet' || apiVersion !== 'apps/v1') return undefined;
    try {
      const client = await this.#options.client();
      return ownerOf(await client.get({ resource: replicaSets, namespace, name }, signal));
    } catch (error) {
      // Said of the ReplicaSet then.
      if (!(error instanceof PaycertError)) throw error;
      return undefined;
    }
  }
}
