// One identity at one Vault, for all credentials that use it: one log-in, one token, renewed at two thirds of its lease and replaced before its end.
import type { Clock } from '../../clock.ts';
import { PaycertError } from '../../errors.ts';
import type { Observe } from '../../events.ts';
import { malformed } from '../content.ts';
import { Flight } from '../flight.ts';
import { LongWait } from '../long-wait.ts';
import { Pause } from '../pause.ts';
import type { Question, Reply, Server } from '../server.ts';
import { readToken } from '../settings.ts';
import { type Auth, loginRequest } from './login.ts';
import { RefusedIds } from './refused-ids.ts';
import { loginRefused } from './responses.ts';
import { Token, tokenOfLogin, tokenOfLookup } from './token.ts';

export interface SessionOptions {
  readonly server: Server;
  readonly namespace?: string | undefined;
  readonly auth: Auth;
  readonly clock: Clock;
  readonly random: () => number;
  readonly observe: Observe;
}

/** Somebody must repair it: longer than after other failures. */
const longestPauseMilliseconds = 60_000;

export class Session {
  readonly #options: SessionOptions;
  readonly #pause: Pause;
  readonly #refusedIds: RefusedIds;
  readonly #entering = new Flight<Token>();
  readonly #confirming = new Flight<boolean>();
  #token: Token | undefined;
  readonly #untilDue: LongWait;
  #users = 0;
  #stop = new AbortController();

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#untilDue = new LongWait(options.clock);
    this.#pause = new Pause({ ...options, longestMilliseconds: longestPauseMilliseconds });
    this.#refusedIds = new RefusedIds(options.clock);
  }

  /** Asks with a token that Vault takes: where it takes ours no more, after another log-in. @throws PaycertError of kind source */
  async ask(question: Omit<Question, 'headers'>, signal: AbortSignal): Promise<Reply> {
    const token = await this.#enter(signal);
    const reply = await this.#send(question, token, signal);
    // A policy that forbids and a token that has ended are one status.
    if (reply.status !== 403 || (await this.#isTaken(token, signal))) return reply;
    if (this.#token === token) this.#token = undefined;
    return this.#send(question, await this.#enter(signal), signal);
  }

  /** Keeps the token alive until it is disposed of, by everybody who keeps it. */
  keep(): Disposable {
    this.#users += 1;
    if (this.#users === 1) {
      this.#stop = new AbortController();
      const observe = this.#options.observe;
      this.#tend(this.#stop.signal).catch((error: unknown) =>
        observe({ type: 'internal-error', where: 'vault', error }),
      );
    }
    return {
      [Symbol.dispose]: () => {
        this.#users -= 1;
        if (this.#users > 0) return;
        this.#stop.abort();
        this.#token = undefined;
      },
    };
  }

  async #tend(signal: AbortSignal): Promise<void> {
    const isOver = () => signal.aborted;
    while (!isOver()) {
      const token = this.#token;
      await this.#untilDue.wait(token?.renewAfterMilliseconds, signal);
      if (token !== undefined && this.#token === token && !isOver()) await this.#renew(token, signal);
    }
  }

  async #renew(token: Token, signal: AbortSignal): Promise<void> {
    let kept = token.rest();
    try {
      if (token.isRenewable) {
        const what = 'renew our token';
        const reply = await this.#send(
          { method: 'POST', path: '/v1/auth/token/renew-self', body: {}, what },
          token,
          signal,
        );
        const renewed = reply.status === 200 ? token.renewed(reply.content) : undefined;
        if (renewed !== undefined && !renewed.isShrunk) {
          this.#set(renewed);
          return;
        }
        kept = renewed ?? kept;
      }
      await this.#entering.join((stop) => this.#logIn(stop), signal);
    } catch (error) {
      // It lasts a while yet. When it has ended, the next question says why there is no other.
      if (error instanceof PaycertError) this.#set(kept);
      else if (!signal.aborted) throw error;
    }
  }

  #set(token: Token): void {
    this.#token = token;
    this.#untilDue.end();
  }

  async #enter(signal: AbortSignal): Promise<Token> {
    return this.#token ?? this.#entering.join((stop) => this.#logIn(stop), signal);
  }

  async #logIn(signal: AbortSignal): Promise<Token> {
    this.#pause.assertOver();
    try {
      const token = await this.#obtain(signal);
      this.#pause.end();
      this.#set(token);
      return token;
    } catch (error) {
      const isRefusal =
        error instanceof PaycertError && error.code === 'origin-unauthenticated' && error.field === undefined;
      // What is not sent costs the server nothing, and something else may be in the files (which a field names) at any time.
      if (isRefusal && !this.#refusedIds.isOf(error)) this.#pause.begin(error);
      throw error;
    }
  }

  async #obtain(signal: AbortSignal): Promise<Token> {
    const { auth } = this.#options;
    const login = await loginRequest(auth);
    if (login === undefined) return this.#check(auth.token?.tokenFile ?? '', signal);
    const { mount, body, who, mayLock } = login;
    this.#refusedIds.assertMaySend(login);
    const what = `log in at auth/${mount}`;
    const reply = await this.#send({ method: 'POST', path: `/v1/auth/${mount}/login`, body, what }, undefined, signal);
    if (reply.status === 200) {
      const token = tokenOfLogin(reply.content);
      if (token === undefined) throw malformed(what, 'Vault');
      return token;
    }
    if (!mayLock || ![400, 403].includes(reply.status)) throw loginRefused(reply, what, who);
    throw this.#refusedIds.add(
      login,
      loginRefused(reply, what, who, 'the role may be locked, or no such method is mounted there'),
    );
  }

  /** A token from a file, which somebody else may renew and replace. */
  async #check(tokenFile: string, signal: AbortSignal): Promise<Token> {
    const text = await readToken('auth.token.tokenFile', tokenFile);
    const what = 'look up our token';
    const reply = await this.#send(lookup, new Token(text, 0, 0, false), signal);
    if (reply.status !== 200) throw loginRefused(reply, what, `the one in ${tokenFile}`);
    const token = tokenOfLookup(text, reply.content);
    if (token === undefined) throw malformed(what, 'Vault');
    return token;
  }

  async #isTaken(token: Token, signal: AbortSignal): Promise<boolean> {
    if (this.#token !== token) return false;
    return this.#confirming.join(async (stop) => (await this.#send(lookup, token, stop)).status === 200, signal);
  }

  #send(question: Question, token: Token | undefined, signal: AbortSignal): Promise<Reply> {
    const { server, namespace } = this.#options;
    const headers = {
      ...token?.headers,
      ...(namespace !== undefined && { 'X-Vault-Namespace': namespace }),
      // Agents and proxies of Vault ask for it, against requests that a browser was made to send.
      'X-Vault-Request': 'true',
    };
    return server.ask({ ...question, headers }, signal);
  }
}

const lookup = { method: 'GET', path: '/v1/auth/token/lookup-self', what: 'look up our token' } as const;
