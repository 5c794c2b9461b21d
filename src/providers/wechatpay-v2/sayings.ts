// What WeChat Pay v2 says when it refuses a request: its published codes and messages, and what they mean (protocols 1.13, 1.16).
import type { Saying } from '../refusal.ts';

/** The most special first. Most refusals have no code, only `return_msg`. */
export const sayings: readonly Saying[] = [
  { words: /沙箱|getsignkey|验签[秘密]钥|sandbox/i, about: 'signature', means: ['sandbox-key', 'apiv2-key'] },
  {
    words: /sign_type|签名类型|签名方式/i,
    about: 'signature',
    means: ['signature-method', 'apiv2-key'],
  },
  { code: /^SIGN_?ERROR$/, about: 'signature', usually: ['apiv2-key', 'parameter', 'signature-method', 'encoding'] },
  {
    words: /签名(?:错误|失败|不正确|校验)|验签|sign(?:ature)?\b.*(?:error|invalid|fail|mismatch)|invalid sign/i,
    about: 'signature',
    usually: ['apiv2-key', 'parameter', 'signature-method', 'encoding', 'application'],
  },
  { code: /^(?:CERT_ERROR|CA_ERROR)$/, about: 'signature', means: ['client-certificate', 'key-replaced'] },
  // Without a code: it comes from the front that speaks TLS. With one, a certificate may be any paper of the business.
  { code: /^$/, words: /证书|certificate/i, about: 'signature', means: ['client-certificate', 'key-replaced'] },
  { code: /^NOT_UTF8$/, about: 'other', means: ['encoding'] },
  { words: /(?:编码|UTF-?8)/i, about: 'other', means: ['encoding'] },
  // The gate before every interface, which looks at the form first and gives no code.
  {
    code: /^$/,
    words:
      /缺少参数|参数错误|XML\s*格式错误|post\s*方法|POST\s*数据为空|require POST|lack of param|(?:订单|交易|退款)[^]*(?:不存在|已关闭|已支付)|频率|too frequent|权限/i,
    about: 'other',
  },
  { code: /^$/, words: /系统(?:错误|繁忙|异常)|system (?:error|busy)/i, about: 'other', means: ['platform-fault'] },
  { code: /^(?:APPID_MCHID_NOT_MATCH|APPID_NOT_EXIST|MCHID_NOT_EXIST)$/, about: 'other', means: ['application'] },
  {
    words: /(?:app_?id|mch_?id|商户号)[^]*(?:不匹配|不存在|not match|invalid)/i,
    about: 'other',
    means: ['application'],
  },
  { code: /^(?:SYSTEMERROR|BANKERROR)$/, about: 'other', means: ['platform-fault'] },
  {
    code: /^(?:NOAUTH|NO_AUTH|NOTENOUGH|ORDERPAID|ORDERCLOSED|ORDERNOTEXIST|ORDERREVERSED|OUT_TRADE_NO_USED|LACK_PARAMS|PARAM_ERROR|XML_FORMAT_ERROR|REQUIRE_POST_METHOD|POST_DATA_EMPTY|INVALID_REQUEST|INVALID_REQ_TOO_MUCH|FREQ_LIMIT|FREQUENCY_LIMITED|REFUNDNOTEXIST|TRADE_OVERDUE|TRADE_ERROR|USER_ACCOUNT_ABNORMAL|USERPAYING|AUTHCODEEXPIRE|AUTH_CODE_ERROR|AUTH_CODE_INVALID|NOTSUPORTCARD|AMOUNT_LIMIT|NAME_MISMATCH|SEND_FAILED|MONEY_LIMIT|INVALID_TRANSACTIONID|BIZERR_NEED_RETRY|RULELIMIT|NOT_FOUND|OPENID_ERROR|FATAL_ERROR|V2_ACCOUNT_SIMPLE_BAN)$/,
    about: 'other',
  },
];
