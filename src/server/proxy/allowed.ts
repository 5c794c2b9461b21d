// Which calls of a credential the proxy forwards, and where to: what the platform's value knows, or what the configuration says.
import { PaycertError } from '../../errors.ts';
import { type ForwardedRequest, type Forwarding, matchesCall } from '../../providers/forwarding.ts';
import type { Entry } from '../../store/store.ts';

/** What the configuration says of one credential. */
export interface ProxyRoute {
  readonly credential: string;
  /** `GET /v3/pay/*`: a method, and a path that may end with `*`. */
  readonly allow?: readonly string[];
  /** One of the platform's; its first unless given. */
  readonly origin?: string;
  /** The origin of a platform double. */
  readonly double?: string;
}

export interface Destination {
  readonly origin: string;
  readonly forwarding: Forwarding;
}

/**
 * Where the call goes. With `routes`, only the credentials that they name are served.
 * @throws PaycertError `operation-unsupported`, `route-refused`
 */
export function destinationOf(
  { forwarding, origins = [], name }: Entry,
  routes: readonly ProxyRoute[] | undefined,
  request: Pick<ForwardedRequest, 'method' | 'target'> & { readonly origin?: string | undefined },
): Destination {
  const route = routes?.find(({ credential }) => credential === name);
  if (routes !== undefined && route === undefined) throw refused('proxy.routes does not name this credential');
  if (forwarding === undefined)
    throw new PaycertError('operation-unsupported', 'the proxy does not forward to this credential’s platform yet');
  if (!(route?.allow ?? forwarding.allowed).some((pattern) => matchesCall(pattern, request)))
    throw refused(`${request.method} of this path is not among what is allowed`);
  if (request.origin !== undefined && route?.origin !== undefined && request.origin !== route.origin)
    throw refused('proxy.routes sends this credential to another host');
  const origin = route?.double ?? route?.origin ?? request.origin ?? origins[0];
  if (origin === undefined || (route?.double === undefined && !origins.includes(origin)))
    throw refused('proxy.routes names an origin that is not this platform’s');
  return { origin, forwarding };
}

const refused = (message: string) => new PaycertError('route-refused', message);
