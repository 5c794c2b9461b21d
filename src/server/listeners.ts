// Listeners on ports: the local API for callers that know a token, and health for all.
import type { RequestListener } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import type { SecureContextOptions } from 'node:tls';
import { splitAddress } from '../address.ts';
import { bind, type Listener } from './bind.ts';
import { createHttpServer, createHttpsServer } from './closable.ts';
import { createGuard, type Guard } from './guard.ts';
import { type Limits, type ListenerKind, limitsOf } from './limits.ts';
import { createProxyGuard } from './proxy/guard.ts';
import { notSent } from './proxy/not-sent.ts';
import { type Addition, sendProblem } from './respond.ts';

export interface TcpOptions {
  /** host:port; the configuration has seen to it that others reach it only where that is asked for. */
  readonly address: string;
  /** What callers must send as a bearer token, asked at each request; none when the configuration says `insecure`. */
  readonly token: () => string | undefined;
  readonly isExposed: boolean;
  /** Default: the local API. */
  readonly kind?: keyof typeof guards;
  /** Default: as of the only listener of this process. */
  readonly limits?: Limits;
}

/** How each tells who may call: the proxy leaves `Authorization` to the platform. */
const guards = { callers: createGuard, proxy: createProxyGuard } satisfies Partial<
  Record<ListenerKind, (token: TcpOptions['token'], isExposed: boolean) => Guard>
>;

/** What their refusals say besides. */
const additions: Partial<Record<ListenerKind, Addition>> = { proxy: notSent };

/** The local API or the proxy over TCP, only for callers that know the token. */
export async function listenOnTcp(
  { address, token, isExposed, kind = 'callers', limits = limitsOf(kind) }: TcpOptions,
  listener: RequestListener,
): Promise<Listener> {
  const guard = guards[kind](token, isExposed);
  const guarded: RequestListener = (request, response) => {
    const error = guard(request);
    if (error === undefined) listener(request, response);
    else sendProblem(request, response, error, additions[kind]);
  };
  return listen(limits, address, guarded);
}

/** Health and metrics, for everybody who reaches the port. */
export const listenOnPort = (
  address: string,
  listener: RequestListener,
  limits: Limits = limitsOf('admin'),
): Promise<Listener> => listen(limits, address, listener);

export interface SecureListener extends Listener {
  /** Shows another certificate from the next handshake on. */
  readonly present: (tls: SecureContextOptions) => void;
}

/** The same over TLS; also reviews, with limits of their own. */
export async function listenOnSecurePort(
  address: string,
  listener: RequestListener,
  tls: SecureContextOptions,
  limits: Limits = limitsOf('admin'),
): Promise<SecureListener> {
  const { server, close } = createHttpsServer(listener, limits, tls);
  const bound = await open(server, address, limits);
  return { address: bound, close, present: (next) => server.setSecureContext(next) };
}

async function listen(limits: Limits, address: string, listener: RequestListener): Promise<Listener> {
  const { server, close } = createHttpServer(listener, limits);
  return { address: await open(server, address, limits), close };
}

async function open(server: Server, address: string, { backlog }: Limits): Promise<string> {
  const { host, port } = splitAddress(address);
  await bind(server, () => server.listen(host === '' ? { port, backlog } : { port, host, backlog }), address);
  const bound = server.address() as AddressInfo;
  return `${host.includes(':') ? `[${host}]` : host}:${bound.port}`;
}
