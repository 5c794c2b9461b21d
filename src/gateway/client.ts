// One call of a platform: to which of its hosts, how often at most, and within which time.
import { Readable } from 'node:stream';
import { PaycertError } from '../errors.ts';
import { matchesCall, type Repeatable } from '../providers/forwarding.ts';
import type { AbortableCall, Call, Ending } from '../store/call.ts';
import { BufferBudget } from '../system/buffer-budget.ts';
import { type Exchange, type Exchanged, exchangeOnce, type ExchangeOptions, type Limits } from './exchange.ts';
import { CallEnd, signalOf } from '../store/call-end.ts';
import type { BreakerOptions, BreakerState } from '../system/breaker.ts';
import type { BulkheadOptions } from './bulkhead.ts';
import { Deadlines } from '../system/deadlines.ts';
import { Gates } from './gates.ts';
import { hostOf, Hosts, type Pair } from './hosts.ts';
import { type ClockState, PlatformClocks } from './platform-clocks.ts';
import { Repeats } from './repeats.ts';
import { assertSendable } from './sendable.ts';
import { withHostsBefore } from './unreachable.ts';

export interface GatewayClientOptions extends Omit<ExchangeOptions, 'budget' | 'clocks'> {
  /** From the first attempt to the last byte of what is verified. */
  readonly deadlineMilliseconds: number;
  /** How often a call is sent, in all. */
  readonly attempts: number;
  /** From 0 to 1, as Math.random. */
  readonly random: () => number;
  readonly spareShare?: number;
  /** Whether it signs and judges with a platform's time where the clock here is off. */
  readonly correctsClock?: boolean;
  readonly breaker: BreakerOptions;
  readonly bulkhead: BulkheadOptions;
  readonly budget?: BufferBudget;
}

export type ForwardedCall = Pair & Omit<Exchanged, 'pass'>;

export type GatewayResponse = Omit<Exchange, 'hasChanged' | 'refused'>;

export interface HostState {
  readonly host: string;
  /** Whether its calls go to its spare. */
  readonly isOnSpare: boolean;
  readonly clock?: Omit<ClockState, 'host'>;
  /** By credential; of those that have called it. */
  readonly credentials: readonly CredentialAtHost[];
}

export interface CredentialAtHost {
  readonly credential: string;
  readonly breaker: BreakerState;
  readonly underWay: number;
  readonly waiting: number;
}

export class GatewayClient {
  readonly #options: GatewayClientOptions & ExchangeOptions;
  readonly #hosts: Hosts;
  readonly #gates: Gates;
  readonly #deadlines: Deadlines;

  constructor(options: GatewayClientOptions) {
    const { clock, milliseconds, observe, correctsClock: corrects = false } = options;
    const clocks = new PlatformClocks({ now: () => clock.now(), milliseconds, observe, corrects });
    this.#options = { ...options, clocks, budget: options.budget ?? new BufferBudget() };
    this.#hosts = new Hosts(options);
    this.#deadlines = new Deadlines(options);
    const { store, breaker, bulkhead } = options;
    this.#gates = new Gates({ observe, now: () => clock.now(), isKnown: (name) => store.has(name), breaker, bulkhead }); // prettier-ignore
  }

