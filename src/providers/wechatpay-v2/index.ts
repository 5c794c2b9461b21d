// WeChat Pay v2, as everything outside this folder knows it.
import { draft } from './draft.ts';
import { forwarding } from './forwarding.ts';
import { definePlatform } from '../platform.ts';
import { notifying } from './notifying.ts';
import { querying } from './querying.ts';
import { wechatPayHosts } from '../shared/wechatpay-hosts.ts';
import { Options } from './options.ts';
import { wechatpayV2 } from './provider.ts';
import { wechatpayV2Refusals } from './refusal.ts';
import { merchantProblems, saidOfWechatAppId } from '../shared/app-ids.ts';
import { takes } from './takes.ts';

export const platform = definePlatform({
  id: 'wechatpayV2',
  name: 'WeChat Pay v2',
  options: Options,
  create: wechatpayV2,
  accountProblems({ merchantId = '', appId = '' }) {
    const what = saidOfWechatAppId(appId);
    return [...merchantProblems(merchantId), ...(what === undefined ? [] : [{ option: 'appId', what }])];
  },
  takes,
  draft,
  // Risk control has a host of its own (protocols 1.13).
  origins: () => [...wechatPayHosts, 'https://fraud.mch.weixin.qq.com'],
  notifies: () => notifying,
  queries: querying,
  forwards: () => forwarding,
  fileNames: [
    { pattern: /^apiv2_key$/, what: 'APIv2 key (apiv2_key)', holds: 'secret' },
    { pattern: /^apiv2_key\.previous$/, what: 'previous APIv2 key (apiv2_key.previous)', holds: 'secret' },
  ],
  refusals: wechatpayV2Refusals,
});
