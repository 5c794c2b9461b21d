// Reads each version of a Secret once for all resources that name it, and remembers facts only: also that it was refused.
import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../clock.ts';
import type { CredentialConfig } from '../config/schema/credential.ts';
import type { KubeClient } from '../kube/client.ts';
import { type KubeObject, secrets } from '../kube/resources.ts';
import { readCreatedAt } from '../providers/shared/created-at.ts';
import { secretMaterial } from '../sources/secret.ts';
import { createdAtAnnotation } from './labels.ts';
import type { ResourceKey } from './resource-key.ts';
import type { SecretFacts } from './secrets.ts';
import { type Accepted, evaluate, type SecretEvaluation } from './status/evaluate.ts';
import { writerOf } from './status/history.ts';

/** What a resource wants to know of its Secret. */
export interface Question {
  readonly resource: ResourceKey;
  readonly secret: ResourceKey;
  readonly keys: Readonly<Record<string, string>> | undefined;
  readonly credential: Pick<CredentialConfig, 'provider' | 'older' | 'require'>;
  readonly accepted: Accepted;
  /** Of two staged sets, the one that this is about where it is not the one that the status is about. */
  readonly beside?: 'next' | 'current';
  /** It is to be valid then; now, if that is later. */
  readonly asOf?: Date | undefined;
  /** The snapshot of the set that was beside: `older` does not keep it from being the one that signs. */
  readonly known?: string | undefined;
}

export interface SecretReaderOptions {
  readonly client: () => Promise<Pick<KubeClient, 'get'>>;
  readonly clock: Clock;
  /** Those of all resources that name the Secret. */
  readonly questions: (secret: ResourceKey) => readonly Question[];
}

/** One answer, for all who ask the same. */
interface Reading {
  readonly question: Question;
  readonly answer: PromiseWithResolvers<SecretEvaluation>;
  evaluation?: SecretEvaluation;
  isAwaited: boolean;
}

/** One version of a Secret. */
interface Entry {
  /** As the watch reports it, and as it was read, which may be newer. */
  readonly versions: Set<string>;
  readonly readings: Reading[];
  readonly users: Set<string>;
}

/** What is larger is evaluated one after the other. */
const largeBytes = 64 * 1024;

