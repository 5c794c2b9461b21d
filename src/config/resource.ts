// PaymentCredential: the part of a credential's configuration that makes sense in a cluster. The CRD is made of it.
import Type, { type Static } from 'typebox';
import type { KubeObject, Resource } from '../kube/resources.ts';
import { throwTogether } from '../errors.ts';
import { validator } from '../validation.ts';
import { evaluate, unexplained } from './evaluate.ts';
import { accountFaults } from './rules/entries.ts';
import { operatorCertificateFaults } from './rules/own-calls.ts';
import { stagedFaults } from './rules/staged.ts';
import { type CredentialConfig, CredentialSchema, type ResourceEntry } from './schema/credential.ts';
import { OperatorCertificates } from './schema/own-calls.ts';
import { type ActivateConfig, type SetConfig, type SourceConfig, SourceSchema } from './schema/source.ts';
import { closed, oneOf } from './schema/shared.ts';
import type { Sound } from './sound.ts';

export const paymentCredentials: Resource = {
  group: 'paycert.dev',
  version: 'v1alpha1',
  plural: 'paymentcredentials',
};

const { provider, require, older, grace, maxAge } = CredentialSchema.properties;
const { name, keys } = SourceSchema.properties.secret.properties;
const { activate, canary } = SourceSchema.properties.staged.properties;

// No files and no other namespace: a writer of the resource must not read through us what is not theirs.
const Secret = Type.Object({ name, keys }, { ...closed, description: 'A Secret in the same namespace.' });
const OneSet = Type.Object({ secret: Secret }, { ...closed, description: 'Where that set comes from.' });
const Staged = Type.Object(
  { current: OneSet, next: OneSet, activate, canary },
  { ...closed, description: 'Two Secrets of one credential, of which one signs.' },
);

export const ResourceSpecSchema = Type.Object(
  {
    provider,
    source: Type.Object(
      { secret: Type.Optional(Secret), staged: Type.Optional(Staged) },
      { ...oneOf, description: 'Where the material comes from: secret, or staged.' },
    ),
    require,
    older,
    grace,
    maxAge,
    platformCertificates: Type.Optional(OperatorCertificates),
    suspend: Type.Optional(
      Type.Boolean({
        description:
          'Revoke it: sidecars that follow this resource drop the keys and are not ready. Deleting the Secret does not. Default false.',
      }),
    ),
    refreshPods: Type.Optional(
      Type.Boolean({
        description:
          'Touch the Pods labelled `paycert.dev/refresh` with this name when the Secret changes, so that kubelet looks at once. Needs an operator that runs with --refresh-pods. Default false.',
      }),
    ),
  },
  closed,
);

export type ResourceSpec = Static<typeof ResourceSpecSchema>;
export type ResourceSecret = Static<typeof Secret>;

const validate = validator(Type.Object({ spec: ResourceSpecSchema }), 'resource-invalid');

/** @throws PaycertError `resource-invalid`: the first fault, with all others in `others` */
export function parseSpec(spec: unknown): ResourceSpec {
  const { sound, problems, found } = evaluate([], { spec }, validate);
  const { provider, source, platformCertificates } = (sound as Sound<{ spec: ResourceSpec }> | undefined)?.spec ?? {};
  const rules = [
    ...accountFaults(provider, ['spec', 'provider']),
    ...stagedFaults(source, ['spec', 'source']),
    ...operatorCertificateFaults({ provider, platformCertificates, own: namesIn(source) }, ['spec']),
  ];
  throwTogether([...found, ...unexplained(rules, problems, 'resource-invalid')].map(({ error }) => error));
  return spec as ResourceSpec;
}

/** Of the Secrets of a source. */
const namesIn = ({ secret, staged }: Sound<ResourceSpec['source']> = {}): readonly (string | undefined)[] =>
  [secret, staged?.current?.secret, staged?.next?.secret].map((one) => one?.name);

/**
 * Since when a PaymentCredential is suspended: when the writer who owns `spec.suspend` wrote last. Undefined while it is not.
 * Objects that were never written through the API server have no such time: then, when they were made.
 */
