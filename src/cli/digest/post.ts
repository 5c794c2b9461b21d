// Posts the digest to a webhook, directly or through a proxy, and again while it is not taken.
import type { RequestOptions } from 'node:https';
import { connect as secure } from 'node:tls';
import type { Clock } from '../../clock.ts';
import { PaycertError } from '../../errors.ts';
import { openTunnel } from '../../gateway/way-out.ts';
import { jsonIn } from '../../system/json.ts';
import { createLookup } from '../../system/lookup.ts';
import { readBytes, request, Unreachable } from '../../system/request.ts';
import type { Digest } from './findings.ts';
import { postedTo, type ReceiverName, receivers, taken } from './message.ts';

export interface PostOptions {
  readonly receiver: ReceiverName;
  /** It holds a secret: who knows it may post. */
  readonly address: URL;
  readonly secret: string | undefined;
  readonly template: unknown;
  readonly proxy: string | undefined;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

const pauses = [1000, 5000, 30_000];
const silenceMilliseconds = 10_000;
const maxBytes = 64 * 1024;

/** @throws PaycertError `digest-unposted` once it was not taken four times */
export async function post(digest: Digest, options: PostOptions): Promise<void> {
  const { clock, signal } = options;
  for (let tries = 0; ; tries += 1) {
    const why = await postOnce(digest, options);
    if (why === undefined) return;
    const pause = pauses[tries];
    if (pause === undefined || signal.aborted)
      throw new PaycertError('digest-unposted', `the ${options.receiver} webhook at ${options.address.host} did not take it: ${why}`); // prettier-ignore
    await clock.sleep(pause, signal);
  }
}

/** Why it was not taken. Signed again for each try: signatures are good for a time. */
async function postOnce(digest: Digest, options: PostOptions): Promise<string | undefined> {
  const { receiver, address, secret, template, clock, signal } = options;
  const { query, body } = postedTo(receiver, digest, { now: clock.now(), secret, template });
  const url = new URL(address);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  try {
    const headers = { 'Content-Type': 'application/json; charset=utf-8', 'Content-Length': Buffer.byteLength(body) };
    const sent = { method: 'POST', headers, ...(await wayTo(url, options)) };
    const response = await request(url, sent, { body, silenceMilliseconds, mayRepeat: false }, signal);
    const { statusCode = 0 } = response;
    const content = await readBytes(response, maxBytes, signal);
    if (statusCode < 200 || statusCode > 299) return `HTTP ${String(statusCode)}`;
    const code = receivers[receiver].code(jsonIn(content));
    if (code === taken) return undefined;
    // A text of theirs may repeat what was sent; a number names the reason.
    return typeof code === 'number' ? `it says ${String(code)}` : 'it does not say that it did';
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof Unreachable) return error.reason;
    return (error as NodeJS.ErrnoException).code ?? 'no response';
  }
}

/** Through a tunnel, the proxy sees the name of the host and no byte of the request. */
async function wayTo(url: URL, { proxy }: PostOptions): Promise<RequestOptions> {
  if (proxy === undefined) return {};
  const socket = await openTunnel({ proxy }, url.origin, { lookup: createLookup(), milliseconds: silenceMilliseconds });
  const createConnection = () => (url.protocol === 'http:' ? socket : secure({ socket, servername: url.hostname }));
  return { agent: false, createConnection };
}
