// The age of keys in a status: since when each is known, by when to replace it, and the condition TooOld.
import type { ResourceSpec } from '../../config/resource.ts';
import { buildMaxAge } from '../../running/build.ts';
import { PaycertError } from '../../errors.ts';
import { type Age, agesOf, noteSeen } from '../../store/age.ts';
import type { Condition, Key, Status } from '../resource.ts';
import type { SecretEvaluation } from './evaluate.ts';
import type { ListedKeys } from './key-sets.ts';

type Outcome = Pick<Condition, 'status' | 'reason' | 'message'>;

export interface Aged {
  /** With `replaceBy`, where a key has an age. */
  readonly keys: readonly Key[];
  readonly kept: Pick<Status, 'createdAt' | 'firstSeen'>;
  readonly outcome: Outcome;
}

export interface AgingKeys {
  readonly listed: ListedKeys;
  readonly spec: ResourceSpec | undefined;
  readonly secret: SecretEvaluation | undefined;
}

/** A key's age begins once, independent of observers. */
export function evaluateAge({ listed, spec, secret }: AgingKeys, previous: Status | undefined, now: Date): Aged {
  const read = secret && secret.keys.length > 0 ? secret : undefined;
  const found = listed.keys;
  const before = new Map(previous?.firstSeen?.map(({ fingerprint, time }) => [fingerprint, new Date(time)]));
  const named = found.map((key) => {
    const formerFingerprint = read?.formerFingerprints.get(key.fingerprint);
    return { ...key, ...(formerFingerprint !== undefined && { formerFingerprint }) };
  });
  const firstSeen = noteSeen(before, named, now);
  const createdAt = read ? read.createdAt : dateOf(listed.createdAt);
  const kept = {
    ...(createdAt instanceof Date && { createdAt: createdAt.toISOString() }),
    ...(firstSeen.size > 0 && { firstSeen: [...firstSeen].map(toSeen) }),
  };
  // Without a spec there is nothing new to say.
  if (spec === undefined) return { keys: found, kept, outcome: outcomeBefore(previous) ?? unknown };
  const known = { firstSeen, createdAt: createdAt instanceof Date ? createdAt : undefined };
  const plain = found.map(({ replaceBy: _, ...key }): Key => key);
  const ages = agesOf(plain, known, buildMaxAge(spec));
  const keys = plain.map((key): Key => {
    const age = ages.get(key);
    return age ? { ...key, replaceBy: age.replaceBy.toISOString() } : key;
  });
  const outcome = found.length === 0 ? unknown : outcomeOf(ages, known.createdAt, now);
  const remark = createdAt instanceof PaycertError ? ` ${createdAt.message}. ${createdAt.hint}` : '';
  return { keys, kept, outcome: { ...outcome, message: `${outcome.message}${remark}` } };
}

const dateOf = (text: string | undefined): Date | undefined => (text === undefined ? undefined : new Date(text));

const toSeen = ([fingerprint, time]: readonly [string, Date]) => ({ fingerprint, time: time.toISOString() });

const unknown: Outcome = { status: 'Unknown', reason: 'Unknown', message: 'No keys are known yet.' };

function outcomeBefore(previous: Status | undefined): Outcome | undefined {
  const before = previous?.conditions.find(({ type }) => type === 'TooOld');
  return before && { status: before.status, reason: before.reason, message: before.message };
}

function outcomeOf(ages: ReadonlyMap<Key, Age>, createdAt: Date | undefined, now: Date): Outcome {
  const [first] = [...ages].sort(([, a], [, b]) => a.replaceBy.getTime() - b.replaceBy.getTime());
  if (first === undefined)
    return { status: 'False', reason: 'NoMaxAge', message: 'None of its keys is to be replaced for its age.' };
  const [{ role, id }, { since, replaceBy }] = first;
  const began = since.getTime() === createdAt?.getTime() ? 'made, as the Secret says,' : 'first seen';
  const history = `It was ${began} at ${since.toISOString()}.`;
  if (replaceBy <= now)
    return {
      status: 'True',
      reason: 'KeyTooOld',
      message: `Key ${id} (${role}) has been older than maxAge since ${replaceBy.toISOString()}. ${history} It still works. Replace it.`,
    };
  return {
    status: 'False',
    reason: 'KeyYoungEnough',
    message: `First to be replaced is key ${id} (${role}), by ${replaceBy.toISOString()}. ${history}`,
  };
}

/** When it becomes too old. */
export const replacementOf = ({ replaceBy }: Key): Date | undefined => dateOf(replaceBy);
