// Who may call over TCP: this machine's programs that know the token, and no browser.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { PaycertError } from '../errors.ts';

/** A Host header, as RFC 9110 §7.2 writes it: any case, IPv6 in brackets, with a port or without. */
const namesThisMachine = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d*)?$/i;

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

export type Guard = (request: IncomingMessage) => PaycertError | undefined;

/** A browser (a page that rebinds its name to 127.0.0.1) or a forwarded request must not reach the keys, token or not. */
export function createGuard(token: () => string | undefined, isExposed: boolean): Guard {
  return ({ headers }) => {
    const foreign = foreignOf(headers) ?? (isExposed ? undefined : strangeHost(headers));
    if (foreign !== undefined) return foreign;
    if (isToken(bearerOf(headers.authorization), token())) return undefined;
    return new PaycertError('token-required', 'the bearer token is missing or wrong', { field: 'authorization' });
  };
}

type RequestHeaders = IncomingMessage['headers'];

export function foreignOf(headers: RequestHeaders): PaycertError | undefined {
  const isForeign =
    headers['x-forwarded-for'] !== undefined || headers.forwarded !== undefined || headers.origin !== undefined;
  return isForeign
    ? new PaycertError('request-forwarded', 'the request was forwarded, or comes from a browser')
    : undefined;
}

export function strangeHost({ host = '' }: RequestHeaders): PaycertError | undefined {
  if (namesThisMachine.test(host)) return undefined;
  return new PaycertError('request-forwarded', 'the Host header names another host', { field: 'host' });
}

/** What follows `Bearer` in the value of such a header. */
export const bearerOf = (value = ''): string | undefined => /^Bearer (.+)$/i.exec(value)?.[1];

/** The password of `Basic`, which is all that a client makes of the address of a proxy with a name and a password (RFC 7617). */
export function passwordOf(value = ''): string | undefined {
  const [, encoded] = /^Basic ([A-Za-z0-9+/]+={0,2})$/i.exec(value) ?? [];
  return encoded === undefined ? undefined : /^[^:]*:(.*)$/s.exec(Buffer.from(encoded, 'base64').toString())?.[1];
}

/** In constant time. Without a token that is expected, anything is. */
export const isToken = (sent: string | undefined, expected: string | undefined): boolean =>
  expected === undefined || (sent !== undefined && timingSafeEqual(digest(sent), digest(expected)));
