// WeChat Pay APIv3, as everything outside this folder knows it.
import { describeCertificate, fileNames } from './files.ts';
import { definePlatform } from '../platform.ts';
import { wechatPayHosts } from '../shared/wechatpay-hosts.ts';
import { Options } from './options.ts';
import { wechatpay } from './provider.ts';
import { wechatpayRefusals } from './refusal.ts';
import { takes } from './takes.ts';

export const platform = definePlatform({
  id: 'wechatpay',
  name: 'WeChat Pay APIv3',
  options: Options,
  create: wechatpay,
  takes,
  origins: () => wechatPayHosts,
  fileNames,
  tied: [
    ['apiclient_key.pem', 'merchant_serial'],
    ['pub_key.pem', 'pub_key_id'],
  ],
  describeCertificate,
  refusals: wechatpayRefusals,
});
