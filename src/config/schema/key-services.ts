// Where keys stay that the material only refers to, as it is written in the configuration: one service for each form of a reference.
import Type, { type Static } from 'typebox';
import { defaults } from '../defaults.ts';
import { Mount, vaultAccess } from './origins.ts';
import { closed, Interval } from './shared.ts';

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

export const KeyServicesSchema = Type.Object(
  { hashivault: Type.Optional(Transit) },
  { ...closed, description: 'Where keys stay that the material only refers to. Absent: a reference is refused.' },
);

export type KeyServicesConfig = Static<typeof KeyServicesSchema>;