export function suspendedSince({ spec, metadata }: KubeObject): Date | undefined {
  if ((spec as { suspend?: unknown } | undefined)?.suspend !== true) return undefined;
  const owners = metadata.managedFields?.filter(
    ({ fieldsV1 }) => (fieldsV1 as { 'f:spec'?: { 'f:suspend'?: unknown } } | undefined)?.['f:spec']?.['f:suspend'],
  );
  const times = owners?.flatMap(({ time }) => time ?? []).sort();
  return new Date(times?.at(-1) ?? metadata.creationTimestamp ?? 0);
}

/** The Secret that signs unless a next one is activated, and that next one where there is one. */
export interface SecretSets {
  readonly current: ResourceSecret;
  readonly next?: ResourceSecret;
}

export function setsOf({ secret, staged }: ResourceSpec['source']): SecretSets {
  if (staged) return { current: staged.current.secret, next: staged.next.secret };
  if (secret === undefined) throw new TypeError('a source without a Secret');
  return { current: secret };
}

/** The same source with something else in the place of each Secret. */
export function withSets(
  source: ResourceSpec['source'],
  change: (secret: ResourceSecret, set: keyof SecretSets) => SetConfig,
): SourceConfig {
  const { current, next } = setsOf(source);
  const { staged } = source;
  if (staged === undefined || next === undefined) return change(current, 'current');
  return { staged: { ...staged, current: change(current, 'current'), next: change(next, 'next') } };
}

/** Whether the next set signs by a share, so that a platform's word ends it. */
export const isOnTrial = ({ percent = 0, steps }: ActivateConfig): boolean =>
  steps !== undefined || (percent > 0 && percent < 100);

/** Equal for equal activations. */
export const activationText = ({ at, percent, of, from, steps }: ActivateConfig): string =>
  JSON.stringify({
    ...{ at, percent, from, steps: steps?.map((step) => [step.percent, step.for]) },
    ...(of === 'requests' && { of }),
  });

/** The spec as it is to be followed: a next set that the operator found to be refused signs nowhere. */
export function withVerdict(spec: ResourceSpec, status: unknown): ResourceSpec {
  const { staged } = spec.source;
  const { canaryRejected } = (status ?? {}) as { readonly canaryRejected?: { readonly activation?: unknown } };
  if (staged === undefined || canaryRejected?.activation !== activationText(staged.activate)) return spec;
  return { ...spec, source: { staged: { ...staged, activate: { percent: 0 } } } };
}

/** As `paycert.yaml` would say it. */
export const toCredential = (
  name: string,
  { provider, source, require, older, grace, maxAge }: ResourceSpec,
): CredentialConfig => ({
  name,
  provider,
  source,
  ...(require && { require }),
  ...(older && { older }),
  ...(grace !== undefined && { grace }),
  ...(maxAge !== undefined && { maxAge }),
});

/** What callers say to use the credential of an entry that names a resource. */
export const nameOf = ({ name, resource }: ResourceEntry): string => name ?? resource;

/** What an operator downloads is read where it writes it. */
const distributed = ({ platformCertificates }: ResourceSpec, namespace: string | undefined) =>
  platformCertificates && {
    secret: platformCertificates.secret,
    ...(namespace !== undefined && { namespace }),
  };

/** Such an entry, with what the resource says now: what concerns this process alone is the entry's to say. */
export function credentialOf(entry: ResourceEntry, spec: ResourceSpec): CredentialConfig {
  const { namespace, required, check } = entry;
  const platformCertificates = entry.platformCertificates ?? distributed(spec, namespace);
  const source = withSets(spec.source, (secret) => ({
    secret: { ...secret, ...(namespace !== undefined && { namespace }) },
  }));
  return {
    ...toCredential(nameOf(entry), spec),
    source,
    ...(required !== undefined && { required }),
    ...(platformCertificates !== undefined && { platformCertificates }),
    ...(check !== undefined && { check }),
  };
}
