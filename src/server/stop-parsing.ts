// Makes no requests of what a connection said before it was ended: one packet holds two thousand of them.
import type { Socket } from 'node:net';

/** What Node's connection has, and its documentation does not: a test says so when that changes. */
interface Parsed {
  readonly parser?: { onIncoming?: ((...incoming: readonly unknown[]) => number | undefined) | null } | null;
}

/** What Node answers its parser for an upgrade: what follows is no HTTP. */
const isNoHttp = 2;

/**
 * Node parses all bytes that have come before it looks whether the connection is still there, and makes objects of each
 * request: 64 connections that send 64 KB each held the event loop for seconds.
 */
export function stopParsingWhenEnded(socket: Socket): void {
  const { parser } = socket as Parsed;
  const incoming = parser?.onIncoming;
  if (!parser || !incoming) return;
  parser.onIncoming = (...args) => (socket.destroyed ? isNoHttp : incoming(...args));
}
