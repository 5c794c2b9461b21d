// Questions to Consul's key-value store, with our token, and what its statuses mean.
import { type ErrorCode, PaycertError } from '../../errors.ts';
import type { Reply, Server } from '../server.ts';
import { readToken } from '../settings.ts';
import type { Places } from './places.ts';

export interface ConsulOptions {
  readonly server: Server;
  /** Those of its agent, which clients with other tokens share. */
  readonly places: Places;
  /** Read again for each question. */
  readonly tokenFile?: string | undefined;
  readonly datacenter?: string | undefined;
}

export class Consul {
  readonly #options: ConsulOptions;

  constructor(options: ConsulOptions) {
    this.#options = options;
  }

  /** Counts somebody who will ask for changes until it is disposed of. */
  follow(): Disposable {
    return this.#options.places.follow();
  }

  /**
   * Everything under a prefix, as the leader has it.
   * @throws PaycertError of kind source, also where there is no leader: what is said then may be old
   */
  read(prefix: string, signal: AbortSignal): Promise<Reply> {
    return this.#list(prefix, undefined, signal);
  }

  /** The same once something has changed since that index, or after a while. @throws as `read` */
  async changed(prefix: string, index: number, signal: AbortSignal): Promise<Reply> {
    const { places } = this.#options;
    using _ = await places.enter(signal);
    return await this.#list(prefix, { index, waitMilliseconds: places.waitMilliseconds }, signal);
  }

  async #list(prefix: string, blocking: Blocking | undefined, signal: AbortSignal): Promise<Reply> {
    const { server, datacenter } = this.#options;
    const what = `read ${prefix}`;
    const query = new URLSearchParams({
      recurse: 'true',
      ...(datacenter !== undefined && { dc: datacenter }),
      // One that waits is asked of the leader anyway, and reads again what it heard of.
      ...(blocking
        ? { index: String(blocking.index), wait: `${String(blocking.waitMilliseconds)}ms` }
        : { consistent: 'true' }),
    });
    const path = `/v1/kv/${prefix.split('/').map(encodeURIComponent).join('/')}?${query.toString()}`;
    // Consul waits up to a sixteenth longer, so that not all come back at once.
    const waitMilliseconds = blocking === undefined ? 0 : Math.ceil((blocking.waitMilliseconds * 17) / 16);
    const headers = await this.#headers();
    const reply = await server.ask({ method: 'GET', path, headers, what, waitMilliseconds }, signal);
    if (reply.headers['x-consul-knownleader'] === 'false')
      throw new PaycertError('origin-failing', `${what}: Consul has no leader, and what it says may be old`);
    return reply;
  }

  async #headers(): Promise<Readonly<Record<string, string>>> {
    const { tokenFile } = this.#options;
    if (tokenFile === undefined) return {};
    return { 'X-Consul-Token': await readToken('tokenFile', tokenFile) };
  }
}

interface Blocking {
  readonly index: number;
  readonly waitMilliseconds: number;
}

/** What another node may not say. */
export function troubleOf({ status }: Reply, what: string): PaycertError | undefined {
  if (status < 500 && status !== 429) return undefined;
  const meaning =
    status === 429
      ? 'Consul limits how many requests or connections it takes of us: raise `limits` of the agent, or lower `connections`'
      : 'Consul has no leader, or cannot answer now';
  return new PaycertError('origin-failing', `${what}: ${meaning} (${status})`);
}

const refusals: Readonly<Record<number, readonly [ErrorCode, string]>> = {
  401: ['origin-unauthenticated', 'Consul does not accept our token'],
  403: ['origin-forbidden', 'Consul does not know our token, or no policy of it allows it'],
  404: ['origin-missing', 'there is nothing, or nothing that our token may read'],
};

export function toError({ status }: Reply, what: string): PaycertError {
  const [code, meaning] = refusals[status] ?? (['origin-refused', 'Consul refuses it'] as const);
  return new PaycertError(code, `${what}: ${meaning} (${status})`);
}
