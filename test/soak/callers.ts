// Callers that sign and verify over the socket without pause, and check every answer with node:crypto alone.
import { type KeyObject, verify, X509Certificate } from 'node:crypto';
import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { exchange } from '../support/http-client.ts';

export interface Counts {
  readonly signed: number;
  readonly verified: number;
  /** No answer, or one that is no success. */
  readonly failed: number;
  /** Signatures that do not verify against the certificate that the key id names. */
  readonly wrong: number;
  /** What went wrong first, for people. */
  readonly firstFailure?: string;
}

/** An answer of the platform, to be verified. */
export interface PlatformResponse {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface CrowdOptions {
  readonly socket: string;
  readonly callers: number;
  /** Milliseconds that each waits between two calls. */
  readonly pause: number;
}

export class Callers {
  readonly #counts: { -readonly [K in keyof Counts]: Counts[K] } = { signed: 0, verified: 0, failed: 0, wrong: 0 };
  readonly #options: CrowdOptions;
  readonly #agent: Agent;
  readonly #onSeen: (keyId: string) => void;
  readonly #certificates = new Map<string, KeyObject>();
  readonly #seen = new Set<string>();
  #answer: PlatformResponse;
  #isStopped = false;
  readonly #running: Promise<unknown>;

  /** `onSeen` is told of each key id when it signs for the first time. */
  constructor(options: CrowdOptions, answer: PlatformResponse, onSeen: (keyId: string) => void) {
    this.#options = options;
    this.#agent = new Agent({ keepAlive: true, maxSockets: options.callers });
    this.#answer = answer;
    this.#onSeen = onSeen;
    this.#running = Promise.all(Array.from({ length: options.callers }, (_, caller) => this.#run(caller)));
  }

  /** A certificate that may be named from now on. */
  announce(certificate: string): void {
    const { serialNumber, publicKey } = new X509Certificate(certificate);
    this.#certificates.set(serialNumber, publicKey);
  }

  /** What is verified from now on. */
  follow(answer: PlatformResponse): void {
    this.#answer = answer;
  }

  /** What is in flight is awaited and counted. */
  async stop(): Promise<Counts> {
    this.#isStopped = true;
    await this.#running;
    this.#agent.destroy();
    return this.#counts;
  }

  async #run(caller: number): Promise<void> {
    for (let call = caller; !this.#isStopped; call++) {
      await sleep(this.#options.pause);
      try {
        if (call % 2 === 0) await this.#sign(`POST\n/v3/pay\n${call}\n${caller}\n{}\n`);
        else await this.#verify();
      } catch (error) {
        this.#counts.failed += 1;
        this.#counts.firstFailure ??= error instanceof Error ? error.message : String(error);
      }
    }
  }

  async #sign(message: string): Promise<void> {
    const { signature = '', keyId = '' } = await this.#post('sign', { message });
    const publicKey = this.#certificates.get(keyId);
    this.#counts.signed += 1;
    if (!publicKey || !verify('sha256', Buffer.from(message), publicKey, Buffer.from(signature, 'base64'))) {
      this.#counts.wrong += 1;
    } else if (!this.#seen.has(keyId)) {
      this.#seen.add(keyId);
      this.#onSeen(keyId);
    }
  }

  async #verify(): Promise<void> {
    await this.#post('verify', { kind: 'response', ...this.#answer });
    this.#counts.verified += 1;
  }

  async #post(operation: string, input: object): Promise<Readonly<Record<string, string | undefined>>> {
    const { status, text } = await exchange(this.#options.socket, {
      path: `/v1/credentials/shop/${operation}`,
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(input),
      agent: this.#agent,
    });
    if (status !== 200) throw new Error(`${operation} was answered ${status}: ${text.slice(0, 300)}`);
    return JSON.parse(text) as Readonly<Record<string, string | undefined>>;
  }
}
