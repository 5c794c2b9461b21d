// One call of a platform: authorized with the keys of that moment, sent exactly so, verified with the keys of its return.
import type { Readable } from 'node:stream';
import type { Clock } from '../clock.ts';
import { PaycertError } from '../errors.ts';
import type { Observe } from '../events.ts';
import { randomNonce } from '../nonce.ts';
import {
  type CallOutcome,
  type ForwardedRequest,
  type ForwardedResponse,
  type Forwarding,
  matchesCall,
  outcomeOfStatus,
} from '../providers/forwarding.ts';
import { pathAndQuery } from '../providers/shared/http.ts';
import { assertAwaited, type Call } from '../store/call.ts';
import type { Snapshot } from '../store/snapshot.ts';
import type { Store } from '../store/store.ts';
import { useOf, within } from '../store/use.ts';
import type { Attempt, AttemptOutcome } from './attempt.ts';
import { BufferBudget } from './buffer-budget.ts';
import { type Connections, type Incoming, NoResponse, type Outgoing } from './connections.ts';
import { Hosts, type Pair } from './hosts.ts';
import { decoded, readWhole } from './response-body.ts';
import { assertSendable, passedOn } from './sendable.ts';

export interface GatewayClientOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly observe: Observe;
  readonly connections: Connections;
  /** From the first attempt to the last byte of what is verified. */
  readonly deadlineMilliseconds: number;
  /** A clock that never goes back. */
  readonly milliseconds: () => number;
  readonly spareShare?: number;
  readonly budget?: BufferBudget;
}

/** `origin`: one of the platform's, or a platform double: what the configuration says, and nothing that a caller sends. */
export interface ForwardedCall extends Pair {
  readonly request: ForwardedRequest;
  readonly forwarding: Forwarding;
  /** What `forwarding` says that it is called. */
  readonly apiMethod?: string | undefined;
  /** Grows while the call is made, also when it fails. */
  readonly attempts: Attempt[];
}

export interface GatewayResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: Uint8Array | Readable;
  /** The key that signed the request. */
  readonly keyId: string;
  /** `none`: unsigned by design. `no`: an error that the platform does not sign. */
  readonly verified: 'yes' | 'none' | 'no';
  readonly outcome: CallOutcome;
}

export class GatewayClient {
  readonly #options: GatewayClientOptions;
  readonly budget: BufferBudget;
  readonly #hosts: Hosts;

  constructor(options: GatewayClientOptions) {
    this.#options = options;
    this.#hosts = new Hosts(options);
    this.budget = options.budget ?? new BufferBudget();
  }

  /**
   * @throws PaycertError kind `request` and `not-ready` before anything is sent; of kind `gateway`, `gateway-unreachable` where
   *   nothing can have been sent, and every other one where the platform may have acted
   */
  async send(call: Call, forwarded: ForwardedCall): Promise<GatewayResponse> {
    const { request, forwarding, apiMethod } = forwarded;
    assertSendable(request.target);
    const { clock, deadlineMilliseconds } = this.#options;
    const [deadline, over] = [new AbortController(), new AbortController()];
    void clock.sleep(deadlineMilliseconds, over.signal).then(() => {
      if (!over.signal.aborted) deadline.abort();
    });
    const limits = { deadline: deadline.signal, signal: AbortSignal.any([deadline.signal, call.signal]) };
    const mayRepeat = forwarding.repeatable.some((row) => matchesCall(row.call, { ...request, apiMethod }));
    try {
      return await this.#tryEach(call, { forwarded, mayRepeat }, limits);
    } finally {
      over.abort();
      this.#hosts.learn(forwarded, forwarded.attempts);
    }
  }

