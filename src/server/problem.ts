// An error as an HTTP answer: application/problem+json (RFC 9457). The only place that maps kinds to statuses.
import { type ErrorKind, errorTable, PaycertError } from '../errors.ts';

/** config, source and material errors never reach a caller: they keep the last good snapshot, and show in the status. */
const statusOf: Record<ErrorKind, number> = {
  config: 500,
  source: 500,
  material: 500,
  request: 400,
  refused: 422,
  'not-ready': 503,
  gateway: 502,
  internal: 500,
};

export interface ProblemBody {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly hint: string;
  readonly field?: string;
  /** Everything that is wrong, in order, where it is more than one thing. */
  readonly errors?: readonly { readonly field?: string; readonly detail: string }[];
}

/** Anything that was thrown, as what a caller may see. What we did not foresee tells nothing about itself. */
export function toPaycertError(error: unknown): PaycertError {
  return error instanceof PaycertError
    ? error
    : new PaycertError('internal-error', 'something unforeseen happened', { cause: error });
}

const describeOne = ({ message, field }: PaycertError) => ({ ...(field !== undefined && { field }), detail: message });

export function problemOf(error: PaycertError): ProblemBody {
  const { code, kind, message, hint, field, others } = error;
  const { status = statusOf[kind] } = errorTable[code];
  return {
    type: `https://paycert.dev/errors/${code}`,
    title: code,
    status,
    detail: message,
    hint,
    ...(field !== undefined && { field }),
    ...(others.length > 0 && { errors: [error, ...others].map(describeOne) }),
  };
}
