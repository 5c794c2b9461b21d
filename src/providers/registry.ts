// Every payment platform, by its id: the one list of them. A new platform is a folder and a name here.
import type { Static } from 'typebox';
import { platform as alipay } from './alipay/index.ts';
import { platform as aliyun } from './aliyun/index.ts';
import { platform as hmac } from './hmac/index.ts';
import { platform as mtls } from './mtls/index.ts';
import type { Platform } from './platform.ts';
import { platform as pss } from './pss/index.ts';
import { platform as wechatpay } from './wechatpay/index.ts';
import { platform as wechatpayV2 } from './wechatpay-v2/index.ts';

export const platforms = { wechatpay, wechatpayV2, alipay, aliyun, hmac, pss, mtls };

export type Platforms = typeof platforms;

/** The options of exactly one platform, under its id. */
export type PlatformConfig = { readonly [Id in keyof Platforms]?: Static<Platforms[Id]['options']> };

/** The one that is named, with its options. The schema has made sure that there is exactly one. */
export function platformOf(config: PlatformConfig): {
  readonly platform: Platform;
  readonly options: Readonly<Record<string, unknown>>;
} {
  const [[id, options] = []] = Object.entries(config);
  const platform = Object.entries<Platform>(platforms).find(([known]) => known === id)?.[1];
  if (platform === undefined || options === undefined) throw new TypeError(`no platform is called ${String(id)}`);
  return { platform, options: { ...options } };
}
