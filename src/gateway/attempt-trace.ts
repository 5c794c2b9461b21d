// An attempt in a trace: its span, and what a platform gets of it where the configuration says so.
import type { TracedRequest } from '../events.ts';
import type { AuthorizedRequest } from '../providers/provider.ts';
import { pathAndQuery } from '../providers/shared/http.ts';
import { shownPath } from '../shown-path.ts';
import type { Call } from '../store/call.ts';
import { childOf, readTrace, type Trace, traceHeaders } from '../trace.ts';

export interface TracedAttempt {
  readonly trace: Trace | undefined;
  /** Beside those that are signed, where there are any. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** `headers`: as the application sent them. Where nothing is traced here, they name its own span. */
export function traceAttempt(
  { trace: parent }: Call,
  headers: Readonly<Record<string, string>>,
  isPassedOn: boolean,
): TracedAttempt {
  const trace = parent && childOf(parent);
  const context = isPassedOn ? (trace ?? readTrace(headers)) : undefined;
  return { trace, ...(context && { headers: traceHeaders(context) }) };
}

interface Attempted {
  readonly origin: string;
  readonly authorized: AuthorizedRequest;
  readonly generation?: number;
  readonly operation?: string;
  readonly resends: number;
}

/** What its span says; undefined where none is recorded. */
export function tracedRequest(trace: Trace | undefined, attempted: Attempted): TracedRequest | undefined {
  if (trace?.isSampled !== true) return undefined;
  const { origin, authorized, generation, operation, resends } = attempted;
  const { method, url, keyId } = authorized;
  return {
    trace,
    method,
    url: `${origin}${shownPath(pathAndQuery(url))}`,
    keyId,
    resends,
    ...(generation !== undefined && { generation }),
    ...(operation !== undefined && { operation }),
  };
}
