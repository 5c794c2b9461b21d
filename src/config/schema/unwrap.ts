// How wrapped values are opened, as it is written in the configuration: with which key, bound to what, and what need not be wrapped.
import Type, { type Static } from 'typebox';
import { closed, oneOf } from './shared.ts';

/** One member for each key service that opens values. */
export const WrappingKey = Type.Object(
  {
    hashivault: Type.Optional(
      Type.Object(
        {
          key: Type.String({
            pattern: '^\\w([\\w.-]{0,126}\\w)?$',
            form: 'the name of a key of transit',
            maxLength: 128,
            description: 'The key of transit that opens the values.',
          }),
        },
        { ...closed, description: 'Transit of Vault or OpenBao, as `keyServices.hashivault` says where it is.' },
      ),
    ),
    awskms: Type.Optional(
      Type.Object(
        {
          key: Type.String({
            pattern: '^[A-Za-z0-9:/_-]{1,512}$',
            form: 'the id, the alias or the ARN of a key of AWS KMS',
            description: 'The symmetric key that opens the values: an id, `alias/NAME`, or an ARN.',
          }),
        },
        { ...closed, description: 'AWS KMS, as `keyServices.awskms` says who we are to it.' },
      ),
    ),
    aliyunkms: Type.Optional(
      Type.Object(
        {
          key: Type.String({
            pattern: '^\\w[\\w-]{0,127}$',
            form: 'the id of a key of Aliyun KMS',
            maxLength: 128,
            description: 'The id of the key that opens the values.',
          }),
        },
        { ...closed, description: 'Aliyun KMS, as `keyServices.aliyunkms` says who we are to it.' },
      ),
    ),
    local: Type.Optional(
      Type.Object({}, { ...closed, description: 'The key in the file of `keyServices.local`: for development.' }),
    ),
  },
  { ...oneOf, description: 'Which key opens them: exactly one of the services of `keyServices`.' },
);

export const WrappingContext = Type.Record(
  Type.String({ pattern: '^[\\x21-\\x7e]{1,128}$' }),
  Type.String({ minLength: 1, maxLength: 1024 }),
  {
    ...closed,
    nameForm: 'a name of printable characters without spaces',
    maxProperties: 8,
    description: 'Names and texts that the values were bound to when they were wrapped, such as the credential.',
  },
);

export const AllowPlain = Type.Union(
  [Type.Boolean(), Type.Array(Type.String({ minLength: 1, maxLength: 253 }), { minItems: 1, maxItems: 64 })],
  { description: 'Parts that may be there as they are, such as certificates; `true`: all. Default false.' },
);

export type WrappingKeyConfig = Static<typeof WrappingKey>;
