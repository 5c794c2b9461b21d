// Evaluates a resource with its Secret: fetches the Secret when its version is new, and keeps facts only.
import type { Clock } from '../clock.ts';
import { parseSpec, type ResourceSpec, toCredential } from '../config/resource.ts';
import { PaycertError } from '../errors.ts';
import type { Observe } from '../events.ts';
import type { KubeClient } from '../kube/client.ts';
import { type KubeObject, secrets } from '../kube/resources.ts';
import { readCreatedAt } from '../providers/shared/created-at.ts';
import { secretMaterial } from '../sources/secret.ts';
import { createdAtAnnotation } from './labels.ts';
import type { Lookup } from './objects.ts';
import type { PaymentCredential } from './resource.ts';
import { ResourceKey } from './resource-key.ts';
import { inLabels } from './secrets.ts';
import { evaluate, type SecretEvaluation } from './status/evaluate.ts';
import type { Evaluation } from './status/conditions.ts';

export interface EvaluatorOptions {
  readonly client: () => Promise<Pick<KubeClient, 'get'>>;
  readonly lookup: Lookup;
  readonly clock: Clock;
  readonly observe: Observe;
}

interface Remembered {
  readonly version: string;
  readonly evaluation: SecretEvaluation;
}

/** A permission may be granted later: a condition says what is missing, and it is tried again. */
const refusals: ReadonlySet<string> = new Set(['cluster-forbidden', 'cluster-unauthenticated', 'cluster-refused']);

class Pending extends Error {}

export class Evaluator {
  readonly #options: EvaluatorOptions;
  /** By the resource's key: what has not changed is not fetched again. */
  readonly #remembered = new Map<string, Remembered>();

  constructor(options: EvaluatorOptions) {
    this.#options = options;
  }

  forget(key: ResourceKey): void {
    this.#remembered.delete(key.toString());
  }

  /**
   * Undefined while the Secrets have not been listed.
   * @throws PaycertError when the API server cannot be reached now
   */
  async evaluate(key: ResourceKey, resource: PaymentCredential, signal: AbortSignal): Promise<Evaluation | undefined> {
    let spec: ResourceSpec | undefined;
    try {
      spec = parseSpec(resource.spec);
      return { spec, secret: await this.#evaluate(key, resource, spec, signal), error: undefined };
    } catch (error) {
      if (signal.aborted) throw error;
      if (error instanceof Pending) return undefined;
      this.forget(key);
      return { spec, secret: undefined, error: this.#explain(resource, error) };
    }
  }

  async #evaluate(
    key: ResourceKey,
    resource: PaymentCredential,
    spec: ResourceSpec,
    signal: AbortSignal,
  ): Promise<SecretEvaluation> {
    const { client, lookup, clock } = this.#options;
    const { namespace, name, uid, generation, status } = resource;
    const { name: secretName, keys } = spec.source.secret;
    const secretKey = new ResourceKey('Secret', namespace, secretName);
    const state = lookup.secretState(secretKey);
    if (state instanceof PaycertError) throw state;
    if (state === 'pending') throw new Pending();
    if (state === 'unwatched')
      throw new PaycertError('secret-unwatched', `the operator does not watch Secret "${secretName}"`);
    const facts = lookup.secret(secretKey);
    if (facts === undefined) throw new PaycertError('object-missing', `there is no Secret "${secretName}" here`);
    const remembered = this.#remembered.get(key.toString());
    const versionOf = (resourceVersion: string) => [uid, generation, facts.uid, resourceVersion].join();
    if (remembered && isCurrent(remembered, versionOf(facts.resourceVersion), clock.now()))
      return remembered.evaluation;
    const target = { resource: secrets, namespace, name: secretName };
    const secret = await (await client()).get(target, signal);
    const material = secretMaterial(secret, keys);
    const credential = toCredential(name, spec);
    const candidate = { credential, material, accepted: status?.accepted };
    const evaluated = await evaluate(candidate, clock.now());
    const evaluation = { ...evaluated, createdAt: evaluated.createdAt ?? annotatedAge(secret) };
    this.#remembered.set(key.toString(), { version: versionOf(evaluation.secretResourceVersion), evaluation });
    return evaluation;
  }

  #explain(resource: PaymentCredential, error: unknown): PaycertError {
    if (!(error instanceof PaycertError)) {
      const { namespace, name } = resource;
      this.#options.observe({ type: 'internal-error', where: 'operator', error });
      return new PaycertError('internal-error', `evaluating the Secret of ${namespace}/${name} failed unexpectedly`);
    }
    // While the API server cannot be reached, no status can be written either.
    if (error.code.startsWith('cluster-') && !refusals.has(error.code)) throw error;
    return inLabels(error, resource);
  }
}

function annotatedAge({ metadata }: KubeObject): SecretEvaluation['createdAt'] {
  const text = metadata.annotations?.[createdAtAnnotation];
  return text === undefined ? undefined : readCreatedAt(text.trim(), createdAtAnnotation);
}

const isCurrent = (remembered: Remembered, version: string, now: Date): boolean =>
  remembered.version === version && (remembered.evaluation.until === undefined || now < remembered.evaluation.until);
