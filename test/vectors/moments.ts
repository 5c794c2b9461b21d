// What the inputs say about the request and its time.
import type { Situation } from './situation.ts';

/** The source's moment: its own clock, else the time of the message. */
export function clockOf(situation: Situation, headers: Readonly<Record<string, string>> = {}): Date {
  const given = situation.text('now_unix', 'now', 'clock', 'verify_time');
  const stamped = Object.entries(headers).find(([name]) => name.toLowerCase() === 'wechatpay-timestamp')?.[1];
  const text = given ?? situation.text('timestamp') ?? stamped ?? '0';
  return /^\d+$/.test(text) ? new Date(Number(text) * 1000) : new Date(text);
}

export const requestOf = (situation: Situation) => ({
  method: situation.need('method'),
  url: situation.need('url', 'uri', 'path', 'canonical_url', 'canonical_uri'),
  timestamp: situation.need('timestamp'),
  nonce: situation.need('nonce', 'nonce_str'),
  body: Buffer.from(situation.text('body') ?? ''),
});
