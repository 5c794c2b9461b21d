// The signing proxy: an application's requests become signed ones, and only responses that verify come back.
import type { IncomingMessage, RequestListener } from 'node:http';
import type { Clock } from '../../clock.ts';
import { type PaycertError } from '../../errors.ts';
import type { Observe, TracedRequest } from '../../events.ts';
import type { GatewayClient, GatewayResponse } from '../../gateway/client.ts';
import type { Attempt } from '../../gateway/attempt.ts';
import type { CallOutcome } from '../../providers/forwarding.ts';
import { membersWhere, setMember } from '../../members.ts';
import { shownPath } from '../../shown-path.ts';
import type { Around } from '../../store/call.ts';
import type { Store } from '../../store/store.ts';
import { readBytes } from '../body.ts';
import { callOf } from '../caller.ts';
import { problemOf, toPaycertError } from '../problem.ts';
import { problemJson, sendProblem } from '../respond.ts';
import { notSent } from './not-sent.ts';
import { type Reply, type Route, type RouteCall, serveRoutes } from '../routes.ts';
import { addressOf, targetAfter, withoutToken } from './address.ts';
import { assertAllowed, destinationOf, type ProxyRoute } from './allowed.ts';
import { type LocalSigning, resigned } from './resign.ts';
import type { TraceOf } from '../../trace.ts';

export interface ProxyOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly observe: Observe;
  readonly around: Around;
  readonly gateway: GatewayClient;
  readonly maxBodyBytes: number;
  /** What the configuration says now; absent: what each platform's value knows. */
  readonly routes: () => readonly ProxyRoute[] | undefined;
  /** A clock that never goes back. */
  readonly milliseconds: () => number;
  /** What verified responses are signed with again; absent: the platform's own signature stays. */
  readonly local?: LocalSigning | undefined;
  /** Absent: nothing is traced. */
  readonly traceOf?: TraceOf | undefined;
}

const unknown = 'the path begins with no credential: set the base URL to http://HOST:PORT/CREDENTIAL';

/** The proxy of one listener. Its name is what is known of its callers. */
export function createProxy(options: ProxyOptions, listener: string): RequestListener {
  /** Of requests in absolute form: the platform's own address. */
  const origins = new WeakMap<IncomingMessage, string>();
  const routes = proxyRoutes(options, { listener, originOf: (request) => origins.get(request) });
  const serve = serveRoutes(routes, { where: 'proxy', unknown, observe: options.observe, addition: notSent });
  return (request, response) => {
    try {
      // The guard has checked the token; nothing after it sees it.
      const { url } = withoutToken(request.url ?? '');
      const address = addressOf(url, request.headers['paycert-credential'], options.store);
      request.url = address.url;
      if (address.origin !== undefined) origins.set(request, address.origin);
    } catch (error) {
      sendProblem(request, response, toPaycertError(error), notSent);
      return;
    }
    serve(request, response);
  };
}

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

interface Way {
  readonly listener: string;
  readonly originOf: (request: IncomingMessage) => string | undefined;
}

const proxyRoutes = (options: ProxyOptions, way: Way): readonly Route[] =>
  methods.map((method) => ({
    ...{ method, path: '/{credential}/{+target}', type: 'application/json' },
    summary: 'Signed, sent to the platform, and delivered if the response verifies.',
    run: (route) => forward(options, way, route),
  }));

