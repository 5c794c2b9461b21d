// The application that acts on notifications: over a Unix socket, on loopback, or over TLS. Its 2xx is the only yes.
import { Agent } from 'node:http';
import { Agent as SecureAgent } from 'node:https';
import type { Clock } from '../clock.ts';
import { PaycertError } from '../errors.ts';
import { Deadlines } from '../system/deadlines.ts';
import { type Ask, type Asking, requestsTo, Unreachable } from '../system/request.ts';
import type { Envelope } from './envelope.ts';

/** Where it is: `socket` with the path of `url`, or `url`. */
export interface Place {
  readonly socket?: string | undefined;
  readonly url: string;
}

export interface ApplicationOptions {
  readonly place: Place;
  readonly clock: Clock;
  /** A clock that never goes back. */
  readonly milliseconds: () => number;
  /** How long it may take to act. */
  readonly deadlineMilliseconds: number;
  /** Connections at once. */
  readonly connections: number;
}

export class Application {
  readonly #agent: Agent;
  readonly #ask: Ask;
  readonly #deadlines: Deadlines;

  constructor({ place, connections, ...timing }: ApplicationOptions) {
    const url = new URL(place.url);
    const kept = { keepAlive: true, maxSockets: connections };
    this.#agent = url.protocol === 'https:' ? new SecureAgent({ ...kept, minVersion: 'TLSv1.2' }) : new Agent(kept);
    this.#ask = requestsTo(url, {
      ...{ method: 'POST', agent: this.#agent },
      ...(place.socket !== undefined && { socketPath: place.socket }),
    });
    this.#deadlines = new Deadlines(timing);
  }

  /**
   * Resolves once it has taken the notification. `answered` gets the status, whatever it is.
   * @throws PaycertError `application-refused`, `application-unreachable`, `application-timeout`
   */
  async deliver({ headers, body }: Envelope, answered: (status: number) => void = () => undefined): Promise<void> {
    const asking: Asking = { isOver: false };
    const over = this.#deadlines.begin(() => {
      asking.isOver = true;
      asking.call?.destroy();
    });
    try {
      const response = await this.#ask(headers, body, asking);
      const { statusCode = 0 } = response;
      answered(statusCode);
      // What it says beside its status is dropped, so that the connection is good for the next. It has the rest of the time for that.
      response
        .on('error', () => undefined)
        .on('close', over)
        .resume();
      if (statusCode >= 200 && statusCode < 300) return;
      throw new PaycertError('application-refused', `the application answered ${String(statusCode)}`);
    } catch (error) {
      if (error instanceof PaycertError) throw error;
      over();
      if (asking.isOver)
        throw new PaycertError('application-timeout', 'the application did not answer before the deadline');
      if (!(error instanceof Unreachable)) throw error;
      throw new PaycertError('application-unreachable', `the application cannot be reached (${error.reason})`);
    }
  }

  close(): void {
    this.#agent.destroy();
  }
}
