// An agent for `https.request` that shows the certificate that is current: one agent of Node's per certificate behind it.
import { once } from 'node:events';
import type { ClientRequest } from 'node:http';
import { Agent, type AgentOptions, type RequestOptions } from 'node:https';
import type { Duplex } from 'node:stream';
import { type Clock, systemClock } from '../clock.ts';
import type { TlsIdentity } from '../providers/tls-identity.ts';
import { type Connections, Drained, type DrainOptions } from './drained.ts';
import { buildSecureContext, type Followed, identityCheck } from './tls.ts';

/**
 * No queues: a request that waits for a free connection would wait with the certificate of its time. And nothing that would
 * take the certificate's place.
 */
export type HttpsAgentOptions = Omit<
  AgentOptions,
  | 'maxSockets'
  | 'maxTotalSockets'
  | 'secureContext'
  | 'key'
  | 'cert'
  | 'pfx'
  | 'ca'
  | 'passphrase'
  | 'minVersion'
  | 'checkServerIdentity'
>;

/** Undocumented, and what `http.request` asks of whatever is given as an agent. */
interface TakesRequests {
  addRequest(request: ClientRequest, options: RequestOptions): void;
}

/** TLS sessions are kept per agent: a session that is resumed shows the certificate that it began with. */
class CertificateAgent extends Agent implements Connections {
  declare keepAlive: boolean;

  constructor(identity: TlsIdentity, clock: Clock, options: HttpsAgentOptions) {
    const secureContext = buildSecureContext(identity);
    super({ ...options, secureContext, checkServerIdentity: identityCheck(identity, clock) });
  }

  async drain(): Promise<void> {
    const listed = (lists: NodeJS.ReadOnlyDict<Duplex[]>) => Object.values(lists).flatMap((sockets = []) => sockets);
    this.keepAlive = false;
    for (const socket of listed(this.freeSockets)) socket.destroy();
    await Promise.all(listed(this.sockets).map(async (socket) => once(socket, 'close').catch(() => undefined)));
  }
}

class HttpsAgent extends Agent implements TakesRequests {
  readonly #connections: Drained<CertificateAgent>;

  constructor(followed: Followed, credential: string, options: HttpsAgentOptions & DrainOptions) {
    const { drainMilliseconds, clock = systemClock, ...rest } = options;
    const agentOptions = { keepAlive: true, ...rest };
    super(agentOptions);
    const connect = (identity: TlsIdentity) => new CertificateAgent(identity, clock, agentOptions);
    const drain = { ...(drainMilliseconds !== undefined && { drainMilliseconds }), clock };
    this.#connections = new Drained(followed, credential, connect, drain);
  }

  addRequest(request: ClientRequest, options: RequestOptions): void {
    const agent = this.#connections.take(options.servername ?? options.host ?? '');
    (agent as CertificateAgent & TakesRequests).addRequest(request, options);
  }

  override destroy(): void {
    this.#connections.destroy();
    super.destroy();
  }
}

/**
 * An agent whose new requests use the certificate that is current for the server's name. Connections of one that was replaced
 * take no new request; they close when they are idle, at the latest after `drainMilliseconds`, which ends requests too.
 * `destroy()` it when it is not needed any more. Requests throw what `current` throws, `operation-unsupported` and
 * `server-name-unknown`.
 */
export const createHttpsAgent = (
  followed: Followed,
  credential: string,
  options: HttpsAgentOptions & DrainOptions = {},
): Agent => new HttpsAgent(followed, credential, options);
