// Who may read the operator's metrics: accounts that the API server knows by their token, and permits to get it.
import { createHash } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { PaycertError } from '../errors.ts';
import type { KubeClient } from '../kube/client.ts';
import { RateLimit } from '../kube/rate-limit.ts';
import { accessReviews, type KubeObject, type Resource, tokenReviews } from '../kube/resources.ts';

/** A permission that was withdrawn ends after so long. */
const admittedMilliseconds = 60_000;
/** While the API server cannot be asked, which is when metrics are needed, those it admitted lately may still read. */
const staleMilliseconds = 600_000;
const refusedMilliseconds = 10_000;
const rememberedTokens = 64;

export interface ScrapeAccessOptions {
  readonly client: Pick<KubeClient, 'create'>;
  readonly clock: Clock;
  /** Of the process: a check outlives the request that began it, since others wait for it too. */
  readonly signal: AbortSignal;
}

interface Reviewed extends KubeObject {
  readonly status?: { readonly authenticated?: boolean; readonly allowed?: boolean; readonly user?: object };
}

export class ScrapeAccess {
  readonly #options: ScrapeAccessOptions;
  /** By digest of the token: when the API server last said so. */
  readonly #admitted = new Map<string, number>();
  readonly #refused = new Map<string, { readonly at: number; readonly error: PaycertError }>();
  readonly #pending = new Map<string, Promise<void>>();
  /** Tokens that nobody knows cost the API server no more than this, and those that it knows nothing of their turns. */
  readonly #strangers: RateLimit;

  constructor(options: ScrapeAccessOptions) {
    this.#options = options;
    this.#strangers = new RateLimit({ perSecond: 5, burst: 20 }, options.clock);
  }

  /** @throws PaycertError `token-required`, `scrape-forbidden`, `scrape-unchecked` */
  async admit(authorization = ''): Promise<void> {
    const [, token] = /^Bearer ([\x21-\x7e]+)$/i.exec(authorization) ?? [];
    if (token === undefined) throw unknownToken();
    const key = createHash('sha256').update(token).digest('base64');
    const now = this.#options.clock.now().getTime();
    const admittedAt = this.#admitted.get(key);
    const isWithin = (milliseconds: number, since = -Infinity) => now - since < milliseconds;
    if (isWithin(admittedMilliseconds, admittedAt)) return;
    const refusal = this.#refused.get(key);
    if (refusal !== undefined && isWithin(refusedMilliseconds, refusal.at)) throw refusal.error;
    try {
      await this.#check(key, token, admittedAt === undefined);
    } catch (error) {
      if (!(error instanceof PaycertError) || error.kind !== 'source') throw error;
      if (isWithin(staleMilliseconds, admittedAt)) return;
      throw new PaycertError('scrape-unchecked', error.message);
    }
  }

  /** Once for all who ask with the same token meanwhile. */
  async #check(key: string, token: string, isStranger: boolean): Promise<void> {
    const pending = this.#pending.get(key);
    if (pending !== undefined) return pending;
    if (isStranger && !this.#strangers.tryTake())
      throw new PaycertError('scrape-unchecked', 'too many tokens that are not known yet wait to be checked');
    const check = this.#review(key, token).finally(() => this.#pending.delete(key));
    this.#pending.set(key, check);
    return check;
  }

  async #review(key: string, token: string): Promise<void> {
    const at = this.#options.clock.now().getTime();
    const { authenticated, user } = await this.#ask(tokenReviews, { token });
    if (authenticated !== true) return this.#refuse(key, at, unknownToken());
    const nonResourceAttributes = { path: '/metrics', verb: 'get' };
    const { username: name, ...who } = user as { readonly username?: string };
    const { allowed } = await this.#ask(accessReviews, { ...who, user: name, nonResourceAttributes });
    if (allowed !== true)
      return this.#refuse(key, at, new PaycertError('scrape-forbidden', 'this account may not get /metrics'));
    remember(this.#admitted, key, at);
    this.#refused.delete(key);
  }

  #refuse(key: string, at: number, error: PaycertError): never {
    this.#admitted.delete(key);
    remember(this.#refused, key, { at, error });
    throw error;
  }

  async #ask(resource: Resource, spec: object): Promise<NonNullable<Reviewed['status']>> {
    const { client, signal } = this.#options;
    const object = { metadata: { name: '' }, spec };
    const { status = {} } = (await client.create({ resource, name: 'metrics' }, object, signal)) as Reviewed;
    return status;
  }
}

const unknownToken = (): PaycertError =>
  new PaycertError('token-required', 'the bearer token is missing, or the API server does not know it', {
    field: 'authorization',
  });

function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > rememberedTokens && oldest !== undefined) map.delete(oldest);
}
