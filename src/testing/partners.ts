// Partners on loopback, with a shared secret or with our public key: they check every request, and say what the test wants them to say.
import { listenOnLoopback } from './loopback.ts';
import type { Answer, Listener, ReceivedRequest } from './loopback.ts';
import { checkHmac, checkPss, type HmacAccount, type PssAccount, Refusal, type Signed } from './partner-signatures.ts';

/** A running double of a partner. */
export interface Partner<Account> extends Listener, AsyncDisposable {
  /** Live: they change with every request. */
  readonly counts: { readonly accepted: number; readonly refused: number };
  /** Live: the requests that it has accepted, oldest first. */
  readonly received: readonly ReceivedRequest[];
  /** What requests must be signed with, from now on. */
  admit(account: Account): void;
}

/** Whose requests it accepts, and what it says to them. */
export interface PartnerOptions<Account> {
  readonly account: Account;
  /** The partner's clock: this machine's unless given. */
  readonly now?: () => Date;
  /** The body of what it says to a request that it has accepted, as JSON; `{}` unless given. */
  readonly respond?: (request: ReceivedRequest) => unknown;
}

const windowSeconds = 300;
/** A double that runs for days forgets the oldest. */
const maxReceived = 10_000;

/** Its checks, in order: everything is there, the time, the nonce, the signature; a nonce is used by a good request alone. */
async function startPartner<Account>(
  { account: given, now = () => new Date(), respond = () => ({}) }: PartnerOptions<Account>,
  check: (request: ReceivedRequest, account: Account) => Signed,
): Promise<Partner<Account>> {
  let account = given;
  const counts = { accepted: 0, refused: 0 };
  const received: ReceivedRequest[] = [];
  const nonces = new Set<string>();

  const authenticate = (request: ReceivedRequest): void => {
    const { timestamp, nonce, isGood, text } = check(request, account);
    if (!(Math.abs(now().getTime() / 1000 - Number(timestamp)) <= windowSeconds))
      throw new Refusal('TIMESTAMP_EXPIRED', 'the time is not within five minutes');
    if (nonces.has(nonce)) throw new Refusal('DUPLICATE_NONCE', 'the nonce was used before');
    if (!isGood) throw new Refusal('INVALID_SIGNATURE', `the signature is not one of this text: ${text}`);
    nonces.add(nonce);
    const [oldest] = nonces;
    if (nonces.size > maxReceived && oldest !== undefined) nonces.delete(oldest);
  };

  const listener = await listenOnLoopback(0, (request): Answer => {
    try {
      authenticate(request);
      counts.accepted += 1;
      received.push(request);
      if (received.length > maxReceived) received.shift();
      return write(200, respond(request));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      counts.refused += 1;
      return write(401, { code: error.code, message: error.message });
    }
  });
  return {
    ...listener,
    ...{ counts, received },
    admit: (next) => void (account = next),
    [Symbol.asyncDispose]: () => listener.close(),
  };
}

const write = (status: number, content: unknown): Answer => ({
  ...{ status, headers: { 'Content-Type': 'application/json' } },
  body: Buffer.from(JSON.stringify(content)),
});

/**
 * A partner with a shared secret, of the scheme that the account names. Listens on 127.0.0.1, over HTTP, on every path. It refuses
 * with 401 and a code, and signs nothing, as these schemes have it.
 * @example
 * import { startHmacPartner } from 'paycert/testing';
 *
 * const account = { keyId: 'shop-1', scheme: 'request', secret: 's'.repeat(32) } as const;
 * await using partner = await startHmacPartner({ account, respond: () => ({ paid: true }) });
 * const { status } = await fetch(`${partner.url}/v1/pay?AccessKey=shop-1`);
 * console.log(status, partner.counts, partner.received); // → 401 { accepted: 0, refused: 1 } []
 */
export async function startHmacPartner(options: PartnerOptions<HmacAccount>): Promise<Partner<HmacAccount>> {
  return startPartner(options, checkHmac);
}

/**
 * A partner that has our public key (RSA-PSS over the canonical text). As `startHmacPartner`.
 * @example
 * import { generateKeyPair, startPssPartner } from 'paycert/testing';
 *
 * const { publicKey } = await generateKeyPair(2048);
 * await using partner = await startPssPartner({ account: { appId: 'shop-1', publicKey } });
 * const response = await fetch(`${partner.url}/v1/pay`, { method: 'POST', body: '{}' });
 * console.log(response.status, ((await response.json()) as { code: string }).code); // → 401 MISSING_HEADER
 */
export async function startPssPartner(options: PartnerOptions<PssAccount>): Promise<Partner<PssAccount>> {
  return startPartner(options, checkPss);
}
