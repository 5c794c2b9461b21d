// What is handed to the application: a body, and headers that say what it is and prove that paycert says so.
import { createHash, createHmac } from 'node:crypto';

/** What was found of a notification. */
export interface Facts {
  readonly credential: string;
  /** Equal for all times that the platform sends it. */
  readonly id: string;
  readonly eventType: string;
  /** The key of the platform that signed it. */
  readonly keyId: string;
  /** `none`: it has no signature, and only its encryption speaks for it. */
  readonly verified: 'yes' | 'none';
  /** What follows the credential in the address that was called. Only partners sign it. */
  readonly target: string;
}

export interface Envelope {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** Longer than any platform's id. */
const longestText = 128;

/** Printable, and of a length that every server takes: the body has the whole. */
function nameable(text: string): string {
  if (Buffer.byteLength(text) > longestText) return `sha256:${createHash('sha256').update(text).digest('hex')}`;
  return text.replace(/[^!-~]/gu, (character) => encodeURIComponent(character.toWellFormed()));
}

const names = ['Paycert-Timestamp', 'Paycert-Credential', 'Paycert-Id', 'Paycert-Type', 'Paycert-Key-Id', 'Paycert-Verified', 'Paycert-Target'] as const; // prettier-ignore

/**
 * With an HMAC-SHA256 over the values of these headers, in this order, each ended by LF, and the body: who knows the secret can
 * tell that nobody else wrote it, and when.
 */
export function seal(
  facts: Facts,
  body: Uint8Array,
  { secret, now }: { readonly secret: string; readonly now: Date },
): Envelope {
  const values = [
    String(Math.floor(now.getTime() / 1000)),
    facts.credential,
    nameable(facts.id),
    nameable(facts.eventType),
    nameable(facts.keyId),
    facts.verified,
    facts.target.replace(/[^!-~]/gu, (character) => encodeURIComponent(character.toWellFormed())),
  ];
  const lines = values.map((value) => `${value}\n`).join('');
  const signature = createHmac('sha256', secret).update(lines).update(body).digest('hex');
  const headers = Object.fromEntries(names.map((name, index) => [name, values[index] ?? '']));
  return { headers: { ...headers, 'Paycert-Signature': `sha256=${signature}` }, body };
}

/** Of one connection, or written again for the next one (RFC 9110 §7.6.1); and what only paycert may say. */
const notPassedOn =
  /^(?:connection|keep-alive|proxy-connection|te|trailer|transfer-encoding|upgrade|host|content-length|expect|paycert-.*)$/;

/** Headers that an SDK may want to verify again. */
export const passedOn = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !notPassedOn.test(name.toLowerCase())));
