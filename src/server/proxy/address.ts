// Where a request to the proxy says that it wants to go: a credential and the platform's path, or the platform's own address.
import { PaycertError, requestInvalid } from '../../errors.ts';
import type { Store } from '../../store/store.ts';

const tokenSegment = /^\/~([^/?]*)(\/.*)$/s;

/** `/~TOKEN/wechat-main/v3/…`: for SDKs that can send no header of their own. */
export function withoutToken(url: string): { readonly url: string; readonly token?: string } {
  if (!url.startsWith('/~')) return { url };
  const [, token, rest] = tokenSegment.exec(url) ?? [];
  if (token === undefined || rest === undefined) return { url };
  return { url: rest, token: decode(token) };
}

/** What is not well encoded is no token. */
function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return '';
  }
}

/** What follows the credential, byte for byte; the platform's path and query. */
export const targetAfter = (url: string, credential: string): string => url.slice(credential.length + 1);

const absoluteForm = /^https?:\/\/([a-z0-9.-]+)(?::(\d{1,5}))?(\/.*)$/is;

/** The host of a request in absolute form, as clients send it to an HTTP proxy (RFC 9112 §3.2.2). */
export function hostInTarget(url: string): string | undefined {
  const [, host, port] = absoluteForm.exec(url) ?? [];
  return host && `${host.toLowerCase()}${port === undefined ? '' : `:${port}`}`;
}

export interface Address {
  /** `/CREDENTIAL/…` */
  readonly url: string;
  /** What the platform's own address names. */
  readonly origin?: string;
}

/**
 * A request in absolute form as one that names its credential: `named` in `Paycert-Credential`, or the only one whose platform is at that
 * host. Always over TLS, whatever scheme it says.
 * @throws PaycertError `route-refused`, `request-invalid`
 */
export function addressOf(url: string, named: unknown, store: Store): Address {
  if (url.startsWith('/')) return { url };
  const [, host = '', port, target = ''] = absoluteForm.exec(url) ?? [];
  if (host === '') return { url };
  const origin = `https://${host.toLowerCase()}`;
  const there = store.entries().filter(({ origins = [], forwarding }) => forwarding && origins.includes(origin));
  const [only, ...others] = typeof named === 'string' ? there.filter(({ name }) => name === named) : there;
  if ((port !== undefined && port !== '80' && port !== '443') || there.length === 0)
    throw new PaycertError('route-refused', 'no credential’s platform is at that address');
  if (only === undefined)
    throw requestInvalid('paycert-credential', 'names no credential whose platform is at that host');
  if (others.length > 0)
    throw requestInvalid('paycert-credential', 'is missing: several credentials have that platform');
  return { url: `/${only.name}${target}`, origin };
}
