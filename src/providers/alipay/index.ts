// Alipay, the v2 gateway and the v3 REST interface, as everything outside this folder knows it.
import { describeCertificate, fileNames } from './files.ts';
import { definePlatform } from '../platform.ts';
import { defaults, Options, origins } from './options.ts';
import { alipay } from './provider.ts';
import { alipayRefusals } from './refusal.ts';
import { takes } from './takes.ts';

export const platform = definePlatform({
  id: 'alipay',
  name: 'Alipay',
  options: Options,
  create: alipay,
  takes,
  origins: ({ gateway = defaults.gateway }) => [origins[gateway]],
  fileNames,
  describeCertificate,
  refusals: alipayRefusals,
});
