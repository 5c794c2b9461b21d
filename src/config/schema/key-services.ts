// Where keys stay that the material only refers to, or is wrapped with, as it is written in the configuration: one service for each form of either.
import Type, { type Static } from 'typebox';
import { defaults } from '../defaults.ts';
import { Mount, vaultAccess } from './origins.ts';
import { closed, filePath, Interval } from './shared.ts';

const Transit = Type.Object(
  {
    ...vaultAccess,
    mount: Mount('Where the transit engine is mounted.', defaults.transitMount),
    deadline: Type.Optional(
      Interval('How long one signature may take, waiting included.', { default: defaults.signingDeadline }),
    ),
  },
  { ...closed, description: 'Transit of Vault or OpenBao, for references such as hashivault://KEY?version=3.' },
);

const Local = Type.Object(
  { keyFile: Type.String({ ...filePath, maxLength: 4096, description: 'A file with 32 bytes in base64.' }) },
  { ...closed, description: 'A key in a file, which opens wrapped values: for development.' },
);

const Token = Type.Object(
  {
    label: Type.String({
      minLength: 1,
      maxLength: 32,
      description: 'The label of the token, as a reference names it.',
    }),
    pinFile: Type.String({
      ...filePath,
      maxLength: 4096,
      description: 'A file with the PIN of its user; read again for each log-in.',
    }),
  },
  closed,
);

const Pkcs11 = Type.Object(
  {
    module: Type.String({
      minLength: 1,
      maxLength: 4096,
      pattern: '^/',
      form: 'a path that begins with /',
      description: 'The library of the token’s maker. It is loaded in a process of its own.',
    }),
    tokens: Type.Array(Token, { minItems: 1, maxItems: 16, description: 'The tokens that references may name.' }),
    environment: Type.Optional(
      Type.Record(Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]{0,127}$' }), Type.String({ maxLength: 4096 }), {
        ...closed,
        nameForm: 'a name of letters, digits and _',
        maxProperties: 64,
        description:
          'What the module finds in its environment, such as SOFTHSM2_CONF: nothing of ours is there. No PIN.',
      }),
    ),
    sessions: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 64,
        default: defaults.tokenSessions,
        description: 'How many signatures a token makes at once; one more session keeps the log-in.',
      }),
    ),
    deadline: Type.Optional(
      Interval('How long one signature may take, waiting included, and one response of the module.', {
        default: defaults.signingDeadline,
      }),
    ),
  },
  { ...closed, description: 'PKCS#11 tokens, for references such as pkcs11:token=pay;object=merchant.' },
);

export const KeyServicesSchema = Type.Object(
  { hashivault: Type.Optional(Transit), pkcs11: Type.Optional(Pkcs11), local: Type.Optional(Local) },
  {
    ...closed,
    description:
      'Where keys stay that the material only refers to, and that open what is wrapped. Absent: a reference is refused.',
  },
);

export type KeyServicesConfig = Static<typeof KeyServicesSchema>;
