// Refuses, before it is signed, what could not be sent exactly as signed, or what a server may read in two ways.
import { requestInvalid } from '../errors.ts';
import { membersWhere } from '../members.ts';

const maxTargetLength = 8192;

/** What RFC 3986 allows in a path and a query, and `|`, which WeChat Pay allows in order numbers and SDKs send as it is. */
const written =
  /^\/(?:[A-Za-z0-9._~!$&'()*+,;=:@/|-]|%[0-9A-Fa-f]{2})*(?:\?(?:[A-Za-z0-9._~!$&'()*+,;=:@/?|[\]-]|%[0-9A-Fa-f]{2})*)?$/;

/** `.` and `..`, also with their dots encoded: a server may take them away, and so serve another path than was allowed. */
const dotSegment = /\/(?:\.|%2e){1,2}(?:\/|$)/i;

/** A slash or backslash that only some servers take for one. */
const encodedSlash = /%(?:2f|5c|00)/i;

/** @throws PaycertError `request-invalid` */
export function assertSendable(target: string): void {
  if (target.length > maxTargetLength) throw requestInvalid('url', `is longer than ${maxTargetLength} characters`);
  if (!written.test(target)) throw requestInvalid('url', 'holds what no client may send as it is: percent-encode it');
  const [path = ''] = target.split('?', 1);
  if (dotSegment.test(path) || path.includes('//'))
    throw requestInvalid('url', 'has empty or dot segments in its path');
  if (encodedSlash.test(path)) throw requestInvalid('url', 'has an encoded slash, backslash or NUL in its path');
}

/** Of a connection, and not of the message (RFC 9110 §7.6.1); what the client itself writes; and what is ours alone. */
const dropped: ReadonlySet<string> = new Set([
  ...['connection', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'proxy-connection'],
  ...['proxy-authorization', 'proxy-authenticate', 'host', 'content-length', 'expect'],
  // What is signed must not come compressed in a way that only the application asked for.
  'accept-encoding',
  // A third party has no use for our traces, nor for who is behind us.
  ...['traceparent', 'tracestate', 'baggage', 'via', 'cookie', 'set-cookie'],
]);

/** What most messages name: `keep-alive` is dropped anyway. */
const none: readonly string[] = [];

const namedIn = (connection: string): readonly string[] => {
  const names = connection.toLowerCase().split(',');
  return names.map((name) => name.trim());
};

/** The headers of a message that go from one side to the other. `Connection` may name more that do not. */
export function passedOn<T extends string | readonly string[]>(
  headers: Readonly<Record<string, T | undefined>>,
): Record<string, T> {
  const { connection } = headers;
  const more = connection === undefined || connection === 'keep-alive' ? none : namedIn(String(connection));
  const isPassed = (value: T | undefined, name: string): value is T =>
    value !== undefined && !dropped.has(name) && !more.includes(name) && !name.startsWith('paycert-');
  return membersWhere<T | undefined, T>(headers, isPassed);
}
