// What Aliyun says when it refuses: its codes, whose first part decides, and what they mean.
import type { PaycertError } from '../../errors.ts';
import { errorOf, type Meaning } from '../cloud/meanings.ts';
import { textOf, within } from '../content.ts';
import type { Reply } from '../server.ts';

const meanings: readonly Meaning[] = [
  {
    codes: /^(?:Throttling|Rejected\.Throttling)/,
    means: 'origin-throttled',
    why: 'Aliyun limits how many requests the account may send',
  },
  {
    codes: /^(?:InvalidAccessKeyId|InvalidSecurityToken|SecurityTokenExpired|InactiveAccessKey|Forbidden\.AccessKey)/,
    means: 'origin-unauthenticated',
    why: 'Aliyun does not accept our access key, or accepts it no more',
  },
  {
    codes:
      /^(?:Signature(?:DoesNotMatch|NotMatch)|IncompleteSignature|(?:Invalid|Illegal)Time[Ss]tamp|RequestTimeTooSkewed)/,
    means: 'origin-unauthenticated',
    why: 'the secret belongs to another access key, or the clock of this machine is wrong',
  },
  {
    codes: /^(?:AuthenticationFail|OIDC|InvalidParameter\.OIDC)/,
    means: 'origin-unauthenticated',
    why: 'Aliyun does not accept the token of the OIDC provider: its audience, its issuer, or its age',
  },
  {
    codes: /^(?:Forbidden\.(?:Key|Alias)\w*NotFound|EntityNotExist\.Key)/,
    means: 'key-missing',
    why: 'Aliyun KMS has no such key or version in that region',
  },
  {
    codes: /^Rejected\.(?:Disabled|Pending|Unavailable|KeyState)/,
    means: 'key-missing',
    why: 'the key is disabled, not ready, or waits for its deletion',
  },
  {
    codes: /^(?:UnsupportedOperation|Rejected\.UnsupportedOperation)/,
    means: 'key-missing',
    why: 'the key is not made for that: it either signs or decrypts',
  },
  {
    codes: /^(?:Forbidden|NoPermission|AccessDenied|EntityNotExist\.Role)/,
    means: 'origin-forbidden',
    why: 'no policy allows it, of our role or user',
  },
];

export const aliyunError = (reply: Reply, what: string): PaycertError =>
  errorOf(meanings, { status: reply.status, code: textOf(within(reply.content)['Code']) ?? '' }, what, 'Aliyun');
