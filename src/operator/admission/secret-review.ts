// The review of a Secret: loaded and checked as a sidecar would, for every resource that names it, from what is cached alone.
import type { Clock } from '../../clock.ts';
import { parseSpec, type ResourceSpec } from '../../config/resource.ts';
import { checkValue, nameAmong, type NameSecret, newSecret } from '../../crypto/check-value.ts';
import { detailOf, PaycertError } from '../../errors.ts';
import { findCopies } from '../../kube/copies.ts';
import type { KubeObject } from '../../kube/resources.ts';
import { roleOf } from '../../providers/roles.ts';
import { secretMaterial } from '../../sources/secret.ts';
import { toQuestions } from '../evaluator.ts';
import { idOfKeys } from '../../store/snapshot.ts';
import { usedByLabel } from '../labels.ts';
import type { Objects } from '../objects.ts';
import type { PaymentCredential, Status } from '../resource.ts';
import { ResourceKey } from '../resource-key.ts';
import { allowsUse, inLabels, readSecretFacts } from '../secrets.ts';
import { type Question, timeOf } from '../secret-reader.ts';
import { evaluate } from '../status/evaluate.ts';
import { violationsBeside } from '../status/staged.ts';
import { labelledChange } from './account.ts';
import { readBreakGlass } from './break-glass.ts';
import type { Decision, ReviewedObject, ReviewRequest } from './review.ts';
import { acceptedKeys, warningsOf } from './warnings.ts';

type Lookup = Pick<Objects, 'find' | 'findLabelled' | 'resourcesOf'>;

export interface SecretReviewOptions {
  readonly lookup: Lookup;
  /** As it was computed last; a labelled Secret has it nowhere else. */
  readonly statusOf: (key: ResourceKey) => Status | undefined;
  readonly secretOptIn: boolean;
  readonly clock: Clock;
  /** Between two resources: others are served, and it throws when nobody waits any more. */
  readonly pause: () => Promise<void>;
}

/** What was found for one resource. */
interface Review {
  readonly resource: PaymentCredential;
  readonly refusals: readonly PaycertError[];
  readonly warnings: readonly string[];
  readonly snapshotId?: string;
}

export async function reviewSecret(request: ReviewRequest, options: SecretReviewOptions): Promise<Decision> {
  const { object, oldObject, namespace } = request;
  const now = options.clock.now();
  const key = new ResourceKey('Secret', namespace, object.metadata.name ?? '');
  const { users, warnings: found } = usersOf(key, toObject(object), options);
  const reviews = [];
  for (const resource of users) {
    reviews.push(await reviewFor(resource, toObject(object), options));
    await options.pause();
  }
  const several = reviews.length > 1;
  const warnings = [
    ...found,
    ...copyWarning(object),
    ...reviews.flatMap((review) => review.warnings.map((text) => (several ? `${nameOf(review)}: ${text}` : text))),
  ];
  const moved = oldObject ? moveOf(key, [object, oldObject].map(toObject), options.lookup) : [];
  const refusals = [...moved, ...reviews.flatMap((review) => review.refusals)];
  const snapshots = new Set(reviews.flatMap(({ snapshotId }) => snapshotId ?? []));
  const audit = snapshots.size > 0 ? { snapshots: [...snapshots].join(' ') } : {};
  if (refusals.length === 0) return { outcome: 'allowed', refusals, warnings, audit };
  return overrideOf({ outcome: 'refused', refusals, warnings, audit }, object, now);
}

/** A writer of the annotation writes the Secret too: it is a decision that is seen, and gives no right. */
function overrideOf(refused: Decision, { metadata }: ReviewedObject, now: Date): Decision {
  try {
    const until = readBreakGlass(metadata.annotations, now);
    if (until === undefined) return refused;
    const time = until.toISOString();
    const [{ code, message } = { code: '', message: '' }] = refused.refusals;
    const warning = `Stored in spite of ${code} (${message}), for its break-glass annotation until ${time}.`;
    return {
      ...refused,
      outcome: 'overridden',
      warnings: [warning, ...refused.warnings],
      audit: { ...refused.audit, 'break-glass': time },
    };
  } catch (error) {
    if (!(error instanceof PaycertError)) throw error;
    return { ...refused, refusals: [...refused.refusals, error] };
  }
}

const nameOf = ({ resource: { kind, name } }: Pick<Review, 'resource'>): string => `${kind} ${name}`;

const toObject = ({ metadata, ...rest }: ReviewedObject): KubeObject => ({
  ...rest,
  metadata: { ...metadata, name: metadata.name ?? '' },
});

