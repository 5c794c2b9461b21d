// Where WeChat Pay answers, APIv3 and v2 alike: each pair of hosts backs the other, and overseas has its own.

export const wechatPayHosts: readonly string[] = [
  'https://api.mch.weixin.qq.com',
  'https://api2.mch.weixin.qq.com',
  'https://api.wechatpay.cn',
  'https://api2.wechatpay.cn',
  'https://apihk.mch.weixin.qq.com',
];
