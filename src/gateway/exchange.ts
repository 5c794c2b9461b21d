// One attempt of a call: authorized with the keys of that moment, sent exactly so, and evaluated when its response is there.
import type { Clock } from '../clock.ts';
import { PaycertError } from '../errors.ts';
import type { Observe, TracedRequest } from '../events.ts';
import { randomNonce } from '../nonce.ts';
import type { KeyFacts } from '../providers/provider.ts';
import { pathAndQuery } from '../providers/shared/http.ts';
import { assertAwaited, type Call, type Ending } from '../store/call.ts';
import type { Snapshot } from '../store/snapshot.ts';
import type { Store } from '../store/store.ts';
import { authorizeOnce, type Witness } from '../store/one-use.ts';
import type { BufferBudget } from '../system/buffer-budget.ts';
import type { Attempt, AttemptOutcome } from './attempt.ts';
import { traceAttempt, tracedRequest } from './attempt-trace.ts';
import { shownBy } from './client-certificate.ts';
import { type Connections, NoResponse, type Outgoing, type Shown } from './connections.ts';
import type { Pass } from './gates.ts';
import { hostOf } from './hosts.ts';
import type { Learn } from './proving.ts';
import { type Called, receive, type ReceivedResponse } from './received.ts';
import type { PlatformClocks } from './platform-clocks.ts';
import type { Incoming } from './receiving.ts';
import { passedOn } from './sendable.ts';
import { Unreachable } from './unreachable.ts';

export interface ExchangeOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly observe: Observe;
  readonly connections: Connections;
  readonly budget: BufferBudget;
  /** A clock that never goes back. */
  readonly milliseconds: () => number;
  readonly clocks: PlatformClocks;
  readonly witness?: Witness | undefined;
  readonly learn?: Learn | undefined;
  /** Whether platforms get `traceparent` and `tracestate`. */
  readonly passesTraceOn?: boolean;
}

export interface Limits {
  /** Whether the call's own time is over. */
  readonly deadline: Pick<AbortSignal, 'aborted'>;
  /** The deadline, or a caller that has gone. */
  readonly signal: Ending;
}

/** `origin`: one of the platform's, or a platform double: what the configuration says, and nothing that a caller sends. */
export interface Exchanged extends Called {
  readonly origin: string;
  /** Grows while the call is made, also when it fails. */
  readonly attempts: Attempt[];
  /** Through the breaker of its host. */
  readonly pass: Pass;
}

export interface Exchange extends ReceivedResponse {
  /** The key that signed the request. */
  readonly keyId: string;
  /** Whether another key or another clock would sign it now: a signature that was refused may then be accepted. */
  readonly hasChanged: () => boolean;
}

/** A clock that drifts is the same clock; one that was corrected has jumped. */
const jumpMilliseconds = 1000;

/** What signs with it, in one word. */
function keyIn({ context, snapshotId }: Snapshot): string {
  const signer = context.set.signer?.facts;
  return signer === undefined ? snapshotId : `${signer.keyId} ${signer.fingerprint}`;
}

/** Authorized for this attempt alone: a platform takes no nonce twice, and keys may have been replaced since the last. */
export async function exchangeOnce(
  call: Call,
  exchanged: Exchanged,
  limits: Limits,
  options: ExchangeOptions,
): Promise<Exchange> {
  const { store, clocks, observe, budget, learn, witness, milliseconds, passesTraceOn = false } = options;
  const { request, origin, forwarding, attempts, pass } = exchanged;
  const host = hostOf(origin);
  const snapshot = store.current(call.credential);
  const signing = snapshot.signingFor(call);
  const at = clocks.at(host);
  // By how much the time that is signed differs from a clock that never jumps.
  const ahead = at.getTime() - milliseconds();
  const hasChanged = () => {
    const jump = Math.abs(ahead - (clocks.at(host).getTime() - milliseconds()));
    return jump > jumpMilliseconds || keyIn(signing) !== keyIn(store.current(call.credential).signingFor(call));
  };
  const shown = shownBy(signing, call, { request, forwarding, host });
  const headers = passedOn<string>(request.headers);
  const { method, target, body } = request;
  const wanted = forwarding.toAuthorize({ method, target, headers, body }, keysOf(snapshot), origin);
  const uses = { snapshot, observe, nonce: randomNonce, witness };
  const authorized = await authorizeOnce(uses, call, wanted, { now: at });
  assertAwaited(call);
  const { trace, headers: traceHeaders } = traceAttempt(call, request.headers, passesTraceOn);
  const outgoing: Outgoing = {
    method: authorized.method,
    target: pathAndQuery(authorized.url),
    headers: traceHeaders === undefined ? authorized.headers : { ...authorized.headers, ...traceHeaders },
    body: authorized.body ?? body,
  };
  const { generation } = snapshot;
  const traced = tracedRequest(trace, { origin, authorized, generation, resends: attempts.length });
  const received = await pass(async () => {
    const { keyId } = authorized;
    const incoming = await sendOnce({ call, origin, outgoing, attempts, shown, traced, keyId }, limits, options);
    try {
      const now = () => clocks.at(host);
      return await receive(call, exchanged, incoming, { store, observe, budget, learn, now, end: limits.signal });
    } catch (error) {
      throw bodyFailure(error, origin, limits);
    }
  });
  const isRefused = received.refused === 'signature';
  // An error that nobody signed says nothing of a signature that it does not speak of.
  if (isRefused || received.outcome === 'ok' || received.verified === 'yes') {
    snapshot.judge(authorized.keyId, isRefused);
    observe({ type: 'judged', credential: call.credential, keyId: authorized.keyId, outcome: isRefused ? 'refused' : 'accepted' }); // prettier-ignore
  }
  return { ...received, keyId: authorized.keyId, hasChanged };
}

