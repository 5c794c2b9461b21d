// The demo's traffic: an application as an SDK makes it, with a base URL and a throw-away key, that orders and queries.
import { generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto';
import type { Clock } from '../../clock.ts';

export interface Counts {
  requests: number;
  failures: number;
  /** Why, in a word, of the last one. */
  lastFailure?: string;
}

export interface Traffic {
  /** Of the proxy, with its token and the credential: all that the application knows of paycert. */
  readonly baseUrl: string;
  readonly merchantId: string;
  readonly callers: number;
  readonly pauseMilliseconds: number;
  readonly clock: Clock;
}

interface Request {
  readonly method: 'GET' | 'POST';
  /** Path and query at the platform. */
  readonly target: string;
  readonly body?: string;
}

/** What an SDK writes. No platform knows this key: the proxy puts the merchant's signature in its place. */
function authorization({ method, target, body = '' }: Request, { merchantId, clock }: Traffic, key: KeyObject): string {
  const [timestamp, nonce] = [String(Math.floor(clock.now().getTime() / 1000)), randomUUID()];
  const signature = sign('sha256', Buffer.from(`${method}\n${target}\n${timestamp}\n${nonce}\n${body}\n`), key);
  const parts = { mchid: merchantId, nonce_str: nonce, timestamp, serial_no: '00', signature: signature.toString('base64') };
  return `WECHATPAY2-SHA256-RSA2048 ${Object.entries(parts).map(([name, value]) => `${name}="${value}"`).join(',')}`;
} // prettier-ignore

/** Runs until aborted; what is in flight then finishes and counts. */
export async function driveTraffic(traffic: Traffic, counts: Counts, signal: AbortSignal): Promise<void> {
  const { baseUrl, merchantId, callers, pauseMilliseconds, clock } = traffic;
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const send = async (request: Request): Promise<void> => {
    const { method, target, body } = request;
    const headers = { Authorization: authorization(request, traffic, privateKey), 'Content-Type': 'application/json' };
    const response = await fetch(`${baseUrl}${target}`, { method, headers, ...(body !== undefined && { body }) });
    const text = await response.text();
    if (response.status !== 200)
      throw new Error(`${response.status} ${(JSON.parse(text) as { title?: string }).title}`);
    if (response.headers.get('paycert-verified') !== 'yes') throw new Error('a response that was not verified');
  };
  const payOnce = async (): Promise<void> => {
    const number = randomUUID();
    const amount = { total: 1, currency: 'CNY' };
    const body = JSON.stringify({ mchid: merchantId, out_trade_no: number, description: '演示订单', amount });
    await send({ method: 'POST', target: '/v3/pay/transactions/jsapi', body });
    await send({ method: 'GET', target: `/v3/pay/transactions/out-trade-no/${number}?mchid=${merchantId}` });
  };
  const caller = async (): Promise<void> => {
    while (!signal.aborted) {
      try {
        await payOnce();
      } catch (error) {
        counts.failures += 1;
        counts.lastFailure = error instanceof Error ? error.message : 'unknown';
      }
      counts.requests += 2;
      await clock.sleep(pauseMilliseconds, signal);
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
}
