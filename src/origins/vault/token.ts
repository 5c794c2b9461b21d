// A token of Vault and how long it lasts. It prints nothing of itself.
import { within } from '../content.ts';

/** A lease that has shrunk below this share of the first one is near the end that no renewal moves. */
const shrunk = 0.5;

export class Token {
  readonly #text: string;
  /** Of the latest lease; 0 for a token without an end. */
  readonly leaseSeconds: number;
  /** Of the lease that the log-in gave. */
  readonly fullSeconds: number;
  readonly isRenewable: boolean;

  constructor(text: string, leaseSeconds: number, fullSeconds: number, isRenewable: boolean) {
    this.#text = text;
    this.leaseSeconds = leaseSeconds;
    this.fullSeconds = fullSeconds;
    this.isRenewable = isRenewable;
  }

  get headers(): Readonly<Record<string, string>> {
    return { 'X-Vault-Token': this.#text };
  }

  /** Two thirds of the lease that was given: not of what was asked for, which Vault shortens without a word. */
  get renewAfterMilliseconds(): number | undefined {
    return this.leaseSeconds === 0 ? undefined : Math.max((this.leaseSeconds * 1000 * 2) / 3, 1000);
  }

  /** After an attempt to renew it that failed: what is left. */
  rest(): Token {
    return new Token(this.#text, this.leaseSeconds / 3, this.fullSeconds, this.isRenewable);
  }

  /** As the response to a renewal says; undefined if it does not say it. */
  renewed(content: unknown): Token | undefined {
    const { lease_duration: lease, renewable } = within(content, 'auth');
    return typeof lease === 'number' && lease > 0
      ? new Token(this.#text, lease, this.fullSeconds, renewable === true)
      : undefined;
  }

  get isShrunk(): boolean {
    return this.leaseSeconds < this.fullSeconds * shrunk;
  }
}

/** The token that a log-in answers with. */
export function tokenOfLogin(content: unknown): Token | undefined {
  const { client_token: text, lease_duration: lease, renewable } = within(content, 'auth');
  if (typeof text !== 'string' || text === '' || typeof lease !== 'number') return undefined;
  return new Token(text, lease, lease, renewable === true);
}

/** A token that was given, with what Vault says of it. */
export function tokenOfLookup(text: string, content: unknown): Token | undefined {
  const { ttl, renewable } = within(content, 'data');
  return typeof ttl === 'number' ? new Token(text, ttl, ttl, renewable === true) : undefined;
}
