// The options of certificates for TLS, as the configuration writes them.
import Type, { type Static } from 'typebox';
import { closed } from '../shared/options.ts';

export const defaults = { minVersion: 'TLSv1.2', whenUnknown: 'accept', ocsp: 'ask' } as const;

const Revocation = Type.Object(
  {
    urls: Type.Optional(
      Type.Array(
        Type.String({
          pattern: '^https?://[!-~]+$',
          form: 'an address that begins with http:// or https://',
          maxLength: 2000,
        }),
        {
          minItems: 1,
          maxItems: 16,
          description: 'Where revocation lists are downloaded, every hour. Lists in the material (ca.crl) count too.',
        },
      ),
    ),
    whenUnknown: Type.Optional(
      Type.Union([Type.Literal('accept'), Type.Literal('reject')], {
        default: defaults.whenUnknown,
        description: 'What holds where nothing current is known of a certificate.',
      }),
    ),
    ocsp: Type.Optional(
      Type.Union([Type.Literal('ask'), Type.Literal('ignore')], {
        default: defaults.ocsp,
        description: 'Whether the OCSP responder that a certificate names is asked.',
      }),
    ),
  },
  { ...closed, description: 'How revocation is checked. Without it, ca.crl alone counts.' },
);

export const Options = Type.Object(
  {
    revocation: Type.Optional(Revocation),
    serverNames: Type.Optional(
      Type.Record(
        Type.String({ pattern: '^(\\*\\.)?[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$' }),
        // Any label but `ca`, whose files mean something else; without looking ahead, which the API server's RE2 cannot.
        Type.String({
          pattern: '^([abd-z0-9]([a-z0-9-]{0,61}[a-z0-9])?|c([b-z0-9]|[a-z0-9-]{1,61}[a-z0-9])?)$',
          form: 'a name of lower-case letters, digits and - other than ca',
        }),
        {
          maxProperties: 256,
          ...closed,
          nameForm: 'a host name such as api.bank.example, or * for its first label',
          description:
            'Host name (or * for its first label) → name of the pair that is presented there: NAME.crt, NAME.key and perhaps NAME.ca.crt. Every other name has tls.crt.',
        },
      ),
    ),
    minVersion: Type.Optional(
      Type.Union([Type.Literal('TLSv1.2'), Type.Literal('TLSv1.3')], {
        default: defaults.minVersion,
        description: 'The oldest version of TLS that is spoken.',
      }),
    ),
  },
  closed,
);

export type MtlsOptions = Static<typeof Options>;
