// Questions to etcd through its JSON gateway, with a token where users are asked for, and what its statuses mean.
import { type ErrorCode, PaycertError } from '../../errors.ts';
import { isMembers, malformed, type Members, textOf, within } from '../content.ts';
import { Flight } from '../flight.ts';
import type { Question, Reply, Server } from '../server.ts';
import { readWord } from '../settings.ts';

export interface EtcdOptions {
  readonly server: Server;
  readonly user?: string | undefined;
  /** Read again for each log-in. */
  readonly passwordFile?: string | undefined;
}

/** Everything under a prefix, as of one revision. */
export interface Range {
  readonly revision: bigint;
  readonly entries: readonly Entry[];
}

export interface Entry {
  readonly key: string;
  readonly value: Uint8Array;
  readonly modified: bigint;
  /** It ends with a lease. */
  readonly isLeased: boolean;
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** The first key that does not begin with the prefix, which ends with a `/`. */
const span = (prefix: string) => ({ key: base64(prefix), range_end: base64(`${prefix.slice(0, -1)}0`) });

export class Etcd {
  readonly #options: EtcdOptions;
  readonly #entering = new Flight<string>();
  /** None where no user is configured. */
  #token: string | undefined;

  constructor(options: EtcdOptions) {
    this.#options = options;
  }

  /** @throws PaycertError of kind source */
  async range(prefix: string, { keysOnly }: { readonly keysOnly: boolean }, signal: AbortSignal): Promise<Range> {
    const what = `read ${prefix}`;
    const body = { ...span(prefix), keys_only: keysOnly };
    const question = { method: 'POST', path: '/v3/kv/range', body, what, isRead: true } as const;
    let reply = await this.#ask(question, signal);
    // Simple tokens end after five minutes without use, and with the node that gave them.
    if (reply.status === 401 && this.#token !== undefined) {
      this.#token = undefined;
      reply = await this.#ask(question, signal);
    }
    if (reply.status !== 200) throw toError(reply, what);
    return toRange(reply.content, what);
  }

  /** Resolves with the first change under the prefix from that revision on, or when etcd ends the watch. @throws as `range` */
  async untilChanged(prefix: string, revision: bigint, signal: AbortSignal): Promise<void> {
    const body = { create_request: { ...span(prefix), start_revision: String(revision) } };
    const question = { method: 'POST', path: '/v3/watch', body, what: `watch ${prefix}` } as const;
    const headers = await this.#headers(signal);
    for await (const line of this.#options.server.follow({ ...question, headers }, signal)) {
      // That it stands. Whatever else is said, such as that the revision has been compacted, means: look again.
      if (!line.includes('"created":true')) return;
    }
  }

  async #ask(question: Question, signal: AbortSignal): Promise<Reply> {
    return this.#options.server.ask({ ...question, headers: await this.#headers(signal) }, signal);
  }

  async #headers(signal: AbortSignal): Promise<Readonly<Record<string, string>>> {
    const { user, passwordFile } = this.#options;
    if (user === undefined || passwordFile === undefined) return {};
    this.#token ??= await this.#entering.join((stop) => this.#logIn(user, passwordFile, stop), signal);
    return { Authorization: this.#token };
  }

  async #logIn(name: string, passwordFile: string, signal: AbortSignal): Promise<string> {
    const password = await readWord('user.passwordFile', passwordFile, 'password');
    const what = `log in as ${name}`;
    const question = { method: 'POST', path: '/v3/auth/authenticate', body: { name, password }, what } as const;
    const reply = await this.#options.server.ask(question, signal);
    if (reply.status !== 200)
      throw new PaycertError(
        'origin-unauthenticated',
        `${what}: etcd does not accept the password in ${passwordFile} (${reply.status})`,
      );
    const token = textOf(within(reply.content)['token']);
    if (token === undefined || !/^[!-~]{1,8192}$/.test(token)) throw malformed(what, 'etcd');
    return token;
  }
}

/** What another node may not say. */
export const troubleOf = ({ status }: Reply, what: string): PaycertError | undefined =>
  status >= 500 || status === 429
    ? new PaycertError('origin-failing', `${what}: etcd has no leader, or cannot answer now (${status})`)
    : undefined;

const refusals: Readonly<Record<number, readonly [ErrorCode, string]>> = {
  401: ['origin-unauthenticated', 'etcd does not accept our token'],
  403: ['origin-forbidden', 'no role of our user allows it'],
};

function toError({ status, content }: Reply, what: string): PaycertError {
  const needsUser = textOf(within(content)['message'])?.includes('user name is empty') === true;
  const [code, meaning] = needsUser
    ? (['origin-unauthenticated', 'etcd asks for a user'] as const)
    : (refusals[status] ?? (['origin-refused', 'etcd refuses it'] as const));
  return new PaycertError(code, `${what}: ${meaning} (${status})`);
}

/** 64-bit numbers are text in this JSON; what is 0 or empty is left out. */
const numberOf = (value: unknown): bigint | undefined =>
  value === undefined ? 0n : typeof value === 'string' && /^\d{1,19}$/.test(value) ? BigInt(value) : undefined;

function toRange(content: unknown, what: string): Range {
  const { kvs = [] } = within(content);
  const revision = numberOf(within(content, 'header')['revision']);
  if (!Array.isArray(kvs) || revision === undefined || revision === 0n) throw malformed(what, 'etcd');
  return { revision, entries: (kvs as unknown[]).map((kv) => toEntry(isMembers(kv) ? kv : {}, what)) };
}

function toEntry({ key, value = '', mod_revision: modified, lease }: Members, what: string): Entry {
  const [at, leased] = [numberOf(modified), numberOf(lease)];
  if (typeof key !== 'string' || typeof value !== 'string' || at === undefined || leased === undefined)
    throw malformed(what, 'etcd');
  return {
    key: Buffer.from(key, 'base64').toString(),
    value: Buffer.from(value, 'base64'),
    modified: at,
    isLeased: leased !== 0n,
  };
}
