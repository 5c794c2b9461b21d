// The application that acts on notifications: over a Unix socket, on loopback, or over TLS. Its 2xx is the only yes.
import { Agent } from 'node:http';
import { Agent as SecureAgent } from 'node:https';
import type { Clock } from '../clock.ts';
import { PaycertError } from '../errors.ts';
import { request, Unreachable } from '../system/request.ts';
import type { Envelope } from './envelope.ts';

/** Where it is: `socket` with the path of `url`, or `url`. */
export interface Place {
  readonly socket?: string | undefined;
  readonly url: string;
}

export interface ApplicationOptions {
  readonly place: Place;
  readonly clock: Clock;
  /** How long it may take to act. */
  readonly deadlineMilliseconds: number;
  /** Connections at once. */
  readonly connections: number;
}

export class Application {
  readonly #options: ApplicationOptions;
  readonly #url: URL;
  readonly #agent: Agent;

  constructor(options: ApplicationOptions) {
    this.#options = options;
    this.#url = new URL(options.place.url);
    const kept = { keepAlive: true, maxSockets: options.connections };
    this.#agent =
      this.#url.protocol === 'https:' ? new SecureAgent({ ...kept, minVersion: 'TLSv1.2' }) : new Agent(kept);
  }

  /**
   * Resolves once it has taken the notification. `answered` gets the status, whatever it is.
   * @throws PaycertError `application-refused`, `application-unreachable`, `application-timeout`
   */
  async deliver({ headers, body }: Envelope, answered: (status: number) => void = () => undefined): Promise<void> {
    const { place, clock, deadlineMilliseconds } = this.#options;
    const [over, done] = [new AbortController(), new AbortController()];
    void clock.sleep(deadlineMilliseconds, done.signal).then(() => {
      if (!done.signal.aborted) over.abort();
    });
    try {
      const response = await request(
        this.#url,
        {
          method: 'POST',
          headers,
          agent: this.#agent,
          ...(place.socket !== undefined && { socketPath: place.socket }),
        },
        // Twice is allowed: an application must expect a notification more than once.
        { body, silenceMilliseconds: deadlineMilliseconds, mayRepeat: true },
        over.signal,
      );
      const { statusCode = 0 } = response;
      answered(statusCode);
      // What it says beside its status is dropped, so that the connection is good for the next.
      response.on('error', () => undefined).resume();
      if (statusCode >= 200 && statusCode < 300) return;
      throw new PaycertError('application-refused', `the application answered ${String(statusCode)}`);
    } catch (error) {
      if (error instanceof PaycertError) throw error;
      if (over.signal.aborted)
        throw new PaycertError('application-timeout', 'the application did not answer before the deadline');
      if (!(error instanceof Unreachable)) throw error;
      throw new PaycertError('application-unreachable', `the application cannot be reached (${error.reason})`);
    } finally {
      // A reason of ours: Node would make an error with its stack for each.
      done.abort('done');
    }
  }

  close(): void {
    this.#agent.destroy();
  }
}
