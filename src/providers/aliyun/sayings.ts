// What Aliyun OpenAPI says when it refuses a request: its published codes and messages, and what they mean (protocols 4.1).
import type { Saying } from '../refusal.ts';

/** The most special first. Codes have parts, of which the later ones depend on the product. */
export const sayings: readonly Saying[] = [
  { code: /^InvalidTimeStamp\.Format/, about: 'signature', means: ['time-format'] },
  { code: /^(?:Invalid|Illegal)Time[Ss]tamp/, about: 'signature', means: ['clock', 'time-format'] },
  { code: /^SignatureNonceUsed/, about: 'signature', means: ['another-attempt'] },
  { code: /^(?:InvalidAccessKeyId|Inactive\w*AccessKey)/, about: 'signature', means: ['access-key-id'] },
  { code: /^Forbidden\.AccessKey/, about: 'signature', means: ['access-key-id'] },
  { code: /^InvalidAccessKeySecret/, about: 'signature', means: ['access-key'] },
  { code: /^(?:InvalidSecurityToken|SecurityTokenExpired|MissingSecurityToken)/, about: 'signature', means: ['token'] },
  {
    code: /^Missing(?:AccessKeyId|Signature|Timestamp|SignatureNonce|SignatureMethod|SignatureVersion)/,
    about: 'signature',
    means: ['parameter', 'header'],
  },
  {
    code: /^(?:Invalid|Unsupported)Signature(?:Method|Version|Type)/,
    about: 'signature',
    means: ['signature-method', 'parameter'],
  },
  {
    code: /^IncompleteSignature/,
    about: 'signature',
    usually: ['parameter', 'header', 'encoding', 'access-key', 'clock'],
  },
  {
    code: /^(?:SignatureDoesNotMatch|InvalidSignature)(?:\.|$)/,
    words: /AccessKeySecret|access key secret/i,
    about: 'signature',
    means: ['access-key'],
  },
  {
    code: /^(?:SignatureDoesNotMatch|InvalidSignature)(?:\.|$)/,
    about: 'signature',
    usually: ['access-key', 'encoding', 'order', 'parameter', 'clock'],
  },
  {
    code: /^(?:ServiceUnavailable|InternalError|SystemError|isp\.SYSTEM_ERROR|isp\.GATEWAY_ERROR)/,
    about: 'other',
    means: ['platform-fault'],
  },
  {
    code: /^(?:Throttling|Forbidden|AccessDenied|NoPermission|amp\.|Missing|Invalid|Unsupported|OperationDenied|EntityNotExist|isv\.|isp\.|Quota|InsufficientBalance|Api|NotSupported|IncorrectStatus|Unauthorized)/,
    about: 'other',
  },
];
