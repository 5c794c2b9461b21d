// Evaluates a resource: its spec, and its Secrets where they are there, may be read and are opted in.
import { parseSpec, type ResourceSecret, type ResourceSpec, setsOf, toCredential } from '../config/resource.ts';
import { PaycertError } from '../errors.ts';
import type { Observe } from '../events.ts';
import { breakGlassTime } from './admission/break-glass.ts';
import { activationOf } from '../running/schedule.ts';
import { beginsAt, isEverywhere, shareAt } from '../sources/activation.ts';
import { usedByLabel } from './labels.ts';
import type { Lookup } from './objects.ts';
import { type PaymentCredential, secretKeysOf } from './resource.ts';
import { ResourceKey } from './resource-key.ts';
import { type Question, SecretReader, type SecretReaderOptions } from './secret-reader.ts';
import { allowsUse, inLabels, isReviewed, type SecretFacts } from './secrets.ts';
import type { Evaluation } from './status/conditions.ts';
import type { StagedEvaluation } from './status/evaluate.ts';

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
      const [asked, beside] = toQuestions(key, resource, spec, this.#options.clock.now());
      // First: whatever becomes of it stands in nobody's way.
      const staged = beside && (await this.#evaluateStaged(beside, resource, spec, signal));
      const evaluation = { spec, staged, ...seen };
      try {
        const secret = await this.#reader.evaluate(asked, this.#factsOf(asked.secret, resource), signal);
        return { ...evaluation, secret, error: undefined };
      } catch (error) {
        return { ...evaluation, secret: undefined, error: this.#explained(resource, error, signal) };
      }
    } catch (error) {
      if (error instanceof Pending) return undefined;
      return { spec, secret: undefined, error: this.#explained(resource, error, signal), ...seen };
    }
  }

  async #evaluateStaged(
    question: StagedQuestion,
    resource: PaymentCredential,
    { source }: ResourceSpec,
    signal: AbortSignal,
  ): Promise<StagedEvaluation | undefined> {
    if (source.staged === undefined) return undefined;
    const activation = activationOf(source.staged.activate);
    const share = shareAt(activation, this.#options.clock.now());
    const about = { set: question.beside, secret: question.secret.name, activation, share };
    try {
      const evaluation = await this.#reader.evaluate(question, this.#factsOf(question.secret, resource), signal);
      return { ...about, evaluation, error: undefined };
    } catch (error) {
      return { ...about, evaluation: undefined, error: this.#explained(resource, error, signal) };
    }
  }

  /** What its metadata alone says. */
  #seenOf(resource: PaymentCredential): Pick<Evaluation, 'copiedIn' | 'isUnreviewed' | 'breakGlass'> {
    const all = secretKeysOf(resource).flatMap((secret) => {
      const facts = this.#options.lookup.secret(secret);
      return facts ? [{ secret: secret.name, facts }] : [];
    });
    const copies = all.flatMap(({ secret, facts: { copiedIn: annotations } }) =>
      annotations ? [{ secret, annotations }] : [],
    );
    const [copiedIn] = copies;
    const { reviews } = this.#options;
    const [breakGlass] = reviews
      ? all.flatMap(({ facts }) => (isReviewed(facts) ? (breakGlassTime(facts.annotations) ?? []) : []))
      : [];
    return {
      ...(copiedIn && { copiedIn }),
      ...(reviews && all.some(({ facts }) => !isReviewed(facts)) && { isUnreviewed: true }),
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
        const questions = toQuestions(key, resource, parseSpec(resource.spec), this.#options.clock.now());
        return questions.filter((question) => question.secret.toString() === secret.toString());
      } catch (error) {
        if (error instanceof PaycertError || error instanceof Pending) return [];
        throw error;
      }
    });
  }

  /** @throws what is no fact about the Secret: that nobody waits any more, or not everything is listed yet */
  #explained(resource: PaymentCredential, error: unknown, signal: AbortSignal): PaycertError {
    if (signal.aborted || error instanceof Pending) throw error;
    return this.#explain(resource, error);
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

type StagedQuestion = Question & Required<Pick<Question, 'beside'>>;

/**
 * What a resource asks of its Secrets: of the set that signs everywhere or nearly, which is what its status is about, and of the
 * other one where two are staged. One that is to sign is asked about as of then; one that was replaced may be older.
 */
export function toQuestions(
  key: ResourceKey,
  { namespace, name, status }: PaymentCredential,
  spec: ResourceSpec,
  now: Date,
): readonly [Question, ...StagedQuestion[]] {
  const { current, next } = setsOf(spec.source);
  const credential = toCredential(name, spec);
  const about = (secret: ResourceSecret): Question => ({
    resource: key,
    secret: new ResourceKey('Secret', namespace, secret.name),
    keys: secret.keys,
    credential,
    accepted: status?.accepted,
  });
  const { staged } = spec.source;
  if (staged === undefined || next === undefined) return [about(current)];
  const activation = activationOf(staged.activate);
  const known = status?.staged?.snapshotId;
  const replaced = { beside: 'current', accepted: undefined, credential: { ...credential, older: 'accept' } } as const;
  if (isEverywhere(activation, now))
    return [
      { ...about(next), known },
      { ...about(current), ...replaced },
    ];
  const asOf = beginsAt(activation);
  return [
    { ...about(current), known },
    { ...about(next), beside: 'next', asOf },
  ];
}
