// A gateway on loopback that behaves as WeChat Pay's: it checks every request and signs every response.
import { randomUUID } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { listenOnLoopback } from './loopback.ts';
import type { Answer, Listener, ReceivedRequest } from './loopback.ts';
import { checkAuthorization, createReplayCheck, SignError } from './wechatpay-authorization.ts';
import type { Caller } from './wechatpay-authorization.ts';
import { answerRequest } from './wechatpay-endpoints.ts';
import type { Account } from './wechatpay-endpoints.ts';
import type { PlatformKey, WechatpayMaterial } from './wechatpay-material.ts';
import { makeNotification, signMessage } from './wechatpay-message.ts';
import type { PlatformMessage, SignMessageOptions } from './wechatpay-message.ts';
import { completeRefund, payOrder } from './wechatpay-orders.ts';
import type { Notice } from './wechatpay-orders.ts';

/** Live: they change with every request. */
export interface GatewayCounts {
  /** Requests whose signature was good, whatever the response. */
  readonly accepted: number;
  /** Requests answered 401. */
  readonly refused: number;
  /** Accepted requests by the serial number of the merchant certificate that signed them. */
  readonly bySerial: ReadonlyMap<string, number>;
}

/** What the platform posts, and where: the `notify_url` of the order or refund. */
export interface Posted extends PlatformMessage {
  readonly url: string;
}

/** A running double of WeChat Pay's gateway. */
export interface Gateway extends Listener, AsyncDisposable {
  readonly counts: GatewayCounts;
  /** Accepts what that certificate's key signs, beside the certificates trusted before (protocols 1.11). */
  trust(merchantId: string, certificate: { readonly serialNumber: string; readonly publicKey: KeyObject }): void;
  /** Refuses that certificate from now on. Throws `RangeError` if it was never trusted. */
  revoke(merchantId: string, serialNumber: string): void;
  /**
   * What responses to this merchant are signed with: the key that a request's `Wechatpay-Serial` names, otherwise the
   * platform certificates in turn, otherwise the public key (protocols 1.7, 1.8). Without any, responses are unsigned.
   */
  setPlatformKeys(merchantId: string, platformKeys: readonly PlatformKey[]): void;
  /** What GET /v3/certificates encrypts with. */
  setApiV3Key(merchantId: string, apiV3Key: string): void;
  /** Trusts the merchant certificate and sets the keys of one material; certificates trusted before stay trusted. */
  admit(material: WechatpayMaterial): void;
  /**
   * The payer pays: queries say so from now on. Returns the notification, which the gateway does not post by itself, so that
   * a test decides when it comes, and how often. Throws `RangeError` unless the order waits to be paid.
   */
  pay(merchantId: string, outTradeNo: string): Posted;
  /** The refund has arrived. The same as `pay`, for a refund that was asked for. */
  completeRefund(merchantId: string, outRefundNo: string): Posted;
}

/** Its clock and port; nothing of it is needed. */
export interface GatewayOptions {
  /** The platform's clock: this machine's unless given. */
  readonly now?: () => Date;
  /** Chosen by the system unless given. */
  readonly port?: number;
}

/**
 * Listens on 127.0.0.1, over HTTP. It refuses what is not signed right, as WeChat Pay does, and signs its responses. Rejects with
 * the listener's own error, such as EADDRINUSE.
 * @example
 * import { startWechatpayGateway } from 'paycert/testing';
 *
 * await using gateway = await startWechatpayGateway();
 * gateway.admit(wechatpay);
 * const { status } = await fetch(`${gateway.url}/v3/certificates`);
 * console.log(status, gateway.counts.refused); // → 401 1
 */