export type Sent = Pick<Exchanged, 'origin' | 'attempts'> & {
  readonly call: Call;
  readonly outgoing: Outgoing;
  readonly shown: Shown | undefined;
  readonly traced?: TracedRequest | undefined;
  readonly keyId?: string;
};

/** @throws PaycertError `gateway-unreachable`, `gateway-timeout`, `gateway-interrupted` */
export async function sendOnce(
  { call, origin, outgoing, attempts, shown, traced, keyId }: Sent,
  { signal, deadline }: Limits,
  { connections, clock, clocks, observe, milliseconds }: Omit<ExchangeOptions, 'store' | 'budget'>,
): Promise<Incoming> {
  const host = hostOf(origin);
  const [startedAt, sentAt] = [clock.now(), milliseconds()];
  const note = (outcome: AttemptOutcome, status?: number) => {
    const attempt = { host, startedAt, endedAt: clock.now(), outcome, ...(status !== undefined && { status }) };
    attempts.push(keyId === undefined ? attempt : { ...attempt, keyId });
    observe({ type: 'attempted', call: call.id, credential: call.credential, ...attempt, ...(traced && { traced }) });
  };
  try {
    // A connection that was kept may have been closed at the other end: the second attempt takes none of them.
    const incoming = await connections.send(origin, outgoing, { signal, isFresh: attempts.length > 0, shown });
    note('responded', incoming.status);
    clocks.compare(host, sentAt, incoming.headers['date']);
    return incoming;
  } catch (error) {
    if (!(error instanceof NoResponse)) throw error;
    note(!error.mayHaveLeft ? 'not-sent' : deadline.aborted ? 'timed-out' : 'interrupted');
    if (!error.mayHaveLeft) throw new Unreachable([{ host, code: error.code }]);
    throw deadline.aborted ? timedOut(origin) : interrupted(origin, error.code);
  }
}

/** Also those that were replaced a moment ago: fields of the request may be encrypted for one of them. */
function keysOf(snapshot: Snapshot): readonly KeyFacts[] {
  const known = keys.get(snapshot);
  if (known !== undefined) return known;
  const { context, beside, retired } = snapshot;
  const contexts = [context, ...(beside ? [beside] : []), ...retired.map((one) => one.context)];
  const all = contexts.flatMap(({ set }) => set.keys);
  keys.set(snapshot, all);
  return all;
}

/** A snapshot never changes. */
const keys = new WeakMap<Snapshot, readonly KeyFacts[]>();

/** Of a body that ends too early, or too late. */
export const bodyFailure = (error: unknown, origin: string, { deadline }: Pick<Limits, 'deadline'>): PaycertError => {
  if (error instanceof PaycertError) return error;
  return deadline.aborted ? timedOut(origin) : interrupted(origin);
};

const timedOut = (origin: string) => new PaycertError('gateway-timeout', `${hostOf(origin)} did not respond in time`);

const interrupted = (origin: string, code?: string) =>
  new PaycertError('gateway-interrupted', `the connection to ${hostOf(origin)} ended before its response${code === undefined ? '' : ` (${code})`}`); // prettier-ignore
