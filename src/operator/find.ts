// What is found out about a resource and its Secret: the Secret is fetched when its version is new, checked, and let go.
import type { Clock } from '../clock.ts';
import { parseSpec, type ResourceSpec, toCredential } from '../config/resource.ts';
import type { BuildDependencies } from '../running/build.ts';
import { PaycertError } from '../errors.ts';
import type { Observe } from '../events.ts';
import type { KubeClient } from '../kube/client.ts';
import { type KubeObject, secrets } from '../kube/resources.ts';
import { readCreatedAt } from '../providers/shared/created-at.ts';
import { secretMaterial } from '../sources/secret.ts';
import { assess, type Verdict } from './assess.ts';
import { createdAtAnnotation } from './labels.ts';
import type { PaymentCredential } from './resource.ts';
import { inLabels, type SecretFacts } from './secrets.ts';
import type { Findings } from './status.ts';
import type { Watched } from './watched.ts';

export interface FinderOptions {
  readonly client: () => Promise<Pick<KubeClient, 'get'>>;
  readonly watched: Pick<Watched<SecretFacts>, 'get' | 'standing'>;
  readonly clock: Clock;
  readonly observe: Observe;
  readonly dependencies: BuildDependencies;
}

interface Remembered {
  readonly version: string;
  readonly verdict: Verdict;
}

/** Whoever may not read it now may be permitted to later: a condition says so, and it is tried again. */
const refusals: ReadonlySet<string> = new Set(['cluster-forbidden', 'cluster-unauthenticated', 'cluster-refused']);

class Pending extends Error {}

export class Finder {
  readonly #options: FinderOptions;
  /** Facts, by resource: what has not changed is not fetched again. */
  readonly #remembered = new Map<string, Remembered>();

  constructor(options: FinderOptions) {
    this.#options = options;
  }

  forget(key: string): void {
    this.#remembered.delete(key);
  }

  /**
   * Undefined while the Secrets have not been listed.
   * @throws PaycertError when the API server cannot be asked now
   */
  async find(key: string, resource: PaymentCredential, signal: AbortSignal): Promise<Findings | undefined> {
    let spec: ResourceSpec | undefined;
    try {
      spec = parseSpec(resource.spec);
      return { spec, verdict: await this.#check(key, resource, spec, signal), error: undefined };
    } catch (error) {
      if (signal.aborted) throw error;
      if (error instanceof Pending) return undefined;
      this.forget(key);
      return { spec, verdict: undefined, error: this.#explain(resource, error) };
    }
  }

  async #check(key: string, resource: PaymentCredential, spec: ResourceSpec, signal: AbortSignal): Promise<Verdict> {
    const { client, watched, clock, dependencies } = this.#options;
    const { namespace, name, uid, generation, status } = resource;
    const { name: secretName, keys } = spec.source.secret;
    const standing = watched.standing(namespace, secretName);
    if (standing instanceof PaycertError) throw standing;
    if (standing === 'pending') throw new Pending();
    if (standing === 'unwatched')
      throw new PaycertError('secret-unwatched', `the operator does not watch Secret "${secretName}"`);
    const facts = watched.get(namespace, secretName);
    if (facts === undefined) throw new PaycertError('object-missing', `there is no Secret "${secretName}" here`);
    const remembered = this.#remembered.get(key);
    const versionOf = (resourceVersion: string) => [uid, generation, facts.uid, resourceVersion].join();
    if (remembered && isCurrent(remembered, versionOf(facts.resourceVersion), clock.now())) return remembered.verdict;
    const target = { resource: secrets, namespace, name: secretName };
    const secret = await (await client()).get(target, signal);
    const material = secretMaterial(secret, keys);
    const credential = toCredential(name, spec);
    const assessed = await assess(credential, material, status?.accepted, clock.now(), dependencies);
    const verdict = { ...assessed, createdAt: assessed.createdAt ?? annotatedAge(secret) };
    this.#remembered.set(key, { version: versionOf(verdict.secretResourceVersion), verdict });
    return verdict;
  }

  #explain(resource: PaymentCredential, error: unknown): PaycertError {
    if (!(error instanceof PaycertError)) {
      const { namespace, name } = resource;
      this.#options.observe({ type: 'internal-error', where: 'operator', error });
      return new PaycertError('internal-error', `checking the Secret of ${namespace}/${name} failed unexpectedly`);
    }
    // An API server that cannot be asked can be told nothing either.
    if (error.code.startsWith('cluster-') && !refusals.has(error.code)) throw error;
    return inLabels(error, resource);
  }
}

function annotatedAge({ metadata }: KubeObject): Verdict['createdAt'] {
  const text = metadata.annotations?.[createdAtAnnotation];
  return text === undefined ? undefined : readCreatedAt(text.trim(), createdAtAnnotation);
}

const isCurrent = (remembered: Remembered, version: string, now: Date): boolean =>
  remembered.version === version && (remembered.verdict.until === undefined || now < remembered.verdict.until);
