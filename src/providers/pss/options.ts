// The options of one partner with key pairs, as the configuration writes them.
import Type, { type Static } from 'typebox';
import { closed, MaxNonces, PartnerOrigin } from '../shared/options.ts';

export const Options = Type.Object(
  {
    appId: Type.String({
      pattern: '^[!-~]{1,128}$',
      form: 'one to 128 printable ASCII characters without a blank',
      description: 'Sent as X-App-Id.',
    }),
    origin: PartnerOrigin,
    maxNonces: MaxNonces,
  },
  closed,
);

export type PssOptions = Static<typeof Options>;