/** A name that is unknown is refused before the body is read, and never becomes a label. */
async function forward(options: ProxyOptions, { listener, originOf }: Way, route: RouteCall): Promise<Reply> {
  const { store, observe, milliseconds, traceOf } = options;
  const { credential = '' } = route.parameters;
  const entry = store.entry(credential);
  const { method = '' } = route.request;
  const startedAt = options.clock.now();
  const { signal } = route;
  const call = callOf(route, { listener, credential, operation: 'forward', startedAt, signal, traceOf });
  const attempts: Attempt[] = [];
  const started = milliseconds();
  const { trace } = call;
  const target = targetAfter(route.request.url ?? '', credential);
  const traced: TracedRequest | undefined = trace?.isSampled === true ? { trace, method, url: shownPath(target) } : undefined; // prettier-ignore
  const report = (outcome: CallOutcome, status: number, more: { verified?: GatewayResponse['verified']; error?: PaycertError }) =>
    observe({ type: 'forwarded', call: call.id, credential, method, outcome, status, attempts: attempts.length, seconds: (milliseconds() - started) / 1000, ...more, ...(traced && { traced }) }); // prettier-ignore
  const held = options.gateway.budget.open();
  try {
    const { allowed, origin, spare, forwarding } = destinationOf(entry, options.routes(), originOf(route.request));
    const response = await options.around(call, async () => {
      const body = await readBytes(route.request, options.maxBodyBytes, (bytes) => held.add(bytes));
      const request = { method, target, headers: textHeaders(route), body };
      const apiMethod = forwarding.apiMethodOf?.(request);
      assertAllowed(allowed, { method, target, apiMethod });
      const received = await options.gateway.send(call, { origin, spare, forwarding, request, apiMethod, attempts });
      const { local, clock } = options;
      return local === undefined ? received : resigned(received, { call, forwarding, apiMethod, now: clock.now() }, local); // prettier-ignore
    });
    report(response.outcome, response.status, { verified: response.verified });
    return replyOf(response, attempts.length);
  } catch (error) {
    const known = toPaycertError(error);
    if (known.kind === 'internal') observe({ type: 'internal-error', where: 'proxy', credential, error });
    const outcome = outcomeOfFailure(attempts);
    const keyId = attempts.at(-1)?.keyId;
    const problem = problemOf(known);
    report(outcome, problem.status, { error: known });
    // A body that its caller still sends is dealt with by the one place that knows how.
    if (!route.request.complete) throw known;
    return {
      status: problem.status,
      type: problemJson,
      headers: {
        ...(keyId !== undefined && { 'Paycert-Key-Id': keyId }),
        'Paycert-Attempts': String(attempts.length),
        'Paycert-Outcome': outcome,
        ...(problem.status === 503 && { 'Retry-After': retryAfter(known, options.clock.now()) }),
      },
      body: JSON.stringify({ ...problem, outcome }),
    };
  } finally {
    held.release();
  }
}

/** In whole seconds, at least one. */
const retryAfter = ({ retryAt }: PaycertError, now: Date): string =>
  String(Math.max(Math.ceil(((retryAt ?? now).getTime() - now.getTime()) / 1000), 1));

/** Whatever went wrong in the end: once an attempt may have reached the platform, the call may have been done. */
const outcomeOfFailure = (attempts: readonly Attempt[]): CallOutcome =>
  attempts.some(({ outcome }) => outcome !== 'not-sent') ? 'unknown' : 'refused';

/** Names as platforms write them: wechatpay-java looks for `Wechatpay-Signature`, and finds no other spelling. */
function replyOf({ status, headers, body, keyId, verified, outcome }: GatewayResponse, attempts: number): Reply {
  const written: Record<string, string | readonly string[]> = {};
  let type = 'application/octet-stream';
  for (const name of Object.keys(headers)) {
    const value = headers[name] ?? '';
    if (name === 'content-type') type = String(value);
    else setMember(written, capital(name), value);
  }
  written['Paycert-Key-Id'] = keyId;
  written['Paycert-Verified'] = verified;
  written['Paycert-Outcome'] = outcome;
  written['Paycert-Attempts'] = String(attempts);
  return { status, type, headers: written, body };
}

/** Platforms send the same few names again and again; what else they send fills no memory. */
const capitals = new Map<string, string>();
const mostCapitals = 200;

function capital(name: string): string {
  const known = capitals.get(name);
  if (known !== undefined) return known;
  const written = name.replace(/\b[a-z]/g, (letter) => letter.toUpperCase());
  if (capitals.size < mostCapitals) capitals.set(name, written);
  return written;
}

/** Node has joined what came twice; `set-cookie`, which it does not join, is nothing that a request has. */
function textHeaders({ request: { headers } }: RouteCall): Readonly<Record<string, string>> {
  // Without a copy where there is nothing to leave out.
  if (headers['set-cookie'] === undefined) return headers as Readonly<Record<string, string>>;
  return membersWhere<string | string[] | undefined, string>(headers, (value) => typeof value === 'string');
}
