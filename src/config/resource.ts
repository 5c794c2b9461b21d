// PaymentCredential: the part of a credential's configuration that makes sense in a cluster. The CRD is made of it.
import Type, { type Static } from 'typebox';
import type { KubeObject, Resource } from '../kube/resources.ts';
import { throwTogether } from '../errors.ts';
import { validator } from '../validation.ts';
import { evaluate, unexplained } from './evaluate.ts';
import { accountFaults } from './rules.ts';
import { type CredentialConfig, CredentialSchema, type ResourceEntry } from './schema/credential.ts';
import { SourceSchema } from './schema/source.ts';
import type { Sound } from './sound.ts';

export const paymentCredentials: Resource = {
  group: 'paycert.dev',
  version: 'v1alpha1',
  plural: 'paymentcredentials',
};

const closed = { additionalProperties: false } as const;
const { provider, require, older, grace, maxAge } = CredentialSchema.properties;
const { name, keys } = SourceSchema.properties.secret.properties;

export const ResourceSpecSchema = Type.Object(
  {
    provider,
    // No files and no other namespace: a writer of the resource must not read through us what is not theirs.
    source: Type.Object(
      { secret: Type.Object({ name, keys }, { ...closed, description: 'A Secret in the same namespace.' }) },
      { ...closed, description: 'Where the material comes from.' },
    ),
    require,
    older,
    grace,
    maxAge,
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

const validate = validator(Type.Object({ spec: ResourceSpecSchema }), 'resource-invalid');

/** @throws PaycertError `resource-invalid`: the first fault, with all others in `others` */
export function parseSpec(spec: unknown): ResourceSpec {
  const { sound, problems, found } = evaluate([], { spec }, validate);
  const { provider } = (sound as Sound<{ spec: ResourceSpec }> | undefined)?.spec ?? {};
  const rules = [...accountFaults(provider, ['spec', 'provider'])];
  throwTogether([...found, ...unexplained(rules, problems, 'resource-invalid')].map(({ error }) => error));
  return spec as ResourceSpec;
}

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

/** As `paycert.yaml` would say it. */
export const toCredential = (
  name: string,
  { provider, source, require, older, grace, maxAge }: ResourceSpec,
): CredentialConfig => ({
  name,
  provider,
  source: { secret: source.secret },
  ...(require && { require }),
  ...(older && { older }),
  ...(grace !== undefined && { grace }),
  ...(maxAge !== undefined && { maxAge }),
});

/** What callers say to use the credential of an entry that names a resource. */
export const nameOf = ({ name, resource }: ResourceEntry): string => name ?? resource;

/** Such an entry, with what the resource says now: what concerns this process alone is the entry's to say. */
export function credentialOf(entry: ResourceEntry, spec: ResourceSpec): CredentialConfig {
  const { namespace, required, platformCertificates, check } = entry;
  const secret = { ...spec.source.secret, ...(namespace !== undefined && { namespace }) };
  return {
    ...toCredential(nameOf(entry), spec),
    source: { secret },
    ...(required !== undefined && { required }),
    ...(platformCertificates !== undefined && { platformCertificates }),
    ...(check !== undefined && { check }),
  };
}
