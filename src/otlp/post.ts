// One batch to a collector, over a connection that is kept: what it said of it, or that it said nothing in time.
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { readBytes, request, TooLarge } from '../system/request.ts';
import { jsonIn } from '../system/json.ts';
import type { Target } from './variables.ts';

export interface Posted {
  readonly status: number;
  /** In milliseconds, where it says how long to wait. */
  readonly retryAfter?: number;
  /** What it says, if that is JSON. */
  readonly content?: unknown;
}

/** A collector answers with a few bytes. */
const maxBytes = 64 * 1024;

export class Collector {
  readonly #target: Target;
  readonly #agent: HttpAgent;

  constructor(target: Target) {
    this.#target = target;
    const limits = { keepAlive: true, maxSockets: 1 };
    this.#agent =
      target.url.protocol === 'http:' ? new HttpAgent(limits) : new HttpsAgent({ ...limits, minVersion: 'TLSv1.2' });
  }

  /** No redirect is followed: headers with a token go to one place. @throws Unreachable, or the signal's reason */
  async post(body: string, signal: AbortSignal): Promise<Posted> {
    const { url, headers, timeoutMilliseconds: silenceMilliseconds } = this.#target;
    const options = { method: 'POST', agent: this.#agent, headers: { ...headers, 'content-type': 'application/json' } };
    const response = await request(url, options, { body, silenceMilliseconds, mayRepeat: true }, signal);
    const { statusCode: status = 0, headers: received } = response;
    const seconds = /^\d{1,9}$/.exec(received['retry-after'] ?? '')?.[0];
    const content = jsonIn(await readBytes(response, maxBytes, signal).catch(ignoreTooLarge));
    return { status, ...(seconds !== undefined && { retryAfter: Number(seconds) * 1000 }), content };
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** The status says it all. */
function ignoreTooLarge(error: unknown): Uint8Array {
  if (error instanceof TooLarge) return new Uint8Array();
  throw error;
}