  /** What is known of the hosts that were called. */
  hosts(): readonly HostState[] {
    const clocks = new Map(this.#options.clocks.list().map(({ host, ...clock }) => [host, clock]));
    const away = new Set(this.#hosts.away());
    const gates = Map.groupBy(this.#gates.list(), ({ host }) => host);
    return [...new Set([...clocks.keys(), ...away, ...gates.keys()])].map((host) => {
      const clock = clocks.get(host);
      const credentials = (gates.get(host) ?? []).map(({ host: _, ...credential }) => credential);
      return { host, isOnSpare: away.has(host), ...(clock && { clock }), credentials };
    });
  }

  close(): void {
    this.#gates.close();
  }

  get budget(): BufferBudget {
    return this.#options.budget;
  }

  /**
   * @throws PaycertError kind `request` and `not-ready` before anything is sent; of kind `gateway`, `gateway-unreachable` where
   *   nothing can have been sent, and every other one where the platform may have acted
   */
  async send(call: AbortableCall, forwarded: ForwardedCall): Promise<GatewayResponse> {
    const { request, forwarding, apiMethod } = forwarded;
    assertSendable(request.target);
    const { clock, deadlineMilliseconds, milliseconds, attempts: most, random } = this.#options;
    const [end, deadline] = [new CallEnd(), { aborted: false }];
    const over = this.#deadlines.begin(() => {
      deadline.aborted = true;
      end.abort(late);
    });
    const forget = onAbort(call.signal, (reason) => end.abort(reason));
    const limits = { deadline, signal: end };
    const { method, target } = request;
    const mayRepeat = matchesCall(callsOf(forwarding.repeatable), { method, target, apiMethod });
    const until = milliseconds() + deadlineMilliseconds;
    const repeats = new Repeats(
      {
        ...{ most, mayRepeat, random, now: () => clock.now(), millisecondsLeft: () => until - milliseconds() },
      },
      forwarded.attempts,
    );
    let response: GatewayResponse | undefined;
    try {
      const hosts = this.#hosts.order(forwarded, mayRepeat);
      response = await this.#tryEach(call, { forwarded, hosts, repeats }, limits);
      return response;
    } finally {
      over();
      // A caller that leaves ends what is passed on while it arrives, too.
      if (response?.body instanceof Readable && !response.body.closed) response.body.once('close', forget);
      else forget();
      this.#hosts.learn(forwarded, forwarded.attempts);
    }
  }

  /** Where no byte can have left, any call moves to the next host. What may have left is sent again only if that may be. */
  async #tryEach(call: Call, { forwarded, hosts, repeats }: Ordered, limits: Limits): Promise<Exchange> {
    const before: unknown[] = [];
    for (let at = 0; ;) {
      const origin = hosts[at] ?? forwarded.origin;
      try {
        const response = await this.#tryOne(call, origin, { forwarded, limits });
        const pause = repeats.afterResponse(response);
        if (pause === undefined) return response;
        if (pause > 0) await this.#options.clock.sleep(pause, signalOf(limits.signal));
        // The caller has left, or it is too late: what the platform said last is what is known.
        if (limits.signal.aborted) return response;
      } catch (error) {
        if (limits.signal.aborted) throw error;
        if (at + 1 < hosts.length && this.#mayMove(error, origin)) {
          before.push(error);
          at += 1;
        } else if (!repeats.afterFailure(error)) throw withHostsBefore(before, error);
      }
    }
  }

  #tryOne(
    call: Call,
    origin: string,
    { forwarded, limits }: Pick<Ordered, 'forwarded'> & { readonly limits: Limits },
  ): Promise<Exchange> {
    const { request, forwarding, apiMethod, attempts } = forwarded;
    const { deadline, signal } = limits;
    return this.#gates.through({ call, host: hostOf(origin), deadline, signal }, (pass) =>
      exchangeOnce(call, { request, forwarding, apiMethod, attempts, origin, pass }, limits, this.#options),
    );
  }

  /** Nothing was sent in this attempt. A breaker that is open says no more than a 500, unless nobody can connect to that host. */
  #mayMove(error: unknown, origin: string): boolean {
    if (!(error instanceof PaycertError)) return false;
    return error.code === 'gateway-unreachable' || (error.code === 'breaker-open' && this.#hosts.isAway(origin));
  }
}

/** By a listener of its own: AbortSignal.any keeps weak references, which cost each collection of garbage. Call what it returns to forget it. */
function onAbort(signal: Ending, abort: (reason: unknown) => void): () => void {
  const listener = { handleEvent: () => abort(signal.reason) };
  if (signal.aborted) listener.handleEvent();
  else signal.addEventListener('abort', listener);
  return () => signal.removeEventListener('abort', listener);
}

/** One for all: Node would make an error with its stack for each. */
const late = new DOMException('the time of the call is over', 'AbortError');

interface Ordered {
  readonly forwarded: ForwardedCall;
  readonly hosts: readonly string[];
  readonly repeats: Repeats;
}

/** By the rows of one platform, which never change. */
const calls = new WeakMap<readonly Repeatable[], readonly string[]>();

function callsOf(rows: readonly Repeatable[]): readonly string[] {
  const known = calls.get(rows) ?? rows.map(({ call }) => call);
  calls.set(rows, known);
  return known;
}
