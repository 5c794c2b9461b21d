// One call of a platform: to which of its hosts, how often at most, and within which time.
import { PaycertError } from '../errors.ts';
import { matchesCall } from '../providers/forwarding.ts';
import type { Call } from '../store/call.ts';
import { BufferBudget } from './buffer-budget.ts';
import {
  type Exchange,
  type Exchanged,
  exchangeOnce,
  type ExchangeOptions,
  type Limits,
  signedByNow,
} from './exchange.ts';
import { Hosts, type Pair } from './hosts.ts';
import { Repeats } from './repeats.ts';
import { assertSendable } from './sendable.ts';

export interface GatewayClientOptions extends Omit<ExchangeOptions, 'budget'> {
  /** From the first attempt to the last byte of what is verified. */
  readonly deadlineMilliseconds: number;
  /** How often a call is sent, in all. */
  readonly attempts: number;
  /** From 0 to 1, as Math.random. */
  readonly random: () => number;
  readonly spareShare?: number;
  readonly budget?: BufferBudget;
}

export type ForwardedCall = Pair & Exchanged;

export type GatewayResponse = Omit<Exchange, 'signedBy' | 'refused'>;

export class GatewayClient {
  readonly #options: GatewayClientOptions & ExchangeOptions;
  readonly #hosts: Hosts;

  constructor(options: GatewayClientOptions) {
    this.#options = { ...options, budget: options.budget ?? new BufferBudget() };
    this.#hosts = new Hosts(options);
  }

  get budget(): BufferBudget {
    return this.#options.budget;
  }

  /**
   * @throws PaycertError kind `request` and `not-ready` before anything is sent; of kind `gateway`, `gateway-unreachable` where
   *   nothing can have been sent, and every other one where the platform may have acted
   */
  async send(call: Call, forwarded: ForwardedCall): Promise<GatewayResponse> {
    const { request, forwarding, apiMethod } = forwarded;
    assertSendable(request.target);
    const { clock, deadlineMilliseconds, milliseconds, attempts: most, random } = this.#options;
    const [deadline, over] = [new AbortController(), new AbortController()];
    void clock.sleep(deadlineMilliseconds, over.signal).then(() => {
      if (!over.signal.aborted) deadline.abort();
    });
    const limits = { deadline: deadline.signal, signal: AbortSignal.any([deadline.signal, call.signal]) };
    const mayRepeat = forwarding.repeatable.some((row) => matchesCall(row.call, { ...request, apiMethod }));
    const end = milliseconds() + deadlineMilliseconds;
    const repeats = new Repeats(
      {
        ...{ most, mayRepeat, random, now: () => clock.now(), millisecondsLeft: () => end - milliseconds() },
        signedBy: () => signedByNow(call, this.#options),
      },
      forwarded.attempts,
    );
    try {
      return await this.#tryEach(
        call,
        { ...forwarded, hosts: this.#hosts.order(forwarded, mayRepeat) },
        repeats,
        limits,
      );
    } finally {
      over.abort();
      this.#hosts.learn(forwarded, forwarded.attempts);
    }
  }

  /** Where no byte can have left, any call moves to the next host. What may have left is sent again only if that may be. */
  async #tryEach(call: Call, { hosts, ...forwarded }: Ordered, repeats: Repeats, limits: Limits): Promise<Exchange> {
    for (let at = 0; ;) {
      try {
        const response = await exchangeOnce(
          call,
          { ...forwarded, origin: hosts[at] ?? forwarded.origin },
          limits,
          this.#options,
        );
        const pause = repeats.afterResponse(response);
        if (pause === undefined) return response;
        if (pause > 0) await this.#options.clock.sleep(pause, limits.signal);
        // The caller has left, or it is too late: what the platform said last is what is known.
        if (limits.signal.aborted) return response;
      } catch (error) {
        if (limits.signal.aborted) throw error;
        if (isUnreachable(error) && at + 1 < hosts.length) at += 1;
        else if (!repeats.afterFailure(error)) throw error;
      }
    }
  }
}

type Ordered = ForwardedCall & { readonly hosts: readonly string[] };

/** Of this attempt: nothing was sent. */
const isUnreachable = (error: unknown): boolean =>
  error instanceof PaycertError && error.code === 'gateway-unreachable';
