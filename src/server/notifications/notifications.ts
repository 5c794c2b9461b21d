// The listener for notifications: verified and opened here, handed to the application once, and accepted only after its 2xx.
import type { IncomingMessage, RequestListener } from 'node:http';
import type { Clock } from '../../clock.ts';
import { PaycertError, requestInvalid } from '../../errors.ts';
import type { Observe, TracedRequest } from '../../events.ts';
import type { Application } from '../../delivery/application.ts';
import { type Envelope, passedOn, seal } from '../../delivery/envelope.ts';
import type { Once } from '../../delivery/once.ts';
import type { Strangers } from '../../delivery/strangers.ts';
import { randomNonce } from '../../nonce.ts';
import type { Notifying, PlatformReply } from '../../providers/notifying.ts';
import type { ReceivedNotification } from '../../providers/provider.ts';
import { shownPath } from '../../shown-path.ts';
import type { Around, Call } from '../../store/call.ts';
import type { Store } from '../../store/store.ts';
import { CredentialUse } from '../../store/credential-use.ts';
import { within } from '../../store/use.ts';
import { childOf, type Trace, traceHeaders } from '../../trace.ts';
import { Deadlines } from '../../system/deadlines.ts';
import { readBytes } from '../body.ts';
import { callOf } from '../caller.ts';
import { notificationBytes } from '../limits.ts';
import { toPaycertError } from '../problem.ts';
import { type Reply, type Route, type RouteCall, serveRoutes } from '../routes.ts';
import { answerTo } from './asked.ts';
import { digestOf, isVerifiedOnce, openedPlainly, type Opened, openWith } from './open.ts';
import { failureOf } from './outcome.ts';

/** Bytes of one notification, until it is released. */
interface Held {
  /** @throws PaycertError `overloaded` */
  add(bytes: number): void;
  release(): void;
}

export interface NotificationTracing {
  /** Where one stands in a trace. */
  readonly traceOf: (request: IncomingMessage) => Trace;
  /** Where the application is, as spans say it. */
  readonly deliversTo: string;
}

export interface NotificationsOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly observe: Observe;
  readonly around: Around;
  readonly application: Pick<Application, 'deliver'>;
  readonly once: Once;
  readonly strangers: Strangers;
  /** Begins to hold the bytes of one, within what all may take. */
  readonly hold: () => Held;
  /** What the application checks the headers with, as it is now. */
  readonly secret: () => string;
  /** `raw`: as it came, for an SDK that verifies again. */
  readonly deliver: 'opened' | 'raw';
  readonly sourceOf: (request: IncomingMessage) => string;
  /** Absent: nothing is traced. */
  readonly tracing?: NotificationTracing | undefined;
  /** A clock that never goes back. */
  readonly milliseconds: () => number;
}

const unknown =
  'the path begins with no credential: give platforms https://HOST/CREDENTIAL as the address for notifications';

export function createNotifications(options: NotificationsOptions): RequestListener {
  const post = { method: 'POST', type: 'application/json', summary: 'A notification of a platform.' } as const;
  const deadlines = deadlinesOf(options);
  const run: Route['run'] = (route) => answer(options, route, deadlines);
  const routes: readonly Route[] = [
    { ...post, path: '/{credential}', run },
    { ...post, path: '/{credential}/{+target}', run },
  ];
  return serveRoutes(routes, { where: 'notifications', unknown, observe: options.observe });
}

/** What one request is about. */
interface Taken {
  readonly call: Call;
  readonly notifying: Notifying;
  /** Where it comes from. */
  readonly source: string;
  readonly held: Held;
}

/** A name that is unknown is refused before anything is read, and never becomes a label. */
async function answer(
  options: NotificationsOptions,
  route: RouteCall,
  deadlines: (waits: number) => Deadlines,
): Promise<Reply> {
  const { store, clock, observe, milliseconds, strangers, sourceOf, hold, tracing } = options;
  const { credential = '' } = route.parameters;
  const { notifying } = store.entry(credential);
  if (notifying === undefined)
    throw new PaycertError('operation-unsupported', 'this credential’s platform sends no notifications');
  const call = callOf(route, {
    listener: 'notifications',
    credential,
    operation: 'notification',
    startedAt: clock.now(),
    signal: route.gone,
    traceOf: tracing && (() => tracing.traceOf(route.request)),
  });
  const started = milliseconds();
  const seconds = () => (milliseconds() - started) / 1000;
  const source = sourceOf(route.request);
  const about = { type: 'notified', call: call.id, credential, ...tracedAs(call.trace, shownPath(route.request.url ?? '')) } as const; // prettier-ignore
  try {
    if (!strangers.admit(source))
      throw new PaycertError('source-limited', 'nothing from this address has verified, and there is too much of it');
    const taking = take(options, route, { call, notifying, source, held: hold() });
    const { outcome, reply = notifying.accepted } = await inTime(deadlines(notifying.waitsMilliseconds), taking);
    const { status } = notifying.accepted;
    const { type, body } = reply;
    observe({ ...about, outcome, status, seconds: seconds() });
    return { status, type, body };
  } catch (error) {
    const known = toPaycertError(error);
    if (known.kind === 'internal') observe({ type: 'internal-error', where: 'notifications', credential, error });
    const { outcome, status } = failureOf(known);
    observe({ ...about, outcome, status, seconds: seconds(), error: known });
    // A body that its sender still sends is dealt with by the one place that knows how.
    if (!route.request.complete) throw known;
    return {
      status,
      ...notifying.refused,
      ...((status === 503 || status === 429) && { headers: { 'Retry-After': '1' } }),
    };
  }
}