export async function startWechatpayGateway(options: GatewayOptions = {}): Promise<Gateway> {
  const { now = () => new Date(), port = 0 } = options;
  const accounts = new Map<string, Account>();
  const accountOf = (merchantId: string): Account => {
    const account = accounts.get(merchantId) ?? newAccount();
    accounts.set(merchantId, account);
    return account;
  };
  const counts = { accepted: 0, refused: 0, bySerial: new Map<string, number>() };
  const isReplay = createReplayCheck();

  const authenticate = (request: ReceivedRequest): Caller => {
    const caller = checkAuthorization(request, (merchantId) => accounts.get(merchantId)?.certificates, now());
    const nonce = `${caller.merchantId} ${caller.nonce}`;
    if (isReplay(nonce, now())) throw new SignError('Http头Authorization中的nonce_str已使用');
    counts.accepted += 1;
    counts.bySerial.set(caller.serialNumber, (counts.bySerial.get(caller.serialNumber) ?? 0) + 1);
    return caller;
  };

  const respond = (request: ReceivedRequest): Answer => {
    try {
      const caller = authenticate(request);
      const account = accountOf(caller.merchantId);
      const { status, body, download } = answerRequest(request, { caller, account, now: now() });
      if (download !== undefined) return { status, headers: { 'Content-Type': 'text/plain' }, body: download };
      const platformKey = choosePlatformKey(account, request.headers['wechatpay-serial']);
      return makeResponse(status, body, platformKey && { platformKey, now: now() });
    } catch (error) {
      if (!(error instanceof SignError)) throw error;
      counts.refused += 1;
      return makeResponse(401, { code: 'SIGN_ERROR', message: error.message, detail: error.detail });
    }
  };

  const post = (merchantId: string, { url, ...notice }: Notice): Posted => {
    const account = accountOf(merchantId);
    const { apiV3Key } = account;
    const platformKey = choosePlatformKey(account, undefined);
    if (apiV3Key === undefined || platformKey === undefined)
      throw new RangeError(`No key to sign or encrypt what ${merchantId} is notified of`);
    return { url, ...makeNotification({ ...notice, apiV3Key, platformKey, now: now() }) };
  };

  const listener = await listenOnLoopback(port, respond);
  const gateway: Gateway = {
    ...listener,
    counts,
    trust(merchantId, { serialNumber, publicKey }) {
      accountOf(merchantId).certificates.set(serialNumber, { publicKey, isRevoked: false });
    },
    revoke(merchantId, serialNumber) {
      const { certificates } = accountOf(merchantId);
      const certificate = certificates.get(serialNumber);
      if (certificate === undefined) throw new RangeError(`Not a certificate of ${merchantId}: ${serialNumber}`);
      certificates.set(serialNumber, { ...certificate, isRevoked: true });
    },
    setPlatformKeys: (merchantId, platformKeys) => (accountOf(merchantId).platformKeys = platformKeys),
    setApiV3Key: (merchantId, apiV3Key) => (accountOf(merchantId).apiV3Key = apiV3Key),
    admit({ merchantId, merchant, platformKeys, apiV3Key }) {
      gateway.trust(merchantId, merchant);
      gateway.setPlatformKeys(merchantId, platformKeys);
      gateway.setApiV3Key(merchantId, apiV3Key);
    },
    pay: (merchantId, outTradeNo) => post(merchantId, payOrder(accountOf(merchantId), outTradeNo, merchantId, now())),
    completeRefund: (merchantId, outRefundNo) =>
      post(merchantId, completeRefund(accountOf(merchantId), outRefundNo, merchantId, now())),
    [Symbol.asyncDispose]: () => listener.close(),
  };
  return gateway;
}

const newAccount = (): Account => ({
  certificates: new Map(),
  platformKeys: [],
  turn: 0,
  orders: new Map(),
  refunds: new Map(),
});

function makeResponse(status: number, content: unknown, signing?: SignMessageOptions): Answer {
  const body = Buffer.from(content === undefined ? '' : JSON.stringify(content));
  const headers = { 'Content-Type': 'application/json; charset=utf-8', 'Request-ID': randomUUID() };
  return { status, headers: { ...headers, ...(signing && signMessage(body, signing).headers) }, body };
}

function choosePlatformKey(account: Account, named: unknown): PlatformKey | undefined {
  const byName = account.platformKeys.find(({ keyId }) => keyId === named);
  if (byName !== undefined) return byName;
  const certificates = account.platformKeys.filter(({ issued }) => issued !== undefined);
  const candidates = certificates.length > 0 ? certificates : account.platformKeys;
  return candidates[account.turn++ % candidates.length];
}
