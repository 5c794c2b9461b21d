// Who may call the proxy over TCP: programs of this machine that know the token, in a place that no platform reads.
import { PaycertError } from '../../errors.ts';
import { bearerOf, foreignOf, type Guard, isToken, passwordOf, strangeHost } from '../guard.ts';
import { hostInTarget, withoutToken } from './address.ts';

/** `Authorization` is the platform's: SDKs fill it. So the token comes beside it, or in the path. */
export function createProxyGuard(token: () => string | undefined, isExposed: boolean): Guard {
  return ({ headers, url = '' }) => {
    // In absolute form the Host is the platform's. No page can make a browser send that form to a server.
    const isAbsolute = headers.host !== undefined && headers.host.toLowerCase() === hostInTarget(url);
    const foreign = foreignOf(headers) ?? (isExposed || isAbsolute ? undefined : strangeHost(headers));
    if (foreign !== undefined) return foreign;
    const { 'paycert-token': own, 'proxy-authorization': proxy } = headers;
    const sent = typeof own === 'string' ? own : (bearerOf(proxy) ?? passwordOf(proxy) ?? withoutToken(url).token);
    if (isToken(sent, token())) return undefined;
    return new PaycertError('proxy-token-required', 'the token is missing or wrong', { field: 'proxy-authorization' });
  };
}
