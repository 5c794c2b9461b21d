// One entry of `credentials`: a credential of its own, or the name of a PaymentCredential.
import Type, { type Static } from 'typebox';
import { Check, Gateway, PlatformCertificates } from './own-calls.ts';
import { ProviderSchema } from './provider.ts';
import { Duration, closed, credentialName, namespaceName, objectName } from './shared.ts';
import { SourceSchema } from './source.ts';

/** Five digits: a status can hold the time that it ends at. */
const MaxAge = Type.String({
  pattern: '^0{0,4}[1-9][0-9]{0,4}(ms|s|m|h|d)$',
  form: 'a duration above zero such as 30d or 12h',
  description:
    'Maximum key age. Applies to symmetric and access keys; if there are none, to your private key, only when set. Default 90d. Not zero. Such as 30d or 12h.',
});

export const CredentialSchema = Type.Object(
  {
    name: Type.String({ ...credentialName, description: 'What callers say to use it.' }),
    required: Type.Optional(Type.Boolean({ description: 'Whether the process is ready only with it. Default false.' })),
    require: Type.Optional(
      Type.Array(Type.Union([Type.Literal('sign'), Type.Literal('verify'), Type.Literal('decrypt')]), {
        minItems: 1,
        maxItems: 3,
        description: 'What it must be able to do to be ready. Default [sign].',
      }),
    ),
    provider: ProviderSchema,
    source: SourceSchema,
    older: Type.Optional(
      Type.Union([Type.Literal('accept'), Type.Literal('reject')], {
        description:
          'Whether material older than the current one may replace it, as a rollback that is counted. Default accept.',
      }),
    ),
    grace: Type.Optional(Duration('How long replaced keys still verify and decrypt. Default 7d.')),
    maxAge: Type.Optional(MaxAge),
    platformCertificates: Type.Optional(PlatformCertificates),
    check: Type.Optional(Check),
    gateway: Type.Optional(Gateway),
  },
  closed,
);

export const ResourceEntrySchema = Type.Object(
  {
    resource: Type.String({
      ...objectName,
      description: 'The name of a PaymentCredential: provider, options and Secret come from it, and follow it.',
    }),
    namespace: Type.Optional(
      Type.String({
        ...namespaceName,
        description: 'Where it is. The pod’s own namespace, unless it is given.',
      }),
    ),
    name: Type.Optional(
      Type.String({
        ...credentialName,
        description: 'What callers say to use it. The name of the resource, unless it is given.',
      }),
    ),
    required: Type.Optional(Type.Boolean({ description: 'Whether the process is ready only with it. Default false.' })),
    platformCertificates: Type.Optional(PlatformCertificates),
    check: Type.Optional(Check),
  },
  closed,
);

export const maxCredentials = 5000;

export type ResourceEntry = Static<typeof ResourceEntrySchema>;
/**
 * One entry of `credentials`: the same as in `paycert.yaml`, typed from its schema, so that a misspelled option does not compile.
 * Durations are texts such as `30d`; docs/configuration.md has every member with its default.
 * @example
 * import { type CredentialConfig, startPaycert } from 'paycert';
 *
 * const bank: CredentialConfig = {
 *   name: 'bank',
 *   provider: { mtls: {} },
 *   source: { files: { path: '/etc/paycert/bank' } },
 *   grace: '12h',
 * };
 * await using other = await startPaycert([bank]);
 * console.log(other.current('bank').generation); // → 1
 */
export type CredentialConfig = Static<typeof CredentialSchema>;
