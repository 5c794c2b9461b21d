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

export const KeyServicesSchema = Type.Object(
  { hashivault: Type.Optional(Transit), local: Type.Optional(Local) },
  {
    ...closed,
    description:
      'Where keys stay that the material only refers to, and that open what is wrapped. Absent: a reference is refused.',
  },
);

export type KeyServicesConfig = Static<typeof KeyServicesSchema>;
