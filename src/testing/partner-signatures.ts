// Checks a request as a partner does, by what arrived alone: the five texts of a shared secret, and the canonical text of a key pair.
import { constants, createHmac, createPublicKey, KeyObject, timingSafeEqual, verify } from 'node:crypto';
import type { ReceivedRequest } from './answer.ts';

/** How a request is signed with a shared secret. */
export type HmacScheme = 'sorted' | 'sorted-quoted' | 'sorted-appended' | 'sorted-header' | 'request';

/** What both sides have agreed on. */
export interface HmacAccount {
  readonly keyId: string;
  readonly scheme: HmacScheme;
  /** 32 bytes or more. */
  readonly secret: string;
  /** Whether `/` stays as it is where values are encoded, as Python's `quote` leaves it; `keep` unless given. */
  readonly slash?: 'keep' | 'encode';
}

/** Whose requests are signed with a key pair, and its public half: a key, or its PEM. */
export interface PssAccount {
  readonly appId: string;
  readonly publicKey: KeyObject | string;
}

/** What a signed request says of itself. */
export interface Signed {
  readonly timestamp: string;
  readonly nonce: string;
  /** Whether the signature is good, and the text that it must be of. */
  readonly isGood: boolean;
  readonly text: string;
}

/** Why a request is refused. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

type Pair = readonly [name: string, value: string];

const inOrder = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
const sorted = (pairs: readonly Pair[]): readonly Pair[] =>
  pairs.toSorted(([a, x], [b, y]) => inOrder(a, b) || inOrder(x, y));
const joined = (pairs: readonly Pair[]): string => sorted(pairs).map((pair) => pair.join('=')).join('&'); // prettier-ignore

const encode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);

const isSame = (one: string, other: string): boolean =>
  one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other));

const need = (name: string, value: string | null | undefined): string => {
  if (!value) throw new Refusal('MISSING_HEADER', `${name} is missing`);
  return value;
};

/** Query and form are one set of parameters. @throws Refusal */
export function checkHmac({ method, url, headers, body }: ReceivedRequest, account: HmacAccount): Signed {
  const { keyId, scheme, secret, slash = 'keep' } = account;
  const [path = '', query = ''] = url.split('?');
  const parameters = new URLSearchParams(`${query}&${Buffer.from(body).toString()}`);
  const take = (name: string) => need(name, parameters.get(name));
  const isRequest = scheme === 'request';
  const named = take(isRequest ? 'AccessKey' : 'app_id');
  const [timestamp, nonce] = isRequest ? [take('Timestamp'), take('Nonce')] : [take('timestamp'), take('nonce')];
  const inHeader = /^Signature (.+)$/.exec(headers.authorization ?? '')?.[1];
  const signature = scheme === 'sorted-header' ? need('Authorization', inHeader) : take(isRequest ? 'Signature' : 'signature');
  if (named !== keyId) throw new Refusal('UNKNOWN_KEY', `no key has the id ${named}`);
  const left: ReadonlySet<string> = new Set(isRequest ? ['AccessKey', 'Signature'] : ['signature']);
  const pairs = [...parameters].filter(([name]) => !left.has(name));
  const quote = (text: string) => (slash === 'keep' ? encode(text).replaceAll('%2F', '/') : encode(text));
  const quoted = () => joined(sorted(pairs).map(([name, value]) => [name, quote(value)]));
  const asForm = (text: string) => encode(text).replaceAll('%20', '+');
  const texts: Readonly<Record<HmacScheme, () => string>> = {
    sorted: () => joined(pairs),
    'sorted-quoted': quoted,
    'sorted-appended': () => joined(pairs),
    'sorted-header': () => sorted(pairs).map((pair) => pair.map(asForm).join('=')).join('&'),
    request: () => `${method}&${quote(path)}&${quoted()}`,
  };
  const text = texts[scheme]();
  const code = createHmac('sha256', secret).update(scheme === 'sorted-appended' ? text + secret : text);
  const hex = () => code.digest('hex');
  const good = isRequest ? code.digest('base64') : scheme === 'sorted-quoted' ? hex().toUpperCase() : hex();
  return { timestamp, nonce, isGood: isSame(signature, good), text };
} // prettier-ignore

/** The query counts as it was written. @throws Refusal */
export function checkPss({ method, url, headers, body }: ReceivedRequest, { appId, publicKey }: PssAccount): Signed {
  const take = (name: string) => need(name, [headers[name.toLowerCase()]].flat()[0]);
  const [host, timestamp, nonce, signature] = [take('Host'), take('X-Ts'), take('X-Nonce'), take('X-Signature')];
  const named = take('X-App-Id');
  if (named !== appId) throw new Refusal('UNKNOWN_KEY', `no key is that of ${named}`);
  const [path = '', query = ''] = url.split('?');
  const pairs = query.split('&').filter((pair) => pair !== '').map((pair): Pair => {
    const at = pair.indexOf('=');
    return at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)];
  }); // prettier-ignore
  const head = [method, path, joined(pairs), `host: ${host}`, `x-ts: ${timestamp}`, `x-nonce: ${nonce}`, ''].join('\n');
  const message = Buffer.concat([Buffer.from(head), body]);
  const ours = publicKey instanceof KeyObject ? publicKey : createPublicKey(publicKey);
  const key = { key: ours, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
  const isGood = verify('sha256', message, key, Buffer.from(signature, 'base64'));
  return { timestamp, nonce, isGood, text: message.toString() };
}
