// Who calls, as far as it is known: the listener by its name, and what the caller says of itself as its claim.
import { randomUUID } from 'node:crypto';
import type { Call, Gone } from '../store/call.ts';
import type { TraceOf } from '../trace.ts';
import type { RouteCall } from './routes.ts';

/** An id or a name that may stand in a log as it is. */
const printable = /^[0-9A-Za-z._:/() -]{1,64}$/;

function headerOf(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' && printable.test(value) ? value : undefined;
}

/** Node joins it of sixteen pieces, and V8 keeps them apart, in ten times the memory, until somebody reads one character: an id lives as long as its call. */
function newId(): string {
  const id = randomUUID();
  id.charCodeAt(0);
  return id;
}

type Known<Signal extends Gone> = Pick<Call, 'credential' | 'operation' | 'startedAt'> & {
  /** Of the route: its `signal` where somebody listens, else its `gone`. */
  readonly signal: Signal;
  readonly listener: string;
  /** Absent: nothing is traced. */
  readonly traceOf?: TraceOf | undefined;
};

/** `Request-Id` and `User-Agent` are taken where they can be printed; what cannot is as good as absent. */
export function callOf<Signal extends Gone>(
  { request: { headers }, alone }: RouteCall,
  { listener, traceOf, credential, operation, startedAt, signal }: Known<Signal>,
): Call & { readonly signal: Signal } {
  const claim = headerOf(headers['user-agent']);
  return {
    credential,
    operation,
    startedAt,
    id: headerOf(headers['request-id']) ?? newId(),
    caller: { listener, ...(claim !== undefined && { claim }) },
    signal,
    alone,
    ...(traceOf && { trace: traceOf(headers) }),
  };
}