/** Every resource that would read it; the Secret itself where only its labels describe it. */
function usersOf(
  key: ResourceKey,
  object: KubeObject,
  { lookup, secretOptIn }: SecretReviewOptions,
): { readonly users: readonly PaymentCredential[]; readonly warnings: readonly string[] } {
  const facts = readSecretFacts(object);
  const named = lookup.resourcesOf(key).flatMap((resource) => lookup.find(resource) ?? []);
  const users = named.filter(({ name }) => !secretOptIn || allowsUse(facts, name));
  const warnings = named
    .filter((resource) => !users.includes(resource))
    .map(({ name }) => `PaymentCredential ${name} cannot use it: its label ${usedByLabel} is not ${name} or any.`);
  const wanted = facts.labels?.[usedByLabel];
  if (wanted !== undefined && named.length === 0)
    warnings.push(`No PaymentCredential in this namespace names this Secret, so only its labels say what to check.`);
  else if (wanted !== undefined && wanted !== 'any' && !named.some(({ name }) => name === wanted))
    warnings.push(`PaymentCredential ${wanted} of its label ${usedByLabel} does not name this Secret.`);
  const labelled = named.length > 0 ? undefined : lookup.findLabelled(key, facts);
  return { users: labelled ? [labelled] : users, warnings };
}

async function reviewFor(
  resource: PaymentCredential,
  object: KubeObject,
  options: SecretReviewOptions,
): Promise<Review> {
  const { kind, namespace, name } = resource;
  const key = new ResourceKey(kind, namespace, name);
  const now = options.clock.now();
  const status = options.statusOf(key) ?? resource.status;
  try {
    const spec = parseSpec(resource.spec);
    const questions = toQuestions(key, { ...resource, status }, spec, now).filter(
      ({ secret }) => secret.name === object.metadata.name,
    );
    const reviews = [];
    for (const question of questions) reviews.push(await reviewOne({ question, resource, spec, status }, object, now));
    const refusals = reviews.flatMap((review) => review.refusals);
    const [snapshotId] = reviews.flatMap((review) => review.snapshotId ?? []);
    return {
      resource,
      refusals,
      warnings: refusals.length === 0 ? reviews.flatMap((review) => review.warnings) : [],
      ...(snapshotId !== undefined && { snapshotId }),
    };
  } catch (error) {
    if (!(error instanceof PaycertError)) throw error;
    // A resource that was stored invalid is not repaired by a Secret.
    if (kind === 'PaymentCredential' && error.code === 'resource-invalid')
      return {
        resource,
        refusals: [],
        warnings: [`It is not checked for ${nameOf({ resource })}: ${detailOf(error)}.`],
      };
    if (error.code === 'not-checked-here')
      return { resource, refusals: [], warnings: [`${error.message}: sidecars find out whether it signs.`] };
    const said = inLabels(error, resource);
    return { resource, refusals: [said, ...said.others], warnings: [] };
  }
}

interface Reviewed {
  readonly question: Question;
  readonly resource: PaymentCredential;
  readonly spec: ResourceSpec;
  readonly status: Status | undefined;
}

/** Of a set that was replaced, nothing is odd that is allowed. */
async function reviewOne({ question, ...about }: Reviewed, object: KubeObject, now: Date) {
  const { beside, keys, ...asked } = question;
  const at = timeOf(question, now);
  const material = secretMaterial(object, keys);
  const evaluation = await evaluate({ ...asked, material, nameSecret: nameFor(question, about.status) }, at);
  const { deferredUntil, violations, snapshotId } = evaluation;
  const against = beside ? violationsBeside(beside, evaluation) : violations;
  return {
    refusals: deferredUntil === undefined ? against : [],
    warnings: beside === 'current' ? [] : warningsOf({ ...about, evaluation }, at),
    // An id is a digest of all names.
    snapshotId: evaluation.keys.some(({ fingerprint }) => fingerprint === newSecret) ? undefined : snapshotId,
  };
}

/**
 * A shared secret is compared with those that were accepted last, and nobody waits for the check value of another one.
 * A set that was staged is known by its id alone, and so is what was accepted where not all of its keys are listed.
 */
function nameFor({ known }: Question, status: Status | undefined): NameSecret {
  const { accepted } = status ?? {};
  const keys = acceptedKeys(status);
  const isWhole = accepted === undefined || accepted.snapshotId === idOfKeys(keys.map((key) => ({ ...key, keyId: key.id }))); // prettier-ignore
  if (known !== undefined || !isWhole) return checkValue;
  return nameAmong(keys.flatMap(({ role, fingerprint }) => (roleOf(role)?.owner === 'shared' ? [fingerprint] : [])));
}

function copyWarning({ metadata }: ReviewedObject): string[] {
  const copies = findCopies(metadata.annotations);
  if (copies.length === 0) return [];
  return [
    `It keeps a copy of its keys in the annotation ${copies.join(', ')}: write it with kubectl create, replace, or apply --server-side.`,
  ];
}

/** Who a labelled Secret belongs to at its platform stays as it is, as with a resource. */
const moveOf = (key: ResourceKey, objects: readonly KubeObject[], lookup: Lookup): PaycertError[] =>
  labelledChange(objects.map((one) => lookup.findLabelled(key, readSecretFacts(one))?.spec));