/** What it becomes; once the platform would not hear it any more, that it is late. It continues all the same. */
const inTime = <T>(deadlines: Deadlines, work: Promise<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    const over = deadlines.begin(() =>
      reject(new PaycertError('application-late', 'the application has not answered yet; it may still take it')),
    );
    work.finally(over).then(resolve, reject);
  });

/** Of each platform, by how long it waits. */
function deadlinesOf({ clock, milliseconds }: NotificationsOptions): (waits: number) => Deadlines {
  const known = new Map<number, Deadlines>();
  return (waits) => {
    const deadlines = known.get(waits) ?? new Deadlines({ clock, milliseconds, deadlineMilliseconds: waits });
    known.set(waits, deadlines);
    return deadlines;
  };
}

interface Outcome {
  readonly outcome: 'accepted' | 'repeated' | 'asked';
  /** In place of what says that it was accepted. */
  readonly reply?: PlatformReply;
}

async function take(options: NotificationsOptions, route: RouteCall, taken: Taken): Promise<Outcome> {
  const { call, notifying, source, held } = taken;
  try {
    const { request } = route;
    const { url = '', method = '' } = request;
    if (url.length > longestUrl) throw requestInvalid('url', `is longer than ${String(longestUrl)} characters`);
    const body = await readBytes(request, notificationBytes, (bytes) => held.add(bytes));
    const message = { kind: 'notification', method, url, headers: textHeaders(request), body } as const;
    const { reply, ...opened } = await options.around(call, () => open(options, call, notifying, message));
    options.strangers.verified(source);
    if (reply !== undefined) return { outcome: 'asked', reply };
    const { key, keyId } = opened;
    const { repeatsMilliseconds } = notifying;
    const delivering = {
      key: `${call.credential} ${key}`,
      keyId,
      repeatsMilliseconds,
      isVerifiedOnce: isVerifiedOnce(notifying),
    };
    const time = await options.once.run(delivering, () =>
      deliver(options, call, envelopeOf(options, call, message, opened)),
    );
    return { outcome: time === 'first' ? 'accepted' : 'repeated' };
  } finally {
    held.release();
  }
}

const longestUrl = 2048;

async function open(
  { store, once, observe }: NotificationsOptions,
  call: Call,
  notifying: Notifying,
  message: ReceivedNotification,
): Promise<Opened & { readonly reply?: PlatformReply | undefined }> {
  // Asked first: without keys, nothing is known of a message either.
  const snapshot = store.current(call.credential);
  const verifiedBefore = notifying.read && once.keyIdOf(`${call.credential} ${digestOf(message)}`);
  if (notifying.read && verifiedBefore !== undefined) return openedPlainly(message, notifying.read, verifiedBefore);
  const use = new CredentialUse(snapshot, within(call), { observe, nonce: randomNonce });
  const opened = await openWith(use, message, notifying);
  return { ...opened, reply: await answerTo(opened, notifying, { snapshot, use }) };
}

function envelopeOf(
  { secret, deliver: how, clock }: NotificationsOptions,
  { credential }: Call,
  message: ReceivedNotification,
  { resource, ...facts }: Opened,
): Envelope {
  const target = (message.url ?? '').slice(credential.length + 1);
  const about = { ...facts, credential, target };
  const moment = { secret: secret(), now: clock.now() };
  if (how === 'opened') {
    const { headers, body } = seal(about, Buffer.from(JSON.stringify(resource)), moment);
    return { headers: { 'Content-Type': 'application/json', ...headers }, body };
  }
  const { headers, body } = seal(about, message.body, moment);
  return { headers: { ...passedOn(message.headers ?? {}), ...headers }, body };
}

/** What a span says of it; nothing where none is recorded. Both are posted. */
const tracedAs = (trace: Trace | undefined, url: string): { readonly traced?: TracedRequest } =>
  trace?.isSampled === true ? { traced: { trace, method: 'POST', url } } : {};

const deliveredAs = {
  'application-refused': 'refused',
  'application-unreachable': 'unreachable',
  'application-timeout': 'timed-out',
} as const;

async function deliver(
  { application, observe, milliseconds, tracing }: NotificationsOptions,
  { id: call, credential, trace: parent }: Call,
  { headers, body }: Envelope,
): Promise<void> {
  const started = milliseconds();
  const trace = parent && childOf(parent);
  let status: number | undefined;
  const about = () => ({
    ...({ type: 'delivered', call, credential, seconds: (milliseconds() - started) / 1000 } as const),
    ...(status !== undefined && { status }),
    ...tracedAs(trace, tracing?.deliversTo ?? ''),
  });
  try {
    const traced = { headers: { ...headers, ...(trace && traceHeaders(trace)) }, body };
    await application.deliver(traced, (answered) => (status = answered));
    observe({ ...about(), outcome: 'accepted' });
  } catch (error) {
    if (error instanceof PaycertError && Object.hasOwn(deliveredAs, error.code))
      observe({ ...about(), outcome: deliveredAs[error.code as keyof typeof deliveredAs], error });
    throw error;
  }
}

/** Node has joined what came twice; `set-cookie`, which it does not join, is nothing that a request has. */
function textHeaders({ headers }: IncomingMessage): Record<string, string> {
  const texts: Record<string, string> = {};
  // No list of pairs: there is one of these for each notification.
  for (const name in headers) {
    const value = headers[name];
    if (typeof value === 'string') texts[name] = value;
  }
  return texts;
}
