// WeChat Pay APIv3, as everything outside this folder knows it.
import { certificateList } from './certificate-list.ts';
import { draft } from './draft.ts';
import { describeCertificate, fileNames } from './files.ts';
import { forwarding } from './forwarding.ts';
import { definePlatform } from '../platform.ts';
import { wechatPayHosts } from '../shared/wechatpay-hosts.ts';
import { Options } from './options.ts';
import { liveCheck } from './live-check.ts';
import { wechatpay } from './provider.ts';
import { wechatpayRefusals } from './refusal.ts';
import { notifying } from './notifying.ts';
import { querying } from './querying.ts';
import { merchantProblems } from '../shared/app-ids.ts';
import { takes } from './takes.ts';

export const platform = definePlatform({
  id: 'wechatpay',
  name: 'WeChat Pay APIv3',
  options: Options,
  create: wechatpay,
  accountProblems: ({ merchantId = '' }) => merchantProblems(merchantId),
  takes,
  draft,
  origins: () => wechatPayHosts,
  forwards: forwarding,
  certificateList,
  liveCheck,
  notifies: () => notifying,
  queries: querying,
  fileNames,
  supplies() {
    const platformKey = 'wechatpay_*.pem (GET /v3/certificates), or pub_key.pem with pub_key_id, to verify and encrypt';
    return {
      verify: platformKey,
      encrypt: platformKey,
      decrypt: 'apiv3_key (merchant platform, API security), to decrypt',
    };
  },
  tied: [
    ['apiclient_key.pem', 'merchant_serial'],
    ['pub_key.pem', 'pub_key_id'],
  ],
  describeCertificate,
  refusals: wechatpayRefusals,
});
