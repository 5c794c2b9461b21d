// An agent for `https.request` that shows the certificate that is current: one agent of Node's per certificate behind it.
import { once } from 'node:events';
import type { ClientRequest } from 'node:http';
import { Agent, type AgentOptions, type RequestOptions } from 'node:https';
import type { Duplex } from 'node:stream';
import { checkServerIdentity, TLSSocket } from 'node:tls';
import { systemClock } from '../clock.ts';
import type { TlsIdentity } from '../providers/shared/tls-identity.ts';
import { type Admit, createAdmission, trustOf } from '../revocation/peer.ts';
import { type ConnectionOptions, type Connections, DrainingPools } from './draining-pools.ts';
import { Responders } from '../revocation/responders.ts';
import { createLookup } from '../system/lookup.ts';
import { buildSecureContext, type Subscription } from './secure-context.ts';

/**
 * As of Node's `https.Agent`.
 *
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

type Taken = (error: Error | null, socket?: Duplex) => void;

/** Undocumented: what `http.request` asks of whatever is given as an agent, and that of itself when it needs a connection. */
interface TakesRequests {
  addRequest(request: ClientRequest, options: RequestOptions): void;
  createSocket(request: ClientRequest, options: RequestOptions, taken: Taken): void;
}

const plain = Agent.prototype as Agent & TakesRequests;

/** In no thread of the pool, where a silent name server would take the place of signatures. */
const lookup = createLookup();

/** As undici has it. */
const connectMilliseconds = 10_000;

/**
 * TLS sessions are kept per agent: a session that is resumed shows the certificate that it began with. Where servers are asked
 * for more, none is: Node does not show who issued the certificate of a session that is resumed.
 */
class CertificateAgent extends Agent implements Connections {
  declare keepAlive: boolean;
  readonly #admit: Admit | undefined;

  constructor(identity: TlsIdentity, admit: Admit | undefined, options: HttpsAgentOptions) {
    const secureContext = buildSecureContext(identity);
    super({ lookup, ...options, secureContext, checkServerIdentity, ...(admit && { maxCachedSessions: 0 }) });
    this.#admit = admit;
  }

  createSocket(request: ClientRequest, options: RequestOptions, taken: Taken): void {
    const admit = this.#admit;
    plain.createSocket.call(this, request, options, (error, socket) => {
      if (error || !(socket instanceof TLSSocket) || admit === undefined) {
        taken(error, socket);
        return;
      }
      const timeout = setTimeout(() => socket.destroy(), options.timeout ?? connectMilliseconds);
      admit(socket)
        .finally(() => clearTimeout(timeout))
        .then(() => taken(null, socket), taken);
    });
  }

  async drain(): Promise<void> {
    const listed = (lists: NodeJS.ReadOnlyDict<Duplex[]>) => Object.values(lists).flatMap((sockets = []) => sockets);
    this.keepAlive = false;
    for (const socket of listed(this.freeSockets)) socket.destroy();
    await Promise.all(listed(this.sockets).map(async (socket) => once(socket, 'close').catch(() => undefined)));
  }
}

class HttpsAgent extends Agent {
  readonly #connections: DrainingPools<CertificateAgent>;

  constructor(followed: Subscription, credential: string, options: HttpsAgentOptions & ConnectionOptions) {
    const { drainMilliseconds, clock = systemClock, askResponder, ...rest } = options;
    const agentOptions = { keepAlive: true, ...rest };
    super(agentOptions);
    const responders = new Responders(clock, askResponder);
    const connect = (identity: TlsIdentity) =>
      new CertificateAgent(
        identity,
        createAdmission(trustOf([identity], identity), responders, clock, 'the server’s certificate'),
        agentOptions,
      );
    const drain = { ...(drainMilliseconds !== undefined && { drainMilliseconds }), clock };
    this.#connections = new DrainingPools(followed, credential, connect, drain);
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
 * `destroy()` it when it is not needed any more. Requests throw what `current` throws, `operation-unsupported` where the
 * credential presents no certificate, and `server-name-unknown`.
 * @example
 * import { once } from 'node:events';
 * import { get } from 'node:https';
 * import { createHttpsAgent } from 'paycert';
 *
 * const agent = createHttpsAgent(paycert, 'bank', { drainMilliseconds: 10_000 });
 * const [response] = await once(get('https://api.bank.example/', { agent }), 'response');
 * console.log(response.statusCode); // → 200
 * response.resume();
 * agent.destroy();
 */
export const createHttpsAgent = (
  followed: Subscription,
  credential: string,
  options: HttpsAgentOptions & ConnectionOptions = {},
): Agent => new HttpsAgent(followed, credential, options);