  /** Where no byte can have left, any call moves to the next host. What may have left is sent again only if that may be, and once. */
  async #tryEach(
    call: Call,
    { forwarded, mayRepeat }: { readonly forwarded: ForwardedCall; readonly mayRepeat: boolean },
    limits: Limits,
  ): Promise<GatewayResponse> {
    const hosts = this.#hosts.order(forwarded, mayRepeat);
    let [at, isRepeated] = [0, false];
    for (;;) {
      try {
        return await this.#try(call, { ...forwarded, origin: hosts[at] ?? forwarded.origin }, limits);
      } catch (error) {
        if (limits.signal.aborted) throw error;
        if (isUnreachable(error) && at + 1 < hosts.length) at += 1;
        else if (mayRepeat && !isRepeated && isWorthRepeating(error)) isRepeated = true;
        else throw error;
      }
    }
  }

  /** Authorized for this attempt alone: a platform takes no nonce twice, and keys may have been replaced since the last. */
  async #try(call: Call, forwarded: ForwardedCall, limits: Limits): Promise<GatewayResponse> {
    const { store, clock, observe } = this.#options;
    const { request, origin, forwarding, attempts } = forwarded;
    const snapshot = store.current(call.credential);
    const headers = passedOn<string>(request.headers);
    const wanted = forwarding.toAuthorize({ ...request, headers }, keysOf(snapshot), origin);
    const use = useOf(snapshot, within(call), { observe, nonce: randomNonce });
    const authorized = await use.authorize(wanted, { now: clock.now() });
    assertAwaited(call);
    const outgoing: Outgoing = {
      method: authorized.method,
      target: pathAndQuery(authorized.url),
      headers: authorized.headers,
      body: authorized.body ?? request.body,
    };
    const incoming = await this.#attempt({ call, origin, outgoing, attempts }, limits);
    try {
      return { ...(await this.#receive(call, forwarded, incoming)), keyId: authorized.keyId };
    } catch (error) {
      // A body that ends too early, or too late.
      if (error instanceof PaycertError) throw error;
      throw limits.deadline.aborted ? timedOut(origin) : interrupted(origin);
    }
  }

  async #attempt({ call, origin, outgoing, attempts }: SentCall, { signal, deadline }: Limits): Promise<Incoming> {
    const { connections, clock, observe } = this.#options;
    const { host } = new URL(origin);
    const startedAt = clock.now();
    const note = (outcome: AttemptOutcome, status?: number) => {
      const attempt = { host, startedAt, endedAt: clock.now(), outcome, ...(status !== undefined && { status }) };
      attempts.push(attempt);
      observe({ type: 'attempted', call: call.id, credential: call.credential, ...attempt });
    };
    try {
      // A connection that was kept may have been closed at the other end: the second attempt takes none of them.
      const incoming = await connections.send(origin, outgoing, { signal, isFresh: attempts.length > 0 });
      note('responded', incoming.status);
      return incoming;
    } catch (error) {
      if (!(error instanceof NoResponse)) throw error;
      note(!error.mayHaveLeft ? 'not-sent' : deadline.aborted ? 'timed-out' : 'interrupted');
      if (!error.mayHaveLeft)
        throw new PaycertError('gateway-unreachable', `no connection to ${host} (${error.code}): nothing was sent`);
      throw deadline.aborted ? timedOut(origin) : interrupted(origin, error.code);
    }
  }

  async #receive(
    call: Call,
    { request, forwarding, apiMethod }: ForwardedCall,
    incoming: Incoming,
  ): Promise<Omit<GatewayResponse, 'keyId'>> {
    const { status, headers: all, body } = incoming;
    const isSuccess = status >= 200 && status < 300;
    if (status < 200 || (status >= 300 && status < 400)) {
      body.on('error', () => undefined).destroy();
      throw new PaycertError('gateway-redirected', `the platform responded with ${status}, which no payment API does`);
    }
    const single = singles(all);
    const headers = passedOn(all);
    const isSigned = Object.keys(all).some((name) => name.endsWith('-signature'));
    const isUnsigned = !isSigned && forwarding.isUnsigned(request);
    if (isSuccess && isUnsigned) return { status, headers, body, verified: 'none', outcome: 'ok' };
    const bytes = await decoded(await readWhole(body, this.budget), single['content-encoding']);
    const { 'content-encoding': _, ...unpacked } = headers;
    const response = { status, headers: single, body: bytes, apiMethod };
    const outcome = forwarding.outcomeOf?.(response) ?? outcomeOfStatus(status);
    const received = { status, headers: unpacked, body: bytes, outcome };
    if (isUnsigned) return { ...received, verified: 'no' };
    try {
      await this.#verify(call, request, response);
      return { ...received, verified: 'yes' };
    } catch (error) {
      if (!(error instanceof PaycertError)) throw error;
      if (outcome !== 'ok' && error.code === 'response-unsigned') return { ...received, verified: 'no' };
      throw new PaycertError('response-unverified', `the platform’s response does not verify (${error.code})`, {
        cause: error,
      });
    }
  }

  /** With the snapshot that is current now, and at this time: keys may have been replaced since it was sent. */
  async #verify(
    call: Call,
    { method, target }: ForwardedRequest,
    { apiMethod, ...response }: ForwardedResponse,
  ): Promise<void> {
    const { store, clock, observe } = this.#options;
    const arrived = { ...call, startedAt: clock.now() };
    const use = useOf(store.current(call.credential), within(arrived), { observe, nonce: randomNonce });
    const named = apiMethod !== undefined && { apiMethod };
    await use.verify({ kind: 'response', method, url: target, ...response, ...named });
  }
}

interface Limits {
  /** The call's own: what ends it for being late. */
  readonly deadline: AbortSignal;
  /** The deadline, or a caller that has gone. */
  readonly signal: AbortSignal;
}

/** What another attempt may well change: a connection that broke, a response that was damaged, or a platform's own probe. */
const isWorthRepeating = (error: unknown): boolean =>
  error instanceof PaycertError && (error.code === 'gateway-interrupted' || error.code === 'response-unverified');

/** Of this attempt: nothing was sent. */
const isUnreachable = (error: unknown): boolean =>
  error instanceof PaycertError && error.code === 'gateway-unreachable';

type SentCall = Pick<ForwardedCall, 'origin' | 'attempts'> & { readonly call: Call; readonly outgoing: Outgoing };

/** Also those that were replaced a moment ago: fields of the request may be encrypted for one of them. */
const keysOf = ({ context, retired }: Snapshot) =>
  [context, ...retired.map((one) => one.context)].flatMap(({ set }) => set.keys);

const timedOut = (origin: string) =>
  new PaycertError('gateway-timeout', `${new URL(origin).host} did not respond in time`);

const interrupted = (origin: string, code?: string) =>
  new PaycertError('gateway-interrupted', `the connection to ${new URL(origin).host} ended before its response${code === undefined ? '' : ` (${code})`}`); // prettier-ignore

/** A header that is there twice is signed by no platform; its first value counts nowhere. */
const singles = (headers: Incoming['headers']): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]): [string, string][] =>
      typeof value === 'string' ? [[name, value]] : [],
    ),
  );
