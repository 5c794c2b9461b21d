// Connections to the nodes of a server: over TLS, with the trust and the client certificate that its files hold now, or in plain text.
import { Agent } from 'node:http';
import type { AgentOptions } from 'node:https';
import type { Clock } from '../clock.ts';
import { Agents } from '../system/agents.ts';
import { readSetting } from './settings.ts';

export interface TlsFiles {
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
  readonly serverName?: string;
  /** The member of the configuration that names them, for its errors. Default `tls`. */
  readonly field?: string;
}

export interface ConnectionsOptions {
  readonly clock: Clock;
  readonly tls?: TlsFiles | undefined;
  /** To a node, for the responses that come at once. */
  readonly maxSockets: number;
}

/** How long trust is used before its files are read again. */
const trustMilliseconds = 10_000;

export class Connections {
  readonly #clock: Clock;
  readonly #tls: TlsFiles;
  readonly #encrypted: Record<'quick' | 'waiting', Agents>;
  readonly #plain: Record<'quick' | 'waiting', Agent>;
  #trust: { readonly readAt: number; readonly options: Promise<AgentOptions> } | undefined;

  constructor({ clock, tls = {}, maxSockets }: ConnectionsOptions) {
    this.#clock = clock;
    this.#tls = tls;
    this.#encrypted = { quick: new Agents({ maxSockets }), waiting: new Agents() };
    this.#plain = { quick: new Agent({ keepAlive: true, maxSockets }), waiting: new Agent({ keepAlive: true }) };
  }

  /** `waiting`: for a response that the server may keep back on purpose. @throws PaycertError `source-unreadable` */
  async agentFor(node: URL, kind: 'quick' | 'waiting'): Promise<Agent> {
    if (node.protocol === 'http:') return this.#plain[kind];
    const now = this.#clock.now().getTime();
    const age = now - (this.#trust?.readAt ?? -Infinity);
    // Files are replaced when a CA or a certificate is; a set-back clock must not keep the old ones.
    if (this.#trust === undefined || age < 0 || age > trustMilliseconds)
      this.#trust = { readAt: now, options: this.#readTrust() };
    const { options } = this.#trust;
    try {
      return this.#encrypted[kind].for(await options);
    } catch (error) {
      this.#trust = undefined;
      throw error;
    }
  }

  async #readTrust(): Promise<AgentOptions> {
    const { caFile, certFile, keyFile, serverName, field = 'tls' } = this.#tls;
    const [ca, cert, key] = await Promise.all([
      caFile === undefined ? undefined : readSetting(`${field}.caFile`, caFile, 'certificate'),
      certFile === undefined ? undefined : readSetting(`${field}.certFile`, certFile, 'certificate'),
      keyFile === undefined ? undefined : readSetting(`${field}.keyFile`, keyFile, 'key'),
    ]);
    return {
      ...(ca && { ca }),
      ...(cert && { cert }),
      ...(key && { key }),
      ...(serverName !== undefined && { servername: serverName }),
      minVersion: 'TLSv1.2',
    };
  }
}
