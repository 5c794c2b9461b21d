// Listeners on ports: the local API for callers that know a token, and health for all.
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { splitAddress } from '../address.ts';
import { bind, type Listener } from './bind.ts';
import { createHttpServer } from './closable.ts';
import { createGuard } from './guard.ts';
import { type ListenerKind, limitsOf } from './limits.ts';
import { sendProblem } from './respond.ts';

export interface TcpOptions {
  /** host:port; the configuration has seen to it that others reach it only where that is asked for. */
  readonly address: string;
  /** What callers must send as a bearer token, asked at each request; none when the configuration says `insecure`. */
  readonly token: () => string | undefined;
  readonly isExposed: boolean;
}

/** The local API over TCP, only for callers that know the token. */
export async function listenOnTcp(
  { address, token, isExposed }: TcpOptions,
  listener: RequestListener,
): Promise<Listener> {
  const guard = createGuard(token, isExposed);
  const guarded: RequestListener = (request, response) => {
    const error = guard(request);
    if (error === undefined) listener(request, response);
    else sendProblem(request, response, error);
  };
  return listen('callers', address, guarded);
}

/** Health and metrics, for everybody who reaches the port. */
export const listenOnPort = (address: string, listener: RequestListener): Promise<Listener> =>
  listen('admin', address, listener);

async function listen(kind: ListenerKind, address: string, listener: RequestListener): Promise<Listener> {
  const { host, port } = splitAddress(address);
  const limits = limitsOf(kind);
  const { backlog } = limits;
  const { server, close } = createHttpServer(listener, limits);
  await bind(server, () => server.listen(host === '' ? { port, backlog } : { port, host, backlog }), address);
  const bound = server.address() as AddressInfo;
  return { address: `${host.includes(':') ? `[${host}]` : host}:${bound.port}`, close };
}
