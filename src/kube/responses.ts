// What the API server's answers mean, as errors that say what was asked and who must act.
import { type ErrorCode, PaycertError } from '../errors.ts';
import { findRefusal } from './refusals.ts';
import { readStatus } from './status.ts';

const codes: Readonly<Record<number, ErrorCode>> = {
  401: 'cluster-unauthenticated',
  403: 'cluster-forbidden',
  404: 'object-missing',
  409: 'object-conflict',
  410: 'watch-expired',
  422: 'object-invalid',
  429: 'cluster-failing',
};

const meanings: Readonly<Partial<Record<ErrorCode, string>>> = {
  'cluster-unauthenticated': 'the API server does not accept our token or certificate',
  'cluster-forbidden': 'the API server forbids it',
  'object-missing': 'there is no such object',
  'definition-missing': 'the API server knows no such kind of object',
  'object-conflict': 'somebody else has written it meanwhile',
  'object-invalid': 'the API server finds it against the schema of the object',
  'watch-expired': 'what happened since then is not kept any more',
  'cluster-failing': 'the API server cannot answer now',
};

/**
 * What a refusal means: by what the API server says of it, else by the status of HTTP. Its own text is shown only where it names whose
 * refusal it is: elsewhere it may quote what it refuses.
 */
export function toError(status: number, what: string, body?: unknown): PaycertError {
  const said = readStatus(body);
  const refusal = said && findRefusal(said);
  if (refusal) return new PaycertError(refusal.code, `${what}: ${refusal.why} (${status})`);
  const code = isUnknownPath(status, body) ? 'definition-missing' : (codes[status] ?? (status >= 500 ? 'cluster-failing' : 'cluster-refused')); // prettier-ignore
  return new PaycertError(code, `${what}: ${meanings[code] ?? 'the API server refuses it'} (${status})`);
}

/** How the API server answers under a group that nothing has defined: no `Status`, but this line. */
const isUnknownPath = (status: number, body: unknown): boolean =>
  status === 404 && typeof body === 'string' && body.trim() === '404 page not found';

export const malformed = (what: string): PaycertError =>
  new PaycertError('response-malformed', `${what}: the response is not what the API promises`);

export const unreachable = (what: string, reason: string): PaycertError =>
  new PaycertError('cluster-unreachable', `${what}: the API server cannot be reached (${reason})`);
