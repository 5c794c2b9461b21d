// Connections per certificate: those of one that a swap has replaced end when they fall idle, and all of them at a deadline.
import { type Clock, systemClock } from '../clock.ts';
import type { TlsIdentity } from '../providers/shared/tls-identity.ts';
import type { AskResponder } from '../revocation/ask-responder.ts';
import { currentIdentities, type Subscription } from './secure-context.ts';

/** What happens to connections whose certificate was replaced. */
export interface DrainOptions {
  /**
   * How long requests that began with a certificate may take after it was replaced, in milliseconds, at most an hour.
   * Default 30 seconds.
   */
  readonly drainMilliseconds?: number;
  /** Default: the time of this machine. */
  readonly clock?: Clock;
}

/** How connections towards a server end, and how that server's certificate is checked beyond TLS. */
export interface ConnectionOptions extends DrainOptions {
  /** How the OCSP responders of servers are asked, such as through a proxy. Default: over HTTP, from here. */
  readonly askResponder?: AskResponder;
}

/** The connections that show one certificate. */
export interface Connections {
  /** Ends what is idle, and the others as they fall idle; resolves when none is left. */
  drain(): Promise<void>;
  /** Ends all. */
  destroy(): void;
}

export class DrainingPools<T extends Connections> {
  readonly #followed: Subscription;
  readonly #credential: string;
  readonly #connect: (identity: TlsIdentity) => T;
  readonly #drainMilliseconds: number;
  readonly #clock: Clock;
  /** By identity: a swap that leaves a certificate as it is leaves its connections too. */
  readonly #current = new Map<string, T>();
  readonly #draining = new Set<Promise<void>>();
  readonly #over = new AbortController();
  readonly #unfollow: () => void;

  constructor(
    followed: Subscription,
    credential: string,
    connect: (identity: TlsIdentity) => T,
    { drainMilliseconds = 30_000, clock = systemClock }: DrainOptions,
  ) {
    this.#followed = followed;
    this.#credential = credential;
    this.#connect = connect;
    this.#drainMilliseconds = drainMilliseconds;
    this.#clock = clock;
    this.#unfollow = followed.follow(credential, () => this.#retire());
  }

  /**
   * Those of the certificate that is current for that server name.
   * @throws PaycertError as `Subscription.current`; `operation-unsupported`, `server-name-unknown`
   */
  take(serverName: string): T {
    const identity = currentIdentities(this.#followed, this.#credential).choose(serverName);
    const known = this.#current.get(identity.id);
    if (known !== undefined) return known;
    const connections = this.#connect(identity);
    this.#current.set(identity.id, connections);
    return connections;
  }

  /** Lets all that runs end by itself, without a deadline. */
  async close(): Promise<void> {
    this.#unfollow();
    await Promise.all([...this.#draining, ...[...this.#current.values()].map((connections) => connections.drain())]);
    this.destroy();
  }

  destroy(): void {
    this.#unfollow();
    this.#over.abort();
    for (const connections of this.#current.values()) connections.destroy();
    this.#current.clear();
  }

  #retire(): void {
    const ids = new Set(this.#followed.current(this.#credential).context.tls?.all.map(({ id }) => id));
    for (const [id, connections] of this.#current) {
      if (ids.has(id)) continue;
      this.#current.delete(id);
      const ended = this.#end(connections).finally(() => this.#draining.delete(ended));
      this.#draining.add(ended);
    }
  }

  async #end(connections: Connections): Promise<void> {
    const drained = new AbortController();
    const waiting = AbortSignal.any([drained.signal, this.#over.signal]);
    await Promise.race([connections.drain(), this.#clock.sleep(this.#drainMilliseconds, waiting)]);
    drained.abort();
    connections.destroy();
  }
}
