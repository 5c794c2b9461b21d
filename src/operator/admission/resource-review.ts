// The review of a PaymentCredential: what no schema can say of it, from what is cached of the other resources and of Secrets.
import { isDeepStrictEqual } from 'node:util';
import { parseSpec } from '../../config/resource.ts';
import { PaycertError } from '../../errors.ts';
import { usedByLabel } from '../labels.ts';
import type { Objects } from '../objects.ts';
import { namedSecrets } from '../resource.ts';
import { ResourceKey } from '../resource-key.ts';
import { allowsUse, isReviewed } from '../secrets.ts';
import { accountOf, identityChange } from './account.ts';
import type { Decision, ReviewRequest } from './review.ts';

export interface ResourceReviewOptions {
  readonly lookup: Pick<Objects, 'find' | 'resourcesOf' | 'secret' | 'secretState'>;
  readonly secretOptIn: boolean;
}

export function reviewResource(request: ReviewRequest, options: ResourceReviewOptions): Decision {
  const { object, oldObject, namespace } = request;
  const isSame = oldObject != null && isDeepStrictEqual(object.spec, oldObject.spec);
  // What is stored already may be labelled and annotated, whatever is wrong with it.
  if (isSame) return { outcome: 'allowed', refusals: [], warnings: [], audit: {} };
  const key = new ResourceKey('PaymentCredential', namespace, object.metadata.name ?? '');
  try {
    const spec = parseSpec(object.spec);
    const secrets = namedSecrets(spec).map(({ name, keys }) => ({
      secret: new ResourceKey('Secret', namespace, name),
      keys,
    }));
    const account = accountOf(spec);
    const refusals = [
      // The definition says the same; one that is older than the operator does not.
      ...identityChange([object.spec, oldObject?.spec], 'spec.provider says', 'spec.provider'),
      ...secrets.flatMap((named) => duplicate({ key, ...named, account }, options)),
    ];
    const warnings = secrets.flatMap(({ secret }) => secretWarnings(secret, key.name, options));
    return { outcome: refusals.length > 0 ? 'refused' : 'allowed', refusals, warnings, audit: {} };
  } catch (error) {
    if (!(error instanceof PaycertError)) throw error;
    return { outcome: 'refused', refusals: [error, ...error.others], warnings: [], audit: {} };
  }
}

interface Wanted {
  readonly key: ResourceKey;
  readonly secret: ResourceKey;
  readonly keys: object | undefined;
  readonly account: string | undefined;
}

/** Two that say the same of the same keys would be counted, watched and paged twice, and each be suspended for itself. */
function duplicate({ key, secret, keys = {}, account }: Wanted, { lookup }: ResourceReviewOptions): PaycertError[] {
  const twin = lookup
    .resourcesOf(secret)
    .filter((other) => other.name !== key.name)
    .find((other) => {
      const { spec } = lookup.find(other) ?? {};
      const isSame = ({ name, keys: named }: { readonly name: string; readonly keys?: object | undefined }) =>
        name === secret.name && isDeepStrictEqual({ ...named }, { ...keys });
      return spec !== undefined && accountOf(spec) === account && namedSecrets(spec).some(isSame);
    });
  if (twin === undefined) return [];
  const message = `PaymentCredential "${twin.name}" names Secret "${secret.name}" for the same account already`;
  return [new PaycertError('resource-duplicate', message, { field: 'spec.source' })];
}

/** Which is written first is the owner’s decision: none of this is against the resource. */
function secretWarnings(secret: ResourceKey, name: string, { lookup, secretOptIn }: ResourceReviewOptions): string[] {
  const state = lookup.secretState(secret);
  if (state === 'unwatched') return [`The operator does not watch Secret ${secret.name}: it cannot check it.`];
  if (state !== 'listed') return [];
  const facts = lookup.secret(secret);
  if (facts === undefined) return [`There is no Secret ${secret.name} in this namespace yet.`];
  if (secretOptIn && !allowsUse(facts, name))
    return [`Secret ${secret.name} does not opt in: its label ${usedByLabel} is not ${name} or any.`];
  if (!isReviewed(facts))
    return [
      `Secret ${secret.name} has no label ${usedByLabel}: what is written to it is not reviewed before it is stored.`,
    ];
  return [];
}
