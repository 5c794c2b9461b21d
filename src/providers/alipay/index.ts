// Alipay, the v2 gateway and the v3 REST interface, as everything outside this folder knows it.
import { draft } from './draft.ts';
import { certificateBySerial } from './downloaded.ts';
import { describeCertificate, fileNames } from './files.ts';
import { definePlatform } from '../platform.ts';
import { forwarding } from './forwarding.ts';
import { liveCheck } from './live-check.ts';
import { notifying } from './notifying.ts';
import { querying } from './querying.ts';
import { defaults, Options, origins } from './options.ts';
import { alipay } from './provider.ts';
import { alipayRefusals } from './refusal.ts';
import { saidOfAlipayAppId } from '../shared/app-ids.ts';
import { takes } from './takes.ts';

export const platform = definePlatform({
  id: 'alipay',
  name: 'Alipay',
  options: Options,
  create: alipay,
  accountProblems({ appId = '' }) {
    const what = saidOfAlipayAppId(appId);
    return what === undefined ? [] : [{ option: 'appId', what }];
  },
  takes,
  draft,
  origins: ({ gateway = defaults.gateway }) => [origins[gateway]],
  forwards: forwarding,
  certificateBySerial: ({ mode }) => (mode === 'key' ? undefined : certificateBySerial),
  liveCheck,
  notifies: () => notifying,
  queries: querying,
  fileNames,
  supplies: ({ mode }) => ({
    verify:
      mode === 'key'
        ? 'alipay_public_key (Alipay’s, from the console), to verify'
        : 'alipayCertPublicKey_RSA2.crt, to verify',
    decrypt: 'aes_key, to decrypt contents, if the console shows one',
  }),
  describeCertificate,
  refusals: alipayRefusals,
});
