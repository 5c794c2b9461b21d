// Who may call over TCP: this machine's programs that know the token, and no browser.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { PaycertError } from '../errors.ts';

/** A Host header, as RFC 9110 §7.2 writes it: any case, IPv6 in brackets, with a port or without. */
const namesThisMachine = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d*)?$/i;

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** A browser (a page that rebinds its name to 127.0.0.1) or a forwarded request must not reach the keys, token or not. */
export function createGuard(
  token: () => string | undefined,
  isExposed: boolean,
): (request: IncomingMessage) => PaycertError | undefined {
  return ({ headers }) => {
    if (headers['x-forwarded-for'] !== undefined || headers.forwarded !== undefined || headers.origin !== undefined) {
      return new PaycertError('request-forwarded', 'the request was forwarded, or comes from a browser');
    }
    if (!isExposed && !namesThisMachine.test(headers.host ?? '')) {
      return new PaycertError('request-forwarded', 'the Host header names another host', { field: 'host' });
    }
    const expected = token();
    const [, sent] = /^Bearer (.+)$/i.exec(headers.authorization ?? '') ?? [];
    if (expected === undefined || (sent !== undefined && timingSafeEqual(digest(sent), digest(expected))))
      return undefined;
    return new PaycertError('token-required', 'the bearer token is missing or wrong', { field: 'authorization' });
  };
}