export class SecretReader {
  readonly #options: SecretReaderOptions;
  readonly #entries = new Map<string, Entry>();
  /** Resource → the Secret that it asks about. */
  readonly #uses = new Map<string, string>();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: SecretReaderOptions) {
    this.#options = options;
  }

  /** @throws PaycertError when it cannot be read, or what it holds is refused as a whole */
  async evaluate(question: Question, facts: SecretFacts, signal: AbortSignal): Promise<SecretEvaluation> {
    const entry = this.#entryOf(question, facts);
    const reading = this.#find(entry, question) ?? this.#read(entry, question, signal);
    reading.isAwaited = true;
    return reading.answer.promise;
  }

  /** The resource is gone, or asks nothing now. */
  forget(resource: ResourceKey): void {
    for (const set of [undefined, 'next', 'current'] as const) this.#forget(userOf({ resource, beside: set }));
  }

  #forget(user: string): void {
    const secret = this.#uses.get(user) ?? '';
    this.#uses.delete(user);
    const users = this.#entries.get(secret)?.users;
    users?.delete(user);
    if (users?.size === 0) this.#entries.delete(secret);
  }

  #entryOf(question: Question, facts: SecretFacts): Entry {
    const [user, id] = [userOf(question), question.secret.toString()];
    if (this.#uses.get(user) !== id) this.#forget(user);
    this.#uses.set(user, id);
    const known = this.#entries.get(id);
    if (known?.versions.has(versionOf(facts)) === true) {
      known.users.add(user);
      return known;
    }
    const users = (known?.users ?? new Set<string>()).add(user);
    const entry = { versions: new Set([versionOf(facts)]), readings: [], users };
    this.#entries.set(id, entry);
    return entry;
  }

  #find({ readings }: Entry, question: Question): Reading | undefined {
    const now = this.#options.clock.now();
    return readings.find((reading) => isSame(reading, question) && isCurrent(reading, now));
  }

  /** Fetches it once for every question that has no response yet. */
  #read(entry: Entry, asked: Question, signal: AbortSignal): Reading {
    const added: Reading[] = [];
    const add = (question: Question): Reading => {
      const reading = { question, answer: Promise.withResolvers<SecretEvaluation>(), isAwaited: false };
      // Nobody may come for it.
      reading.answer.promise.catch(() => undefined);
      added.push(reading);
      return reading;
    };
    const own = add(asked);
    for (const question of this.#options.questions(asked.secret))
      if (!added.some((reading) => isSame(reading, question)) && this.#find(entry, question) === undefined)
        add(question);
    entry.readings.push(...added);
    void this.#answer(entry, added, signal);
    return own;
  }

  async #answer(entry: Entry, added: readonly Reading[], signal: AbortSignal): Promise<void> {
    const [{ question }] = added as [Reading];
    const { namespace, name } = question.secret;
    let object: KubeObject;
    try {
      object = await (await this.#options.client()).get({ resource: secrets, namespace, name }, signal);
    } catch (error) {
      for (const reading of added) {
        entry.readings.splice(entry.readings.indexOf(reading), 1);
        reading.answer.reject(error);
      }
      return;
    }
    const { uid = '', resourceVersion = '' } = object.metadata;
    entry.versions.add(versionOf({ uid, resourceVersion }));
    const isLarge = JSON.stringify(object['data'] ?? '').length > largeBytes;
    for (const reading of added) {
      // Of a version that has been replaced, only what somebody waits for.
      if (!reading.isAwaited && this.#entries.get(question.secret.toString()) !== entry) continue;
      const work = () => this.#evaluate(object, reading.question);
      try {
        reading.evaluation = await (isLarge ? this.#inTurn(work) : work());
        reading.answer.resolve(reading.evaluation);
      } catch (error) {
        // As lasting as the bytes: it is not tried again before they change.
        reading.answer.reject(error);
      }
    }
  }

  async #evaluate(object: KubeObject, question: Question): Promise<SecretEvaluation> {
    const { keys, credential, accepted, known } = question;
    const material = secretMaterial(object, keys);
    const at = timeOf(question, this.#options.clock.now());
    const evaluation = await evaluate({ credential, material, accepted, known }, at);
    return { ...evaluation, createdAt: evaluation.createdAt ?? annotatedAge(object), writer: writerOf(object) };
  }

  /** After a pause in which the event loop serves everybody else. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(async () => {
      await setImmediate();
      return work();
    });
    this.#turn = result.catch(() => undefined);
    return result;
  }
}

/** As of when it is evaluated. */
export const timeOf = ({ asOf }: Pick<Question, 'asOf'>, now: Date): Date => (asOf && now < asOf ? asOf : now);

const userOf = ({
  resource,
  beside,
}: Pick<Question, 'resource'> & { readonly beside?: Question['beside'] | undefined }) =>
  beside === undefined ? resource.toString() : `${resource.toString()} ${beside}`;

const versionOf = ({ uid, resourceVersion }: Pick<SecretFacts, 'uid' | 'resourceVersion'>): string =>
  `${uid} ${resourceVersion}`;

const textOf = ({ keys, credential, asOf }: Question): string =>
  JSON.stringify([keys, credential.provider, credential.older, credential.require, asOf]);
const textOfAccepted = ({ accepted, known }: Question): string =>
  JSON.stringify(accepted && [accepted.snapshotId, accepted.capabilities, accepted.notBefore, accepted.trust, known]);

/** What was accepted before matters where it is replaced: not for the same keys. */
function isSame({ question, evaluation }: Reading, other: Question): boolean {
  if (textOf(question) !== textOf(other)) return false;
  const isAccepted = evaluation?.violations.length === 0 && evaluation.snapshotId === other.accepted?.snapshotId;
  return isAccepted || textOfAccepted(question) === textOfAccepted(other);
}

const isCurrent = ({ evaluation }: Reading, now: Date): boolean =>
  evaluation?.until === undefined || now < evaluation.until;

function annotatedAge({ metadata }: KubeObject): SecretEvaluation['createdAt'] {
  const text = metadata.annotations?.[createdAtAnnotation];
  return text === undefined ? undefined : readCreatedAt(text.trim(), createdAtAnnotation);
}
