// Partners that hold each other's public key, as everything outside this folder knows them.
import { definePlatform } from '../platform.ts';
import { partnerNotifying } from '../partner/notifying.ts';
import { readPlaintext } from '../shared/plaintext.ts';
import { forwarding } from './forwarding.ts';
import { Options } from './options.ts';
import { pss } from './provider.ts';
import { takes } from './takes.ts';

export const platform = definePlatform({
  id: 'pss',
  name: 'partners, RSA-PSS',
  options: Options,
  create: pss,
  neutral: { appId: 'unknown' },
  takes,
  notifies: () => partnerNotifying(({ body }) => readPlaintext(body)),
  origins: ({ origin }) => (origin === undefined ? [] : [origin]),
  forwards: forwarding,
  fileNames: [
    { pattern: /^private_key\.pem$/, what: 'yours, for RSA-PSS: private_key.pem', holds: 'key' },
    { pattern: /^public_key(?:\.previous)?\.pem$/, what: 'the partner’s, for RSA-PSS: public_key.pem', holds: 'key' },
  ],
});
