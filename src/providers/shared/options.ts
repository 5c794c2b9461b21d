// What the options of several platforms have in common, as schemas.
import Type from 'typebox';

/** A misspelled option must not be ignored. */
export const closed = { additionalProperties: false } as const;

/** At WeChat Pay, APIv3 and v2 alike. */
export const MerchantId = (description: string) =>
  Type.String({ pattern: '^[0-9]{6,16}$', form: '6 to 16 digits, such as "1900000001"', description });

export const defaultMaxNonces = 200_000;

export const MaxNonces = Type.Optional(
  Type.Integer({
    minimum: 1000,
    maximum: 10_000_000,
    default: defaultMaxNonces,
    description:
      'How many nonces of accepted requests are remembered; when all are taken, requests are refused. Each takes about 100 bytes.',
  }),
);

/** No platform says where a partner is. */
export const PartnerOrigin = Type.Optional(
  Type.String({
    pattern: '^https://[a-z0-9-]{1,63}([.][a-z0-9-]{1,63}){0,7}(:[0-9]{1,5})?$',
    form: 'an address with https and without a path, such as https://partner.example',
    maxLength: 270,
    description: 'Where the signing proxy sends requests; it serves no partner without one.',
  }),
);
