// What Alipay says when it refuses a request: its published codes and messages, and what they mean (protocols 2.2, 2.3, 2.6, 2.8).
import type { Saying } from '../refusal.ts';

/** Codes of v2 without their `isv.`, which are those of v3 and of the error page. The most special first. */
export const sayings: readonly Saying[] = [
  // Business: a gateway that got so far has accepted the signature, whatever its words speak of.
  { code: /^(?:aop\.)?(?:(?:ACQ|AQC)\.)?SYSTEM_ERROR$/, about: 'other', means: ['platform-fault'] },
  { code: /^(?:aop\.)?(?:ACQ|AQC|PAYEE|PAYER|EXCEED|BALANCE|USER|CERTIFY)\w*(?:\.|_|$)/, about: 'other' },
  { code: /^(?:invalid-charset|missing-charset)$/, about: 'signature', means: ['charset-in-query', 'encoding'] },
  {
    code: /^(?:invalid-signature|ILLEGAL_SIGN)$/,
    words: /charset|字符集/i,
    about: 'signature',
    means: ['charset-in-query', 'encoding'],
  },
  {
    code: /^(?:invalid-signature|ILLEGAL_SIGN)$/,
    words: /sign_type|签名类型|signature type/i,
    about: 'signature',
    means: ['sign-type', 'key'],
  },
  {
    words: /未配置[^]*(?:公钥|证书)|未上传[^]*公钥|not (?:configured|uploaded)[^]*(?:key|certificate)/i,
    about: 'signature',
    means: ['public-key-not-uploaded', 'environment'],
  },
  {
    words: /证书(?:验证|校验)失败|certificate verif/i,
    about: 'signature',
    means: ['key', 'environment', 'key-replaced'],
  },
  {
    code: /^(?:invalid-signature|ILLEGAL_SIGN)$/,
    about: 'signature',
    usually: ['key', 'encoding', 'parameter', 'environment', 'application'],
  },
  { code: /^(?:invalid|missing)-signature-type$|^ILLEGAL_SIGN_TYPE$/, about: 'signature', means: ['sign-type'] },
  {
    code: /^(?:missing-signature-config|missing-signature-key)$/,
    about: 'signature',
    means: ['public-key-not-uploaded', 'environment'],
  },
  { code: /^missing-signature$/, about: 'signature', means: ['parameter'] },
  { code: /^invalid-timestamp$/, about: 'signature', means: ['clock', 'time-format'] },
  { code: /^missing-timestamp$/, about: 'signature', means: ['header', 'parameter'] },
  { code: /^(?:invalid-app-id|ILLEGAL_PARTNER)$/, about: 'signature', means: ['application', 'environment'] },
  { code: /^missing-app-id$/, about: 'signature', means: ['parameter', 'application'] },
  { code: /^missing-(?:app|alipay-root)-cert-sn$/, about: 'signature', means: ['parameter'] },
  { code: /^app-cert-not-exist$/, about: 'signature', means: ['application', 'environment', 'key'] },
  { code: /^(?:app-cert-expired|unsupported-expired-app-key-sign)$/, about: 'signature', means: ['key-replaced'] },
  { code: /^invalid-alipay-root-cert-sn$/, about: 'signature', means: ['environment'] },
  { code: /^invalid-app-cert-sn$/, about: 'signature', means: ['key-replaced', 'application', 'environment'] },
  { code: /(?:decryption|encrypt)/, about: 'signature', means: ['content-encryption'] },
  { code: /(?:auth-token|token-time-out)/, about: 'other', means: ['authorization-token'] },
  { code: /^(?:unknow-error|aop\.unknow-error|20000)$/, about: 'other', means: ['platform-fault'] },
  { code: /^(?:SYSTEM|INVALID_PARAMETER)\w*(?:\.|_|$)/, about: 'other' },
  {
    code: /^(?:insufficient-\S*permissions|(?:app|isv)-unauthorized|app-not-exist|permission-denied|invalid-method|missing-method|invalid-parameter|missing-parameter|invalid-format|invalid-version|missing-version|system-error|service-currently-unavailable|call-limited|app-call-limited|method-call-limited|not-support-app-auth|suspected-attack|upload-fail|invalid-file-\w+|400(?:01|04|06)|20001)$/,
    about: 'other',
  },
];
