// What AWS says when it refuses: the code in its header or its body, and what that means.
import type { PaycertError } from '../../errors.ts';
import { textOf, within } from '../content.ts';
import { errorOf, type Meaning } from '../cloud/meanings.ts';
import type { Reply } from '../server.ts';

const meanings: readonly Meaning[] = [
  {
    codes: /^(?:Throttl|TooManyRequests|RequestLimitExceeded|RequestThrottled)/,
    means: 'origin-throttled',
    why: 'AWS limits how many requests the account may send',
  },
  {
    codes: /^(?:UnrecognizedClient|InvalidClientTokenId|ExpiredToken|RequestExpired|MissingAuthenticationToken)/,
    means: 'origin-unauthenticated',
    why: 'AWS does not accept our access key, or accepts it no more',
  },
  {
    codes: /^(?:InvalidSignature|SignatureDoesNotMatch|IncompleteSignature)/,
    means: 'origin-unauthenticated',
    why: 'the secret belongs to another access key, or the clock of this machine is wrong',
  },
  {
    codes: /^(?:InvalidIdentityToken|IDPRejectedClaim|IDPCommunicationError)/,
    means: 'origin-unauthenticated',
    why: 'AWS does not accept the token of the web identity: its audience, its issuer, or its age',
  },
  { codes: /^AccessDenied/, means: 'origin-forbidden', why: 'no policy allows it, of our role and of the key' },
  { codes: /^NotFound/, means: 'key-missing', why: 'AWS KMS has no such key in that region' },
  {
    codes: /^(?:Disabled|KMSInvalidState)/,
    means: 'key-missing',
    why: 'the key is disabled, not ready, or waits for its deletion',
  },
  { codes: /^InvalidKeyUsage/, means: 'key-missing', why: 'the key is not made for that: it either signs or decrypts' },
  { codes: /^KeyUnavailable/, means: 'key-missing', why: 'the key is not available now' },
];

/** After the last `#` and before a colon: the first is a namespace, the other a page about it. */
function codeOf({ headers, content }: Reply): string {
  const text =
    textOf(headers['x-amzn-errortype']) ??
    textOf(within(content)['__type']) ??
    textOf(within(content, 'Error')['Code']);
  return (text ?? '').split('#').at(-1)?.split(':')[0]?.trim() ?? '';
}

export const awsError = (reply: Reply, what: string): PaycertError =>
  errorOf(meanings, { status: reply.status, code: codeOf(reply) }, what, 'AWS');
