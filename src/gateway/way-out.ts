// The proxy on the way out, where there is one: which hosts are called through it, and a tunnel to each of them.
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { LookupFunction, Socket } from 'node:net';
import { isLoopback } from '../address.ts';

export interface WayOut {
  /** `http://` or `https://`, without a path. */
  readonly proxy: string;
  /** Hosts that are called without it, as in `NO_PROXY`. */
  readonly noProxy?: readonly string[] | undefined;
  /** `name:password`, as the proxy wants it now. */
  readonly user?: (() => Promise<string>) | undefined;
}

export interface TunnelOptions {
  readonly lookup: LookupFunction;
  /** Until the proxy has connected to the host. */
  readonly milliseconds: number;
}

/** `NO_PROXY` as curl and Go read it: a name also covers what is below it, `*` covers all. What is on this machine is never asked of a proxy. */
export function goesDirect(origin: string, noProxy: readonly string[] = []): boolean {
  const { hostname, host, protocol } = new URL(origin);
  const port = portOf(host, protocol);
  return (
    isLoopback(hostname) ||
    noProxy.some((entry) => {
      const [, name = '', only] = /^(?:\*?\.)?([^:]*)(?::(\d+))?$/.exec(entry.toLowerCase()) ?? [];
      if (only !== undefined && only !== port) return false;
      return name === '*' || hostname === name || (name !== '' && hostname.endsWith(`.${name}`));
    })
  );
}

/** Why there is no tunnel: no byte of a request has left. */
class NoTunnel extends Error {
  override readonly name = 'NoTunnel';
  readonly code: string;

  constructor(code: string | number) {
    super('no tunnel through the proxy');
    this.code = `PROXY_${code}`;
  }
}

/**
 * A connection through the proxy to `host`, on which TLS may begin. One for each connection, so that what a tunnel carries ends with it.
 * @throws NoTunnel with a code that begins with `PROXY_`; what `user` throws
 */
export async function openTunnel({ proxy, user }: WayOut, origin: string, options: TunnelOptions): Promise<Socket> {
  const { hostname, port, protocol } = new URL(proxy);
  const { host, protocol: wanted } = new URL(origin);
  const path = `${host.replace(/:\d+$/, '')}:${portOf(host, wanted)}`;
  const secret = await user?.();
  const authorization = secret === undefined ? {} : { 'Proxy-Authorization': `Basic ${Buffer.from(secret).toString('base64')}` }; // prettier-ignore
  const open = protocol === 'https:' ? httpsRequest : httpRequest;
  const asked = open({
    ...{ host: hostname, port: port === '' ? defaultPorts[protocol] : port, method: 'CONNECT', path, agent: false },
    ...{ headers: { Host: path, ...authorization }, lookup: options.lookup, maxHeaderSize: maxHeadBytes },
    minVersion: 'TLSv1.2',
  });
  const late = setTimeout(() => asked.destroy(new NoTunnel('TIMEOUT')), options.milliseconds);
  try {
    return await new Promise((resolve, reject) => {
      asked.once('connect', ({ statusCode = 0 }, socket, head) => {
        // A server that speaks before it is spoken to is no platform.
        if (statusCode === 200 && head.byteLength === 0) {
          resolve(socket);
          return;
        }
        socket.destroy();
        reject(new NoTunnel(statusCode === 200 ? 'EARLY_BYTES' : statusCode));
      });
      asked.on('error', reject).end();
    });
  } catch (error) {
    throw error instanceof NoTunnel ? error : new NoTunnel((error as NodeJS.ErrnoException).code ?? 'UNKNOWN');
  } finally {
    clearTimeout(late);
  }
}

const maxHeadBytes = 8 * 1024;

const defaultPorts: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' };

const portOf = (host: string, protocol: string): string => /:(\d+)$/.exec(host)?.[1] ?? defaultPorts[protocol] ?? '';
