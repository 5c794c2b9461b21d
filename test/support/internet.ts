// The internet, as programs in other languages reach it: a proxy that answers over TLS for every host that has a handler here.
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { createServer as createProxy } from 'node:http';
import { createServer } from 'node:https';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import type { Answer, ReceivedRequest } from '../../src/testing/loopback.ts';
import { listen } from './listening.ts';
import { issue, makeAuthority, pem } from './mtls.ts';

/** What it throws is a 400 with its reason. */
export type Host = (request: ReceivedRequest) => Answer | Promise<Answer>;

/** `tunnelled`: gets each host and port that the proxy has opened a tunnel to. */
export interface InternetOptions {
  readonly tunnelled?: (target: string) => void;
}

/** The environment in which curl, Go, Java, Python and Node find these hosts in place of the real ones, and trust them. */
export async function startInternet(
  t: TestContext,
  directory: string,
  hosts: Readonly<Record<string, Host>>,
  { tunnelled = () => undefined }: InternetOptions = {},
): Promise<Readonly<Record<string, string>>> {
  const authority = await makeAuthority();
  const { certificate, privateKey } = await issue(authority, 'internet', { hostNames: Object.keys(hosts) });
  const server = createServer({ cert: certificate, key: pem(privateKey) }, (incoming, outgoing) => {
    const answer = async (): Promise<Answer> => {
      const { method = '', url = '', headers } = incoming;
      return hosts[headers.host ?? '']!({ method, url, headers, body: await buffer(incoming) });
    };
    const refuse = (error: unknown): Answer => ({ status: 400, headers: {}, body: Buffer.from(String(error)) });
    void answer()
      .catch(refuse)
      .then(({ status, headers, body }) => outgoing.writeHead(status, headers).end(body));
  });
  const port = await listen(t, server, '127.0.0.1');

  const open = new Set<Socket>();
  const proxy = createProxy().on('connect', ({ url = '' }, client: Socket) => {
    const tunnel = Object.hasOwn(hosts, url.replace(/:443$/, '')) ? connect(port, '127.0.0.1') : undefined;
    if (tunnel === undefined) return void client.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
    tunnelled(url);
    client.write('HTTP/1.1 200 OK\r\n\r\n');
    client.pipe(tunnel).pipe(client);
    for (const socket of [client, tunnel]) {
      open.add(socket);
      // Either end may hang up: the other one then hears of it.
      socket.on('error', () => undefined).on('close', () => [client, tunnel].forEach((end) => end.destroy()));
    }
  });
  const proxyPort = await listen(t, proxy, '127.0.0.1');
  t.after(() => {
    for (const socket of open) socket.destroy();
  });

  const trusted = join(directory, 'internet.pem');
  await writeFile(trusted, authority.certificate);
  const address = `http://127.0.0.1:${proxyPort}`;
  return {
    HTTPS_PROXY: address,
    https_proxy: address,
    CURL_CA_BUNDLE: trusted,
    SSL_CERT_FILE: trusted,
    NODE_USE_ENV_PROXY: '1',
    NODE_EXTRA_CA_CERTS: trusted,
    JAVA_TOOL_OPTIONS: javaOptions(trusted, join(directory, 'internet.p12'), proxyPort).join(' '),
  };
}

/** Of a JVM that ends within seconds: to compile for years and to collect garbage beside is two fifths of what it computes. */
const forShortLives = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC'];

/** Java reads neither the proxy nor the trusted certificates from where everybody else does. */
function javaOptions(trusted: string, store: string, proxyPort: number): string[] {
  const password = 'changeit';
  const command = `-importcert -noprompt -storetype PKCS12 -storepass ${password} -keystore ${store} -file ${trusted}`;
  spawnSync('keytool', command.split(' '));
  return [
    '-Dhttps.proxyHost=127.0.0.1',
    `-Dhttps.proxyPort=${proxyPort}`,
    `-Djavax.net.ssl.trustStore=${store}`,
    `-Djavax.net.ssl.trustStorePassword=${password}`,
    ...forShortLives,
  ];
}
