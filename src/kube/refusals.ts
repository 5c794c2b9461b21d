// Why the API server refuses what permissions allow, by its own words: each has a remedy of its own.
import type { ErrorCode } from '../errors.ts';
import { type ApiStatus, oneLine } from './status.ts';

interface Refusal {
  readonly code: ErrorCode;
  readonly why: string;
}

type Reader = (status: ApiStatus) => Refusal | undefined;

/** `admission webhook "NAME" denied the request: WHY`, and the policies that need no webhook. */
const deniedByAdmission: Reader = ({ message }) => {
  const [, who, why = ''] =
    /(admission webhook "[^"]{1,253}"|ValidatingAdmissionPolicy '[^']{1,253}')[^:]{0,300}? denied (?:the )?request(?: without explanation)?:?([^]*)/.exec(
      message,
    ) ?? [];
  const said = oneLine(why);
  return who === undefined
    ? undefined
    : { code: 'admission-refused', why: `the ${who} refuses it${said === '' ? '' : `: ${said}`}` };
};

const failedAdmission: Reader = ({ message }) => {
  const [, name, why = ''] = /failed calling webhook "([^"]{1,253})":([^]*)/.exec(message) ?? [];
  return name === undefined
    ? undefined
    : {
        code: 'admission-failing',
        why: `the admission webhook "${name}" does not respond as it should: ${oneLine(why)}`,
      };
};

const isTerminating: Reader = ({ causes }) =>
  causes.some(({ reason }) => reason === 'NamespaceTerminating')
    ? { code: 'namespace-terminating', why: 'its namespace is being deleted' }
    : undefined;

const exceedsQuota: Reader = ({ message }) => {
  const quota = /exceeded quota: [^]*/.exec(message)?.[0];
  return quota === undefined ? undefined : { code: 'quota-exceeded', why: oneLine(quota) };
};

/** Of what is not there: the object, its namespace, or the kind of object. */
const isMissing: Reader = ({ reason, kind, name }) => {
  if (reason !== 'NotFound') return undefined;
  if (name === '') return { code: 'definition-missing', why: 'the API server knows no such kind of object' };
  return kind === 'namespaces' ? { code: 'object-missing', why: `there is no namespace "${name}"` } : undefined;
};

/** Names of fields only: the text quotes what is in them. */
const isInvalid: Reader = ({ reason, causes }) => {
  const fields = [...new Set(causes.map(({ field }) => field))].filter((field) => /^[\w.[\]/-]{1,200}$/.test(field));
  return reason === 'Invalid' && fields.length > 0
    ? {
        code: 'object-invalid',
        why: `the API server finds it against the schema of the object, in ${fields.slice(0, 5).join(', ')}`,
      }
    : undefined;
};

/** Whom the permission would have to be granted to. */
const isForbidden: Reader = ({ reason, message }) => {
  const [, user] = /User "([^"]{1,300})" cannot /.exec(message) ?? [];
  return reason === 'Forbidden' && user !== undefined
    ? { code: 'cluster-forbidden', why: `the API server forbids it to ${oneLine(user)}` }
    : undefined;
};

const readers: readonly Reader[] = [
  deniedByAdmission,
  failedAdmission,
  isTerminating,
  exceedsQuota,
  isMissing,
  isInvalid,
  isForbidden,
];

/** Undefined where the status of HTTP says as much. */
export function findRefusal(status: ApiStatus): Refusal | undefined {
  for (const read of readers) {
    const refusal = read(status);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}
