// The options of one partner with a shared secret, as the configuration writes them.
import Type, { type Static } from 'typebox';
import { closed, MaxNonces, PartnerOrigin } from '../shared/options.ts';

export const defaults = { slash: 'keep' } as const;

export const Options = Type.Object(
  {
    keyId: Type.String({
      pattern: '^[!-~]{1,128}$',
      form: 'one to 128 printable ASCII characters without a blank',
      description: 'What names the key in requests: the scheme’s `app_id` or `AccessKey`.',
    }),
    scheme: Type.Union(
      [
        Type.Literal('sorted'),
        Type.Literal('sorted-quoted'),
        Type.Literal('sorted-appended'),
        Type.Literal('sorted-header'),
        Type.Literal('request'),
      ],
      { description: 'The text that is signed, and where the signature stands; as agreed on with the partner.' },
    ),
    slash: Type.Optional(
      Type.Union([Type.Literal('keep'), Type.Literal('encode')], {
        default: defaults.slash,
        description: 'Whether / is encoded where values are; to keep it is what Python’s quote does.',
      }),
    ),
    origin: PartnerOrigin,
    maxNonces: MaxNonces,
  },
  closed,
);

export type HmacOptions = Static<typeof Options>;

/** With every default. */
export type Settings = Required<Omit<HmacOptions, 'origin'>>;
