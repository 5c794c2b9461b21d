// What one listener lets its callers take, in one place for every listener: connections, heads, time, requests that wait.
import { readFileSync } from 'node:fs';

export interface Limits {
  /** At once. With one more, the one that matters least ends; see `Connections`. */
  readonly connections: number;
  /** Whether also a connection may end whose response is still on its way. */
  readonly endsUnanswered: boolean;
  /** How many may wait to be accepted. The kernel's own limit (net.core.somaxconn) holds as well. */
  readonly backlog: number;
  /** Of the request line and headers together. */
  readonly headBytes: number;
  /** From the first byte expected to the last of the head. */
  readonly headMilliseconds: number;
  /** To the last byte of the body. */
  readonly requestMilliseconds: number;
  /** Without a byte in either direction, with a request under way; 0: no limit. */
  readonly stalledMilliseconds: number;
  /** Between two requests. */
  readonly idleMilliseconds: number;
  /** On one connection, after which it closes; 0: no limit. */
  readonly requestsPerConnection: number;
  /** Of a body in HTTP chunks; one more for each 64 bytes. Beyond that, its connection ends. */
  readonly pieces: number;
  /** Requests of one connection that wait for the response of the one before them. With one more, it ends. */
  readonly pipelined: number;
}

/**
 * `callers`: the local API. `proxy`: applications on their way to a platform. `admin`: health and metrics, which strangers reach
 * without a token. `admission`: reviews that API servers ask for. `notifications`: platforms, and anybody else, from the Internet.
 */
export type ListenerKind = 'callers' | 'proxy' | 'admin' | 'admission' | 'notifications';

const minute = 60_000;

const table: Readonly<Record<ListenerKind, Limits>> = {
  callers: {
    connections: 4096,
    // Somebody waits for a signature.
    endsUnanswered: false,
    backlog: 4096,
    headBytes: 16 * 1024,
    headMilliseconds: minute,
    requestMilliseconds: 5 * minute,
    stalledMilliseconds: 0,
    // Callers keep connections; closing one that they are about to use would be a failed request.
    idleMilliseconds: 10 * minute,
    requestsPerConnection: 0,
    // A writer that buffers nothing sends one word after the other.
    pieces: 512,
    pipelined: 32,
  },
  proxy: {
    connections: 2048,
    // Somebody waits for a payment.
    endsUnanswered: false,
    backlog: 2048,
    headBytes: 16 * 1024,
    headMilliseconds: minute,
    // An upload of a few megabytes, from this machine.
    requestMilliseconds: minute,
    // A reader of a download that does not read; the platform itself has a deadline.
    stalledMilliseconds: 2 * minute,
    idleMilliseconds: 10 * minute,
    requestsPerConnection: 0,
    pieces: 512,
    // One that waits behind a slow platform is better sent on a connection of its own.
    pipelined: 8,
  },
  admin: {
    connections: 64,
    // A probe of kubelet must find a place, whatever strangers leave unread.
    endsUnanswered: true,
    backlog: 511,
    headBytes: 8 * 1024,
    headMilliseconds: 5000,
    requestMilliseconds: 10_000,
    stalledMilliseconds: 10_000,
    // Longer than the pause between two scrapes.
    idleMilliseconds: 2 * minute,
    requestsPerConnection: 1000,
    // Nothing here takes a body.
    pieces: 8,
    pipelined: 8,
  },
  admission: {
    // An API server keeps one, and opens more while reviews wait.
    connections: 256,
    endsUnanswered: false,
    backlog: 511,
    headBytes: 8 * 1024,
    headMilliseconds: 5000,
    // The API server itself gives up after three seconds.
    requestMilliseconds: 10_000,
    stalledMilliseconds: 10_000,
    // Closing one that it is about to use would be a review that fails.
    idleMilliseconds: 10 * minute,
    requestsPerConnection: 0,
    pieces: 64,
    pipelined: 8,
  },
  notifications: {
    connections: 1024,
    // What matters is that a platform's comes in at all: it sends again.
    endsUnanswered: true,
    backlog: 1024,
    headBytes: 16 * 1024,
    headMilliseconds: 5000,
    // Platforms give up after five seconds.
    requestMilliseconds: 10_000,
    stalledMilliseconds: 10_000,
    // Longer than an ingress keeps one.
    idleMilliseconds: 2 * minute,
    requestsPerConnection: 0,
    pieces: 64,
    pipelined: 8,
  },
};

/** Of a notification; the longest that platforms send have some kilobytes. */
export const notificationBytes = 256 * 1024;
/** Of all notifications that arrive and wait for the application. */
export const notificationsBytes = 16 * 1024 * 1024;
/** Notifications that the application has at once. */
export const deliveriesAtOnce = 256;

/** Of a review: a Secret of 1 MiB in base64, as it is and as it would be, with as many annotations as there may be. */
export const reviewBytes = 4 * 1024 * 1024;
/** Of all reviews that arrive and wait. */
export const reviewsBytes = 32 * 1024 * 1024;

/** What the process itself opens: files, watches, connections to the API server, Node's own. */
const ownDescriptors = 48;

/** How the descriptors that are left are divided among the listeners that there are. */
const weights: Readonly<Record<ListenerKind, number>> = {
  callers: 3,
  proxy: 2,
  notifications: 2,
  admin: 1,
  admission: 1,
};

/** What one connection takes: a caller of the proxy has another one to the platform, and a platform one to the application. */
const costs: Readonly<Record<ListenerKind, number>> = {
  callers: 1,
  proxy: 2,
  notifications: 2,
  admin: 1,
  admission: 1,
};

/** Fewer would let a stranger's connection end a probe's. */
const fewest: Readonly<Record<ListenerKind, number>> = {
  callers: 1,
  proxy: 1,
  notifications: 4,
  admin: 4,
  admission: 4,
};

export type LimitsOf = Readonly<Record<ListenerKind, Limits>>;

/**
 * The limits of each of a process's listeners, which together take no more descriptors than it has: so strangers at the
 * admin port cannot take those that a caller needs, nor callers those of the proxy. What one kind cannot use is the others'.
 */
export function shareOut(listeners: readonly ListenerKind[], descriptors = openFilesLimit()): LimitsOf {
  let left = Math.max(descriptors - ownDescriptors, 16);
  let weight = listeners.reduce((sum, kind) => sum + weights[kind], 0);
  const limits = { ...table };
  for (const kind of ['admin', 'admission', 'notifications', 'proxy', 'callers'] as const) {
    const count = listeners.filter((one) => one === kind).length;
    if (count === 0) continue;
    const affordable = Math.floor((left * weights[kind]) / weight / costs[kind]);
    const connections = Math.min(table[kind].connections, Math.max(affordable, fewest[kind]));
    limits[kind] = { ...table[kind], connections };
    left -= count * connections * costs[kind];
    weight -= count * weights[kind];
  }
  return limits;
}

/** Of one that shares with no other. */
export const limitsOf = (kind: ListenerKind): Limits => shareOut([kind])[kind];

/** Of this process, as the kernel says; without /proc, as many as one wants. */
function openFilesLimit(): number {
  try {
    const [, soft = ''] = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return soft === '' ? Infinity : Number(soft);
  } catch {
    return Infinity;
  }
}
