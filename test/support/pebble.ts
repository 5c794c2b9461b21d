// A real ACME server, Pebble, and an account at it that has shown already whose a name is, so that an order for it needs no challenge.
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { createAuthority } from '../../src/testing/authority.ts';
import { makeDirectory } from './directories.ts';
import { freePort } from './free-port.ts';
import { pem } from './mtls.ts';
import { noPeer, Peer, peerPath } from './peers.ts';

/** For `skip`: false where it can be started. */
export const noPebble = noPeer('pebble');

interface Reply {
  readonly status: number | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: Readonly<Record<string, unknown>>;
}

/** Takes every challenge for answered, and an authorization for as long as it lasts. */
const environment = { PEBBLE_VA_ALWAYS_VALID: '1', PEBBLE_VA_NOSLEEP: '1', PEBBLE_WFE_NONCEREJECT: '0', PEBBLE_AUTHZREUSE: '100' }; // prettier-ignore

export class Pebble {
  readonly url: string;
  /** PEM; of its HTTPS server. */
  readonly authority: string;

  private constructor(url: string, authority: string) {
    this.url = url;
    this.authority = authority;
  }

  /** `httpPort`: where it asks for the answer to a challenge; absent where every challenge counts as answered. */
  static async start(t: TestContext, { httpPort }: { readonly httpPort?: number } = {}): Promise<Pebble> {
    const directory = await makeDirectory(t);
    const [port, management] = [await freePort(), await freePort()].map(String);
    const authority = await createAuthority({ commonName: 'acme' });
    const own = await authority.issue({ commonName: 'localhost', hostNames: ['localhost'] });
    const path = (name: string) => join(directory, name);
    await writeFile(path('own.crt'), own.certificate);
    await writeFile(path('own.key'), pem(own.privateKey));
    const listen = { listenAddress: `127.0.0.1:${port!}`, managementListenAddress: `127.0.0.1:${management!}` };
    const profiles = { default: { description: 'as always', validityPeriod: 3600 } };
    const pebble = {
      ...listen,
      ...(httpPort !== undefined && { httpPort }),
      certificate: path('own.crt'),
      privateKey: path('own.key'),
      profiles,
    };
    await writeFile(path('pebble.json'), JSON.stringify({ pebble }));
    const peer = new Peer(peerPath('pebble'), ['-config', path('pebble.json')], directory, {
      ...environment,
      ...(httpPort !== undefined && { PEBBLE_VA_ALWAYS_VALID: '0' }),
    });
    t.after(() => peer.kill());
    const server = new Pebble(`https://localhost:${port!}/dir`, authority.certificate);
    await peer.until(async () => (await server.#ask('GET', server.url)).status === 200);
    return server;
  }

  /** The private key, PEM, of an account for which the name counts as shown (RFC 8555 §7). */
  async authorize(name: string): Promise<string> {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const { body: places } = await this.#ask('GET', this.url);
    let account: object = { jwk: publicKey.export({ format: 'jwk' }) };
    const post = async (url: unknown, payload: object | undefined): Promise<Reply> => {
      const { headers } = await this.#ask('GET', String(places['newNonce']));
      const head = { alg: 'RS256', nonce: headers['replay-nonce'], url, ...account };
      return this.#ask('POST', String(url), signed(privateKey, head, payload));
    };
    const { headers } = await post(places['newAccount'], { termsOfServiceAgreed: true });
    account = { kid: headers.location };
    const { body: order } = await post(places['newOrder'], { identifiers: [{ type: 'dns', value: name }] });
    const [authorization] = order['authorizations'] as readonly string[];
    const { body: open } = await post(authorization, undefined);
    const [challenge] = open['challenges'] as readonly { readonly url: string }[];
    await post(challenge?.url, {});
    while ((await post(authorization, undefined)).body['status'] !== 'valid')
      await new Promise((resolve) => setTimeout(resolve, 50));
    return pem(privateKey);
  }

  async #ask(method: string, url: string, body?: string): Promise<Reply> {
    // It answers nobody who does not say who asks.
    const headers = { 'User-Agent': 'paycert-test', 'Content-Type': 'application/jose+json' };
    const sent = request(url, { method, ca: this.authority, headers, agent: false }).end(body);
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    const text = response.statusCode === 204 ? {} : await json(response);
    return { status: response.statusCode, headers: response.headers, body: text as Reply['body'] };
  }
}

const base64Url = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

function signed(key: KeyObject, head: object, payload: object | undefined): string {
  const [first, second] = [base64Url(head), payload === undefined ? '' : base64Url(payload)];
  const signature = sign('sha256', Buffer.from(`${first}.${second}`), key).toString('base64url');
  return JSON.stringify({ protected: first, payload: second, signature });
}
