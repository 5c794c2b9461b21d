// Whose an id is, by its form: applications of WeChat, of Alipay, and Alipay's partners, which are easily exchanged.

/** In words, where it cannot be one of WeChat’s. */
export const saidOfWechatAppId = (appId: string): string | undefined => {
  if (/^2088\d{12}$/.test(appId)) return 'is a partner id of Alipay, not an AppID of WeChat (wx…)';
  return /^\d{16}$/.test(appId) ? 'is an AppID of Alipay, not one of WeChat (wx…)' : undefined;
};

/** In words, where it cannot be one of Alipay’s. */
export const saidOfAlipayAppId = (appId: string): string | undefined => {
  if (/^2088\d{12}$/.test(appId)) return 'is a partner id of Alipay (PID), not the AppID of an application (2021…)';
  return /^w[wx][0-9a-f]{16}$/i.test(appId) ? 'is an AppID of WeChat, not one of Alipay (2021…)' : undefined;
};

/** A merchant id of WeChat Pay that is a partner id of Alipay. */
export const merchantProblems = (merchantId: string): readonly { readonly option: string; readonly what: string }[] =>
  /^2088\d{12}$/.test(merchantId)
    ? [{ option: 'merchantId', what: 'is a partner id of Alipay, not a merchant id of WeChat Pay' }]
    : [];
