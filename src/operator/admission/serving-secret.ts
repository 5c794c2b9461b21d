// Keeps the webhooks' certificate in one Secret and its authority in their configurations: the leader, but for the first.
import { X509Certificate } from 'node:crypto';
import type { Clock } from '../../clock.ts';
import { PaycertError } from '../../errors.ts';
import type { Observe } from '../../events.ts';
import type { KubeClient, Operation } from '../../kube/client.ts';
import { type KubeObject, type Resource, secrets } from '../../kube/resources.ts';
import { fieldManager } from '../field-manager.ts';
import { renewServingKeys, type ServingKeys, splitBundle } from './serving-keys.ts';

const configurations = {
  validating: { group: 'admissionregistration.k8s.io', version: 'v1', plural: 'validatingwebhookconfigurations' },
  mutating: { group: 'admissionregistration.k8s.io', version: 'v1', plural: 'mutatingwebhookconfigurations' },
} as const satisfies Record<string, Resource>;

/** A configuration of webhooks, by its kind and name. */
export interface Configuration {
  readonly kind: keyof typeof configurations;
  readonly name: string;
}

export interface ServingSecretOptions {
  readonly secret: { readonly namespace: string; readonly name: string };
  /** That get its authority. */
  readonly configurations: readonly Configuration[];
  readonly hostNames: readonly string[];
  readonly client: () => Promise<Pick<KubeClient, 'get' | 'replace' | 'change'>>;
  readonly clock: Clock;
  readonly random: (bytes: number) => Uint8Array;
  readonly observe: Observe;
}

/** Somebody may take the authority out of the configuration: then every write waits for a review that fails. */
const pauseMilliseconds = 30_000;
/** Another replica may have written meanwhile. */
const retryMilliseconds = 5000;

interface Webhook {
  readonly name: string;
  readonly clientConfig?: { readonly caBundle?: string };
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const textOf = (encoded = ''): string => Buffer.from(encoded, 'base64').toString();

export class ServingSecret {
  readonly #options: ServingSecretOptions;
  #failure: string | undefined;

  constructor(options: ServingSecretOptions) {
    this.#options = options;
  }

  /** Until aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const isOver = () => signal.aborted;
    while (!isOver()) {
      const isKept = await this.#try(() => this.keep(signal), signal);
      await clock.sleep(isKept ? pauseMilliseconds : retryMilliseconds, signal);
    }
  }

  /**
   * Until there is a certificate, of any replica's making. Not only the leader's: that may be an older one, which keeps none and
   * goes only when another is ready.
   */
  async begin(signal: AbortSignal): Promise<void> {
    const isOver = () => signal.aborted;
    const work = async () => ((await this.#isEmpty(signal)) ? this.keep(signal) : undefined);
    while (!isOver() && !(await this.#try(work, signal))) await this.#options.clock.sleep(retryMilliseconds, signal);
  }

  /** Whether it was done. */
  async #try(work: () => Promise<void>, signal: AbortSignal): Promise<boolean> {
    try {
      await work();
      this.#failure = undefined;
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      if (!(error instanceof PaycertError)) throw error;
      // Two that write at once are no failure: one of them has.
      if (error.code === 'object-conflict') return false;
      this.#options.observe({ type: 'serving-failed', error, isNew: this.#failure !== error.code });
      this.#failure = error.code;
      return false;
    }
  }

  async #isEmpty(signal: AbortSignal): Promise<boolean> {
    const { client, secret } = this.#options;
    const { data = {} } = await (await client()).get({ resource: secrets, ...secret }, signal);
    return ((data as Readonly<Record<string, string>>)['tls.crt'] ?? '') === '';
  }

  /** Writes what is due, once. @throws PaycertError */
  async keep(signal: AbortSignal): Promise<void> {
    const { client: connect, secret, hostNames, clock, random, observe } = this.#options;
    const client = await connect();
    const target = { resource: secrets, ...secret };
    const [webhooks, stored] = [await this.#webhooks(client, signal), await client.get(target, signal)];
    const data = (stored['data'] ?? {}) as Readonly<Record<string, string>>;
    const kept: Partial<ServingKeys> = Object.fromEntries(
      Object.entries(data).map(([name, text]) => [name, textOf(text)]),
    );
    const bundles = new Set(
      webhooks.flatMap(({ all }) => all).map(({ clientConfig }) => textOf(clientConfig?.caBundle)),
    );
    const trusted = bundles.size === 1 ? [...bundles].join('') : '';
    const keys = renewServingKeys(kept, { hostNames, trusted, now: clock.now(), random });
    if (keys !== kept) await client.replace(target, withKeys(stored, keys), signal);
    const bundle = base64(keys['ca.crt']);
    let isPublished = true;
    for (const { target: configuration, all } of webhooks) {
      const changes = changesOf(all, bundle);
      if (changes.length === 0) continue;
      isPublished = false;
      await client.change(configuration, changes, fieldManager, signal);
    }
    const [authority = ''] = splitBundle(keys['ca.crt']);
    const notAfter = new X509Certificate(authority).validToDate;
    observe({ type: 'serving-kept', notAfter, isChanged: keys !== kept || !isPublished });
  }

  /** Of each configuration, as they are. */
  async #webhooks(client: Pick<KubeClient, 'get'>, signal: AbortSignal) {
    const found = [];
    for (const { kind, name } of this.#options.configurations) {
      const target = { resource: configurations[kind], name };
      const { webhooks = [] } = (await client.get(target, signal)) as { readonly webhooks?: readonly Webhook[] };
      found.push({ target, all: webhooks });
    }
    return found;
  }
}

const changesOf = (webhooks: readonly Webhook[], bundle: string): Operation[] =>
  webhooks.flatMap(({ name, clientConfig }, index) =>
    clientConfig?.caBundle === bundle
      ? []
      : [
          // The list may have changed since it was read.
          { op: 'test', path: `/webhooks/${String(index)}/name`, value: name },
          { op: 'add', path: `/webhooks/${String(index)}/clientConfig/caBundle`, value: bundle },
        ],
  );

/** All else stays: labels of the chart, and parts of other tools. */
const withKeys = (stored: KubeObject, keys: ServingKeys): KubeObject => ({
  ...stored,
  data: {
    ...(stored['data'] as object | undefined),
    ...Object.fromEntries(Object.entries(keys).map(([name, text]) => [name, base64(text as string)])),
  },
});
