// Partners that share a secret, as everything outside this folder knows them.
import { definePlatform } from '../platform.ts';
import { partnerNotifying } from '../partner/notifying.ts';
import { forwarding } from './forwarding.ts';
import { Options } from './options.ts';
import { readParameters } from './parameters.ts';
import { hmac } from './provider.ts';
import { takes } from './takes.ts';

export const platform = definePlatform({
  id: 'hmac',
  name: 'partners, HMAC',
  options: Options,
  create: hmac,
  neutral: { keyId: 'unknown', scheme: 'sorted' },
  takes,
  notifies: () => partnerNotifying(readParameters),
  origins: ({ origin }) => (origin === undefined ? [] : [origin]),
  forwards: forwarding,
  fileNames: [
    { pattern: /^key$/, what: 'secret shared with a partner, for HMAC (key)', holds: 'secret' },
    {
      pattern: /^key\.previous$/,
      what: 'previous secret shared with a partner, for HMAC (key.previous)',
      holds: 'secret',
    },
  ],
});
