// What a call passes on its way to a host: the breaker and the bulkhead of its credential there.
import { EventEmitter } from 'node:events';
import { Readable } from 'node:stream';
import { PaycertError } from '../errors.ts';
import type { Observe } from '../events.ts';
import { assertAwaited, type Call, type Ending } from '../store/call.ts';
import {
  Breaker,
  BreakerOpen,
  type BreakerOptions,
  type BreakerState,
  rotationMilliseconds,
} from '../system/breaker.ts';
import { Bulkhead, BulkheadFull, type BulkheadOptions } from './bulkhead.ts';
import type { ReceivedResponse } from './received.ts';
import { callResultOf } from './call-result.ts';

export interface GatesOptions {
  readonly observe: Observe;
  readonly now: () => Date;
  /** Whether there is such a credential still. */
  readonly isKnown: (credential: string) => boolean;
  readonly breaker: BreakerOptions;
  readonly bulkhead: BulkheadOptions;
}

export interface GateState {
  readonly host: string;
  readonly credential: string;
  readonly breaker: BreakerState;
  /** Calls. */
  readonly underWay: number;
  readonly waiting: number;
}

/** Of one attempt: sends it and waits for what it is worth. */
export type Pass = <T extends ReceivedResponse>(send: () => Promise<T>) => Promise<T>;

/** One attempt of a call on its way to a host. */
interface Visit {
  readonly call: Call;
  readonly host: string;
  /** Whether the call's own time is over. */
  readonly deadline: Pick<AbortSignal, 'aborted'>;
  /** The deadline, or a caller that has gone. */
  readonly signal: Ending;
}

interface Gate {
  readonly credential: string;
  readonly host: string;
  readonly breaker: Breaker;
  readonly bulkhead: Bulkhead;
  /** When the breaker lets one call try. */
  retryAt: Date;
}

export class Gates {
  readonly #options: GatesOptions;
  readonly #gates = new Map<string, Gate>();
  readonly #rotation = new EventEmitter().setMaxListeners(0);
  readonly #rotating: NodeJS.Timeout;

  constructor(options: GatesOptions) {
    this.#options = options;
    this.#rotating = setInterval(() => this.#rotation.emit('rotate'), rotationMilliseconds).unref();
  }

  list(): readonly GateState[] {
    return [...this.#gates.values()].map(({ credential, host, breaker, bulkhead: { underWay, waiting } }) => ({
      ...{ credential, host, breaker: breaker.state, underWay, waiting },
    }));
  }

  /**
   * Waits for its turn, and runs `attempt`, which sends through what it is given. Nothing is signed for a call that may not pass.
   * @throws PaycertError `breaker-open`, `overloaded`: nothing was sent; whatever `attempt` rejects with
   */
  async through<T extends ReceivedResponse>(visit: Visit, attempt: (pass: Pass) => Promise<T>): Promise<T> {
    const { call, host } = visit;
    const gate = this.#at(call.credential, host);
    if (gate.breaker.refuses) throw this.#heldBack(gate, 'breaker');
    const leave = gate.bulkhead.enterNow() ?? (await this.#enter(gate, visit));
    let response: T | undefined;
    try {
      response = await attempt((send) => gate.breaker.run(send, (end) => callResultOf(end, call)));
      return response;
    } catch (error) {
      throw error instanceof BreakerOpen ? this.#heldBack(gate, 'breaker') : error;
    } finally {
      const body = response?.body;
      // Its connection is in use until the last byte.
      if (body instanceof Readable && !body.closed) body.once('close', leave);
      else leave();
    }
  }

  close(): void {
    clearInterval(this.#rotating);
    for (const { breaker } of this.#gates.values()) breaker.close();
  }

  async #enter(gate: Gate, { call, deadline, signal }: Visit): Promise<() => void> {
    try {
      return await gate.bulkhead.enter(signal);
    } catch (error) {
      if (error instanceof PaycertError) throw error;
      assertAwaited(call);
      if (error instanceof BulkheadFull || deadline.aborted) throw this.#heldBack(gate, 'bulkhead');
      throw error;
    }
  }

  #heldBack({ credential, host, retryAt, bulkhead }: Gate, reason: 'breaker' | 'bulkhead'): PaycertError {
    this.#options.observe({ type: 'held-back', credential, host, reason });
    if (reason === 'breaker')
      return new PaycertError('breaker-open', `${host} fails, so nothing is sent to it for now`, { retryAt });
    const { underWay, waiting } = bulkhead;
    return new PaycertError('overloaded', `${underWay} calls to ${host} are under way, and ${waiting} wait: nothing was sent`); // prettier-ignore
  }

  #at(credential: string, host: string): Gate {
    const key = `${credential} ${host}`;
    const known = this.#gates.get(key);
    if (known !== undefined) return known;
    this.#forget();
    const { breaker, bulkhead, now } = this.#options;
    const gate: Gate = {
      ...{ credential, host, retryAt: now(), bulkhead: new Bulkhead(bulkhead) },
      breaker: new Breaker({ ...breaker, rotation: this.#rotation, changed: (state) => this.#changed(gate, state) }),
    };
    this.#gates.set(key, gate);
    return gate;
  }

  #changed(gate: Gate, state: BreakerState): void {
    const { credential, host, bulkhead } = gate;
    const { now, observe, breaker } = this.#options;
    if (state === 'open') {
      gate.retryAt = new Date(now().getTime() + breaker.openMilliseconds);
      // Who waits for a host that fails learns it now.
      bulkhead.refuse(() => this.#heldBack(gate, 'breaker'));
    }
    observe({ type: 'breaker-changed', credential, host, state });
  }

  /** Credentials come and go with the configuration. */
  #forget(): void {
    for (const [key, { credential, breaker }] of this.#gates) {
      if (this.#options.isKnown(credential)) continue;
      breaker.close();
      this.#gates.delete(key);
    }
  }
}
