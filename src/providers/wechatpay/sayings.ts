// What WeChat Pay APIv3 says when it refuses a request: its published codes and messages, and what they mean (protocols 1.2, 1.6, 1.9, 1.16).
import type { Saying } from '../refusal.ts';

/** The most special first. Every 401 has the code SIGN_ERROR; its message tells them apart. */
export const sayings: readonly Saying[] = [
  { words: /timestamp|时间戳/i, code: /^SIGN_ERROR$/, about: 'signature', means: ['clock', 'time-format'] },
  {
    words: /未设置(?:[^]*APIv3\s*|加密的|加密)密钥|APIv3\s*(?:密钥|key)[^]*(?:未设置|not (?:been )?set|never set)/i,
    about: 'signature',
    means: ['apiv3-key-never-set'],
  },
  {
    words: /未申请过证书|never applied|has no (?:merchant )?certificate/i,
    about: 'signature',
    means: ['certificate-never-issued', 'application'],
  },
  {
    words: /平台证书序列号|Wechatpay-Serial/i,
    about: 'signature',
    means: ['platform-serial', 'field-encryption'],
  },
  {
    words: /解密失败|解密错误|加密后的密文|decrypt|ciphertext/i,
    about: 'signature',
    means: ['field-encryption', 'platform-serial'],
  },
  // A rule of a field, which nothing looks at before the signature was accepted. Its words may speak of keys of other kinds.
  { words: /输入源“\/(?:body|query|path)|映射到字段/, about: 'other' },
  {
    code: /^(?:PARAM_ERROR|INVALID_REQUEST)$/,
    words: /app_?id[^]*mch_?id|mch_?id[^]*app_?id/i,
    about: 'other',
    means: ['application'],
  },
  {
    code: /^SIGN_ERROR$/,
    words: /更换证书|新证书|证书已?被?(?:作废|过期|失效|吊销)|certificate.*(?:revoked|expired|replaced|cancel)/i,
    about: 'signature',
    means: ['key-replaced', 'serial-of-another-key'],
  },
  {
    code: /^SIGN_ERROR$/,
    words: /证书序列号|serial/i,
    about: 'signature',
    means: ['serial-of-another-key', 'key-replaced', 'application'],
  },
  { words: /商户(?:API)?证书序列号/, about: 'signature', means: ['serial-of-another-key', 'key-replaced'] },
  {
    code: /^SIGN_ERROR$/,
    words: /认证类型|authentication (?:type|scheme)/i,
    about: 'signature',
    means: ['header'],
  },
  {
    code: /^SIGN_ERROR$/,
    words: /Authorization|格式错误|签名信息错误|Accept|User-Agent/i,
    about: 'signature',
    means: ['header'],
  },
  {
    code: /^(?:PARAM_ERROR|INVALID_REQUEST|SIGN_ERROR)$/,
    words: /mchid[^]*(?:不匹配|不一致|match|differ)|(?:不匹配|不一致)[^]*mchid/i,
    about: 'signature',
    means: ['merchant-in-body', 'application'],
  },
  {
    words: /(?:无可用|没有可用|未找到)[^]*平台证书|no (?:available|usable) platform certificate/i,
    about: 'signature',
    means: ['public-key-only'],
  },
  { code: /^SIGN_ERROR$/, about: 'signature', usually: ['body', 'url', 'key', 'serial-of-another-key', 'clock'] },
  { code: /^(?:APPID_MCHID_NOT_MATCH|MCH_NOT_EXISTS)$/, about: 'other', means: ['application'] },
  { code: /^(?:SYSTEM_ERROR|SYSTEMERROR|BANK_ERROR|SERVICE_UNAVAILABLE)$/, about: 'other', means: ['platform-fault'] },
  {
    code: /^(?:PARAM_ERROR|INVALID_REQUEST|ORDER_CLOSED|OUT_TRADE_NO_USED|RESOURCE_ALREADY_EXISTS|ALREADY_EXISTS|NO_AUTH|TRADE_ERROR|NOT_?ENOUGH|RULE_?LIMIT|ACCOUNT_?ERROR|ORDER_?NOT_?EXIST|RESOURCE_NOT_EXISTS|NOT_FOUND|FREQUENCY_LIMITED|FREQUENCY_LIMIT_EXCEED|RATELIMIT_EXCEEDED?|RATE_LIMITED|USER_?PAYING|ORDER_?PAID|OPENID_MISMATCH|REQUEST_BLOCKED|INVALID_TRANSACTIONID|USER_ACCOUNT_ABNORMAL|CONTRACT_NOT_EXIST|REFUND_FEE_MISMATCH|USER_NOT_EXISTS|AUTH_CODE_EXPIRED|AUTH_CODE_INVALID|FORBIDDEN)$/,
    about: 'other',
  },
];
