// Which calls of a credential the proxy forwards, and where to: what the platform's value knows, or what the configuration says.
import { PaycertError } from '../../errors.ts';
import type { Pair } from '../../gateway/hosts.ts';
import { assertSendable } from '../../gateway/sendable.ts';
import { type Forwarding, matchesCall, type NamedCall } from '../../providers/forwarding.ts';
import type { Entry } from '../../store/store.ts';

/** What the configuration says of one credential. */
export interface ProxyRoute {
  readonly credential: string;
  /** `GET /v3/pay/*` or `alipay.trade.*`: a method and a path, or the platform’s own name of a call. */
  readonly allow?: readonly string[];
  /** One of the platform's; its first unless given. */
  readonly origin?: string;
  /** The origin of a platform double. */
  readonly double?: string;
  /** That of its spare host. */
  readonly spareDouble?: string;
}

export interface Destination extends Pair {
  readonly forwarding: Forwarding;
  /** Patterns of the calls that are forwarded. */
  readonly allowed: readonly string[];
}

/**
 * Where calls of a credential go. With `routes`, only the credentials that they name are served. `named`: what the request says, where
 * it names the platform's own address.
 * @throws PaycertError `operation-unsupported`, `route-refused`
 */
export function destinationOf(
  { forwarding, origins = [], name }: Entry,
  routes: readonly ProxyRoute[] | undefined,
  named: string | undefined,
): Destination {
  const route = routes?.find(({ credential }) => credential === name);
  if (routes !== undefined && route === undefined) throw refused('proxy.routes does not name this credential');
  if (forwarding === undefined)
    throw new PaycertError('operation-unsupported', 'the proxy does not forward to this credential’s platform yet');
  if (named !== undefined && route?.origin !== undefined && named !== route.origin)
    throw refused('proxy.routes sends this credential to another host');
  const origin = route?.double ?? route?.origin ?? named ?? origins[0];
  // A family of hosts says where a key may be used, and is no place to send anything.
  if (origin?.includes('*') === true)
    throw refused('the platform has many hosts: name those that are called, `endpoints` under `provider`');
  if (origin === undefined) throw refused('nothing says where this partner is: set `origin` under `provider`');
  if (route?.double === undefined && !origins.includes(origin))
    throw refused('proxy.routes names an origin that is not this platform’s');
  const spare = route?.double === undefined ? forwarding.spares?.[origin] : route.spareDouble;
  return { origin, spare, forwarding, allowed: route?.allow ?? forwarding.allowed };
}

/** @throws PaycertError `route-refused`; `request-invalid` where no configuration could allow it */
export function assertAllowed(patterns: readonly string[], call: NamedCall): void {
  if (matchesCall(patterns, call)) return;
  // A base URL with a slash at its end begins each path with two: that is the fault to name.
  assertSendable(call.target);
  const shown = [...patterns.slice(0, mostShown), ...(patterns.length > mostShown ? ['…'] : [])].join(', ');
  throw refused(`${call.apiMethod ?? `${call.method} of this path`} is not among what is allowed: ${shown}`);
}

/** A message is read by people. */
const mostShown = 5;

const refused = (message: string) => new PaycertError('route-refused', message);
