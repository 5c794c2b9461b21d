// Calls that paycert itself makes of a platform, with keys that need not be current: signed, sent, and read as a whole.
import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { PaycertError } from '../errors.ts';
import type { Observe, Outcome } from '../events.ts';
import { randomNonce } from '../nonce.ts';
import type { Operations, RequestToAuthorize } from '../providers/provider.ts';
import { pathAndQuery } from '../providers/shared/http.ts';
import { type Call, outcomeOf } from '../store/call.ts';
import type { Limiter } from '../store/limiter.ts';
import { BufferBudget } from '../system/buffer-budget.ts';
import { childOf, type Trace } from '../trace.ts';
import type { Attempt } from './attempt.ts';
import { tracedRequest } from './attempt-trace.ts';
import { type Connections, openConnections } from './connections.ts';
import { bodyFailure, type Limits, sendOnce } from './exchange.ts';
import { PlatformClocks } from './platform-clocks.ts';
import { assertNoRedirect, singles } from './received.ts';
import { decoded, readWhole } from './response-body.ts';
import { withHostsBefore } from './unreachable.ts';
import type { WayOut } from './way-out.ts';

export interface OwnCallsOptions {
  readonly clock: Clock;
  readonly observe: Observe;
  readonly limiter: Limiter;
  /** A clock that never goes back. */
  readonly milliseconds: () => number;
  /** The proxy on the way out, where there is one. */
  readonly wayOut?: WayOut | undefined;
  /** Begins the trace of one call; undefined where nothing is traced. */
  readonly traceOf?: (() => Trace | undefined) | undefined;
}

/** An origin of the platform, and what is called in place of it: itself, or a platform double. */
export interface Destination {
  readonly origin: string;
  readonly address: string;
}

export interface OwnCall {
  readonly credential: string;
  readonly operation: string;
  readonly request: (origin: string) => RequestToAuthorize;
  readonly authorize: Operations['authorize'];
  /** In this order, while nothing responds. */
  readonly destinations: readonly Destination[];
}

/** One call while it is made. */
interface Making {
  readonly id: string;
  readonly trace: Trace | undefined;
  readonly limits: Limits & { readonly signal: AbortSignal };
  readonly attempts: Attempt[];
}

export interface OwnResponse {
  readonly method: string;
  readonly url: string;
  readonly host: string;
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** From the first attempt to the last byte. */
const deadlineMilliseconds = 10_000;
/** What is called so answers with a few kilobytes. */
const maxBytes = 256 * 1024;

export class OwnCalls {
  readonly #options: OwnCallsOptions;
  readonly #clocks: PlatformClocks;
  readonly #budget = new BufferBudget();
  #connections: Promise<Connections> | undefined;

  constructor(options: OwnCallsOptions) {
    this.#options = options;
    const { clock, milliseconds, observe } = options;
    this.#clocks = new PlatformClocks({ now: () => clock.now(), milliseconds, observe, corrects: false });
  }

  /**
   * Only what may be repeated: another host is tried where one does not respond.
   * @throws PaycertError `package-missing`, of kind `gateway`, and whatever `authorize` throws
   */
  async send(own: OwnCall, signal: AbortSignal): Promise<OwnResponse> {
    const [deadline, over] = [new AbortController(), new AbortController()];
    void this.#options.clock.sleep(deadlineMilliseconds, over.signal).then(() => {
      if (!over.signal.aborted) deadline.abort();
    });
    const limits = { deadline: deadline.signal, signal: AbortSignal.any([deadline.signal, signal]) };
    const trace = this.#options.traceOf?.();
    const [making, started] = [{ id: randomUUID(), trace, limits, attempts: [] }, this.#options.milliseconds()];
    try {
      const response = await this.#tryEach(own, making);
      this.#called(own, making, started, 'ok');
      return response;
    } catch (error) {
      this.#called(own, making, started, outcomeOf(error));
      throw error;
    } finally {
      over.abort();
    }
  }

  #called(
    { credential, operation }: OwnCall,
    { id: call, trace, attempts }: Making,
    started: number,
    outcome: Outcome,
  ): void {
    const { observe, milliseconds } = this.#options;
    const seconds = (milliseconds() - started) / 1000;
    observe({ type: 'own-called', call, credential, operation, outcome, attempts: attempts.length, seconds, ...(trace && { trace }) }); // prettier-ignore
  }

  async #tryEach(own: OwnCall, making: Making): Promise<OwnResponse> {
    const { destinations } = own;
    const before: unknown[] = [];
    for (const destination of destinations.slice(0, -1)) {
      try {
        return await this.#try(own, destination, making);
      } catch (error) {
        const isNext = error instanceof PaycertError && error.kind === 'gateway' && !making.limits.signal.aborted;
        if (!isNext) throw error;
        before.push(error);
      }
    }
    const last = destinations.at(-1);
    if (last === undefined) throw new TypeError('a call without a destination');
    return this.#try(own, last, making).catch((error: unknown) => {
      throw withHostsBefore(before, error);
    });
  }

  async close(): Promise<void> {
    const connections = await this.#connections?.catch(() => undefined);
    await connections?.close();
  }

  async #try(
    { credential, operation, request, authorize }: OwnCall,
    { origin, address }: Destination,
    { id, trace, limits, attempts }: Making,
  ): Promise<OwnResponse> {
    const { clock, limiter, wayOut } = this.#options;
    const connections = await (this.#connections ??= openConnections(wayOut));
    const wanted = request(origin);
    const caller = { listener: 'paycert' };
    const call: Call = { id, caller, credential, operation, startedAt: clock.now(), signal: limits.signal };
    // Each time with another nonce: a platform takes none twice.
    const moment = { now: clock.now(), nonce: randomNonce() };
    const authorized = await authorize(wanted, moment, (work) => limiter.run(call, work));
    const { method, url, headers: sent, body: content = wanted.body ?? new Uint8Array() } = authorized;
    const outgoing = { method, target: pathAndQuery(url), headers: sent, body: content };
    const attempted = { origin: address, authorized, operation, resends: attempts.length };
    const traced = tracedRequest(trace && childOf(trace), attempted);
    const about = { call, origin: address, outgoing, attempts, shown: undefined, traced };
    const incoming = await sendOnce(about, limits, { ...this.#options, connections, clocks: this.#clocks });
    assertNoRedirect(incoming);
    const headers = singles(incoming.headers);
    try {
      const body = await decoded(await readWhole(incoming.body, this.#budget, maxBytes), headers['content-encoding'], maxBytes); // prettier-ignore
      return { method, url, host: new URL(address).host, status: incoming.status, headers, body };
    } catch (error) {
      throw bodyFailure(error, address, limits);
    }
  }
}
