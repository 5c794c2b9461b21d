// Where WeChat Pay answers, APIv3 and v2 alike: each pair of hosts backs the other, and overseas has its own.

/** As WeChat Pay's own SDK for Java has them. */
export const wechatPaySpares: Readonly<Record<string, string>> = {
  'https://api.mch.weixin.qq.com': 'https://api2.wechatpay.cn',
  'https://api.wechatpay.cn': 'https://api2.wechatpay.cn',
};

export const wechatPayHosts: readonly string[] = [
  'https://api.mch.weixin.qq.com',
  'https://api2.mch.weixin.qq.com',
  'https://api.wechatpay.cn',
  'https://api2.wechatpay.cn',
  'https://apihk.mch.weixin.qq.com',
];
