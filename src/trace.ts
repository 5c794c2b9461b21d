// Where a request stands in a trace, by W3C Trace Context: what a caller sends is read, continued, and written for whom it goes to.
import { randomNonce } from './nonce.ts';

/** What one program hands to the next. */
export interface TraceContext {
  /** 32 hexadecimal digits, as all of one trace have them. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  /** Whether spans of it are recorded. */
  readonly isSampled: boolean;
  /** `tracestate`, as it came. */
  readonly state?: string;
}

/** Of one span. */
export interface Trace extends TraceContext {
  readonly parentId?: string;
}

/** The span of a request that came with these headers; without any, a trace begins. */
export type TraceOf = (headers: Headers) => Trace;

/** Where a collector of traces may be named. Without either, nothing of tracing is loaded. */
export const namesCollector = (environment: Readonly<Record<string, string | undefined>>): boolean =>
  Boolean(environment['OTEL_EXPORTER_OTLP_ENDPOINT'] ?? '') ||
  Boolean(environment['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] ?? '');

/** Whether a trace is recorded that begins here, or continues. */
export type Sampler = (traceId: string, parent: TraceContext | undefined) => boolean;

/** Names in lower case. */
type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

const form = /^([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
/** A list of members, of which at least one has a value. */
const stateForm = /^(?=.*=)[\x20-\x7e]{1,512}$/;

/** Undefined for what is not there, is there twice, or has not the form: then a trace begins (W3C Trace Context §4.3). */
export function readTrace({ traceparent, tracestate: state }: Headers): TraceContext | undefined {
  const [, version, traceId, spanId, flags = '', more] = (typeof traceparent === 'string' && form.exec(traceparent)) || []; // prettier-ignore
  // Later versions may say more, and say this in the same places (§3.2.4).
  if (traceId === undefined || spanId === undefined || version === 'ff') return undefined;
  if (version === '00' && more !== undefined) return undefined;
  const isSampled = (Number.parseInt(flags, 16) & 1) === 1;
  return { traceId, spanId, isSampled, ...(typeof state === 'string' && stateForm.test(state) && { state }) };
}

/** The span of a request that came with these headers. */
export function beginTrace(headers: Headers, samples: Sampler): Trace {
  const parent = readTrace(headers);
  const { traceId = randomNonce(), spanId: parentId, state } = parent ?? {};
  const isSampled = samples(traceId, parent);
  return {
    ...{ traceId, spanId: newSpanId(), isSampled },
    ...(parentId !== undefined && { parentId }),
    ...(state !== undefined && { state }),
  };
}

export const childOf = (parent: TraceContext): Trace => ({
  ...parent,
  spanId: newSpanId(),
  parentId: parent.spanId,
});

/** Another span of the same parent. */
export const siblingOf = (trace: Trace): Trace => ({ ...trace, spanId: newSpanId() });

export const traceHeaders = ({
  traceId,
  spanId,
  isSampled,
  state,
}: TraceContext): Readonly<Record<string, string>> => ({
  traceparent: `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`,
  ...(state !== undefined && { tracestate: state }),
});

/** The second half of a UUID, whose variant keeps it from being all zeros. */
const newSpanId = (): string => randomNonce().slice(16);
