// Evaluates a resource: its spec, and its Secret where that is there, may be read and is opted in.
import { parseSpec, type ResourceSpec, toCredential } from '../config/resource.ts';
import { PaycertError } from '../errors.ts';
import type { Observe } from '../events.ts';
import { breakGlassTime } from './admission/break-glass.ts';
import { usedByLabel } from './labels.ts';
import type { Lookup } from './objects.ts';
import { type PaymentCredential, secretKeyOf } from './resource.ts';
import { ResourceKey } from './resource-key.ts';
import { type Question, SecretReader, type SecretReaderOptions } from './secret-reader.ts';
import { allowsUse, inLabels, isReviewed, type SecretFacts } from './secrets.ts';
import type { Evaluation } from './status/conditions.ts';

export interface EvaluatorOptions extends Omit<SecretReaderOptions, 'questions'> {
  readonly lookup: Lookup;
  /** Whether only Secrets whose label says so are read for resources. */
  readonly secretOptIn: boolean;
  /** Whether writes of labelled Secrets are reviewed before they are stored. */
  readonly reviews: boolean;
  readonly observe: Observe;
}

/** A permission may be granted later: a condition says what is missing, and it is tried again. */
const refusals: ReadonlySet<string> = new Set(['cluster-forbidden', 'cluster-unauthenticated', 'cluster-refused']);

class Pending extends Error {}

export class Evaluator {
  readonly #options: EvaluatorOptions;
  readonly #reader: SecretReader;

  constructor(options: EvaluatorOptions) {
    this.#options = options;
    this.#reader = new SecretReader({ ...options, questions: (secret) => this.#questionsAbout(secret) });
  }

  forget(key: ResourceKey): void {
    this.#reader.forget(key);
  }

  /**
   * Undefined while the Secrets have not been listed.
   * @throws PaycertError when the API server cannot be reached now
   */
  async evaluate(key: ResourceKey, resource: PaymentCredential, signal: AbortSignal): Promise<Evaluation | undefined> {
    let spec: ResourceSpec | undefined;
    const seen = this.#seenOf(resource);
    try {
      spec = parseSpec(resource.spec);
      const question = toQuestion(key, resource, spec);
      const secret = await this.#reader.evaluate(question, this.#factsOf(question.secret, resource), signal);
      return { spec, secret, error: undefined, ...seen };
    } catch (error) {
      if (signal.aborted) throw error;
      if (error instanceof Pending) return undefined;
      return { spec, secret: undefined, error: this.#explain(resource, error), ...seen };
    }
  }

  /** What its metadata alone says. */
  #seenOf(resource: PaymentCredential): Pick<Evaluation, 'copiedIn' | 'isUnreviewed' | 'breakGlass'> {
    const secret = secretKeyOf(resource);
    const facts = secret && this.#options.lookup.secret(secret);
    if (secret === undefined || facts === undefined) return {};
    const { copiedIn: annotations } = facts;
    const { reviews } = this.#options;
    const breakGlass = reviews && isReviewed(facts) ? breakGlassTime(facts.annotations) : undefined;
    return {
      ...(annotations && { copiedIn: { secret: secret.name, annotations } }),
      ...(reviews && !isReviewed(facts) && { isUnreviewed: true }),
      ...(breakGlass && { breakGlass }),
    };
  }

  /** What is cached of the Secret that the resource names. @throws PaycertError why it is not to be read */
  #factsOf(secret: ResourceKey, { kind, name }: PaymentCredential): SecretFacts {
    const { lookup, secretOptIn } = this.#options;
    const state = lookup.secretState(secret);
    if (state instanceof PaycertError) throw state;
    if (state === 'pending') throw new Pending();
    if (state === 'unwatched')
      throw new PaycertError('secret-unwatched', `the operator does not watch Secret "${secret.name}"`);
    const facts = lookup.secret(secret);
    if (facts === undefined) throw new PaycertError('object-missing', `there is no Secret "${secret.name}" here`);
    if (secretOptIn && kind === 'PaymentCredential' && !allowsUse(facts, name)) {
      const message = `Secret "${secret.name}" has no label ${usedByLabel} with the value ${name} or any`;
      throw new PaycertError('secret-not-opted-in', message);
    }
    return facts;
  }

  /** Those that will be asked next, when the Secret has changed. */
  #questionsAbout(secret: ResourceKey): Question[] {
    const { lookup } = this.#options;
    return lookup.resourcesOf(secret).flatMap((key) => {
      const resource = lookup.find(key);
      if (resource === undefined) return [];
      try {
        this.#factsOf(secret, resource);
        return [toQuestion(key, resource, parseSpec(resource.spec))];
      } catch (error) {
        if (error instanceof PaycertError || error instanceof Pending) return [];
        throw error;
      }
    });
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

/** What a resource asks of its Secret. */
export function toQuestion(
  key: ResourceKey,
  { namespace, name, status }: PaymentCredential,
  spec: ResourceSpec,
): Question {
  const { secret } = spec.source;
  return {
    resource: key,
    secret: new ResourceKey('Secret', namespace, secret.name),
    keys: secret.keys,
    credential: toCredential(name, spec),
    accepted: status?.accepted,
  };
}
