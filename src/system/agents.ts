// Connections that are kept, for as long as trust and client certificate stay the same.
import { Agent, type AgentOptions } from 'node:https';

export class Agents {
  readonly #limits: Pick<AgentOptions, 'maxSockets'>;
  #trust = '';
  #agent: Agent | undefined;

  constructor(limits: Pick<AgentOptions, 'maxSockets'> = {}) {
    this.#limits = limits;
  }

  for(trust: AgentOptions): Agent {
    const key = JSON.stringify(trust);
    if (this.#agent === undefined || key !== this.#trust) {
      // What is in flight ends by itself; nothing begins on connections that trusted what is gone.
      for (const sockets of Object.values(this.#agent?.freeSockets ?? {}))
        for (const socket of sockets ?? []) socket.destroy();
      this.#trust = key;
      this.#agent = new Agent({ ...trust, ...this.#limits, keepAlive: true });
    }
    return this.#agent;
  }
}
