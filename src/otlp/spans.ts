// Events → spans: operations, calls of the proxy and our own with each attempt, notifications, by the semantic conventions of HTTP.
import type { Event, TracedRequest } from '../events.ts';
import { attributesOf, nanosecondsOf, type Value } from './encoding.ts';
import type { Trace } from '../trace.ts';

export interface SpanOptions {
  readonly now: () => Date;
  /** Undefined for a credential that has gone. */
  readonly providerOf: (credential: string) => string | undefined;
}

/** As the convention numbers them. */
const kinds = { internal: 1, server: 2, client: 3 } as const;
const failed = 2;

interface Described {
  readonly trace: Trace;
  readonly kind: keyof typeof kinds;
  readonly name: string;
  readonly start: number;
  readonly end: number;
  readonly isError: boolean;
  readonly attributes: Readonly<Record<string, Value>>;
}

const saidElsewhere: ReadonlySet<string> = new Set(['forward', 'notification']);
const failures: ReadonlySet<string> = new Set(['error', 'not-ready', 'gateway-error']);

type Rows = {
  readonly [T in Event['type']]?: (event: Extract<Event, { type: T }>, now: number) => Described | undefined;
};

const rows: Rows = {
  operated({ trace, call, listener, credential, operation, outcome, seconds }, now) {
    const isQuery = listener === 'reconcile';
    // The proxy, and the listener for notifications, say themselves how each of theirs ended.
    if (trace?.isSampled !== true || (saidElsewhere.has(operation) && !isQuery)) return undefined;
    return {
      trace,
      // Within a program, nothing was called over a network.
      kind: isQuery || listener === 'library' ? 'internal' : 'server',
      ...{ name: isQuery ? 'query-order' : operation, start: now - seconds * 1000, end: now },
      isError: failures.has(outcome),
      attributes: {
        ...(outcome !== 'ok' && { 'error.type': outcome }),
        ...{ 'paycert.credential': credential, 'paycert.operation': operation, 'paycert.outcome': outcome },
        ...{ 'paycert.listener': listener, 'paycert.request_id': call },
      },
    };
  },
  'own-called'({ trace, call, credential, operation, outcome, attempts, seconds }, now) {
    if (trace?.isSampled !== true) return undefined;
    return {
      ...{ trace, kind: 'internal', name: operation, start: now - seconds * 1000, end: now },
      isError: outcome !== 'ok',
      attributes: {
        ...(outcome !== 'ok' && { 'error.type': outcome }),
        ...{ 'paycert.credential': credential, 'paycert.operation': operation, 'paycert.outcome': outcome },
        ...{ 'paycert.attempts': attempts, 'paycert.request_id': call },
      },
    };
  },
  notified: (event, now) => servedSpan(event, now, { 'paycert.operation': 'notification' }),
  delivered({ traced, credential, outcome, status, seconds }, now) {
    if (traced === undefined) return undefined;
    const { trace, method } = traced;
    const { path, ...address } = addressOf(traced);
    const isError = outcome !== 'accepted';
    return {
      ...{ trace, kind: 'client', name: `${method} ${path}`, start: now - seconds * 1000, end: now },
      isError,
      attributes: {
        ...{ 'http.request.method': method, 'url.full': traced.url, 'url.template': path, ...address },
        ...(status !== undefined && { 'http.response.status_code': status }),
        ...(isError && { 'error.type': status === undefined ? outcome : String(status) }),
        ...{ 'paycert.credential': credential, 'paycert.operation': 'delivery', 'paycert.outcome': outcome },
      },
    };
  },
  forwarded: (event, now) =>
    servedSpan(event, now, {
      'paycert.operation': 'forward',
      'paycert.verified': event.verified,
      'paycert.attempts': event.attempts,
    }),
  attempted({ traced, credential, startedAt, endedAt, outcome, status }) {
    if (traced === undefined) return undefined;
    const { trace, method, keyId, generation, operation, resends = 0 } = traced;
    const { path, ...address } = addressOf(traced);
    const isError = status === undefined || status >= 400;
    return {
      ...{ trace, kind: 'client', name: `${method} ${path}`, start: startedAt.getTime(), end: endedAt.getTime() },
      isError,
      attributes: {
        ...{ 'http.request.method': method, 'url.full': traced.url, 'url.template': path, ...address },
        ...{ 'network.protocol.version': '1.1', 'http.response.status_code': status },
        ...(resends > 0 && { 'http.request.resend_count': resends }),
        ...(isError && { 'error.type': status === undefined ? outcome : String(status) }),
        ...{ 'paycert.credential': credential, 'paycert.key_id': keyId, 'paycert.generation': generation },
        ...(operation !== undefined && { 'paycert.operation': operation }),
      },
    };
  },
};

type Served = Extract<Event, { type: 'notified' | 'forwarded' }>;

/** A request that came to us over HTTP. */
function servedSpan(
  { traced, call, credential, outcome, status, seconds, error }: Served,
  now: number,
  attributes: Described['attributes'],
): Described | undefined {
  if (traced === undefined) return undefined;
  const { trace, method, url } = traced;
  return {
    ...{ trace, kind: 'server', name: `${method} ${url}`, start: now - seconds * 1000, end: now },
    isError: status >= 500,
    attributes: {
      ...{ 'http.request.method': method, 'url.path': url, 'http.response.status_code': status },
      ...(status >= 400 && { 'error.type': error?.code ?? String(status) }),
      ...{ 'paycert.credential': credential, 'paycert.outcome': outcome, 'paycert.request_id': call },
      ...attributes,
    },
  };
}

const defaultPorts: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

function addressOf({ url }: TracedRequest) {
  const { protocol, hostname, port, origin } = new URL(url);
  const number = port === '' ? defaultPorts[protocol] : Number(port);
  return { path: url.slice(origin.length), 'server.address': hostname, 'server.port': number };
}

/** As OTLP has it; undefined for what is no span, and for one that is not recorded. */
export function spanOf(event: Event, { now, providerOf }: SpanOptions): object | undefined {
  const row = rows[event.type] as ((event: Event, now: number) => Described | undefined) | undefined;
  const described = row?.(event, now().getTime());
  if (described === undefined) return undefined;
  const { trace, kind, name, start, end, isError, attributes } = described;
  const { traceId, spanId, parentId, state } = trace;
  const credential = String(attributes['paycert.credential']);
  return {
    ...{ traceId, spanId },
    ...(parentId !== undefined && { parentSpanId: parentId }),
    ...(state !== undefined && { traceState: state }),
    ...{ name, kind: kinds[kind], startTimeUnixNano: nanosecondsOf(start), endTimeUnixNano: nanosecondsOf(end) },
    attributes: attributesOf({ ...attributes, 'paycert.provider': providerOf(credential) }),
    status: isError ? { code: failed } : {},
  };
}
