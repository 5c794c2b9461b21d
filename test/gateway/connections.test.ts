// Connections to a platform: only to what proves itself with TLS 1.2 or newer, and each failure says whether a byte may have left.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';
import { createServer, type TlsOptions } from 'node:tls';
import { after, describe, it, type TestContext } from 'node:test';
import { NoResponse, openConnections } from '../../src/gateway/connections.ts';
import { startRawPlatform } from '../support/raw-platform.ts';
import { issue, makeAuthority, pairFiles } from '../support/mtls.ts';

const connections = await openConnections();
after(() => connections.close());

const outgoing = { method: 'GET', target: '/v3/x', headers: { 'X-A': '1' }, body: Buffer.alloc(0) };
const send = (origin: string, signal = new AbortController().signal) => connections.send(origin, outgoing, { signal });

async function serveTls(t: TestContext, options: TlsOptions): Promise<{ origin: string; server: Server }> {
  const files = pairFiles(await issue(await makeAuthority(), 'localhost'));
  const [cert, key] = ['tls.crt', 'tls.key'].map((name) => Buffer.from(files[name] ?? ''));
  const server = createServer({ cert: cert!, key: key!, ...options }, (socket) => void socket.end()); // prettier-ignore
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return { origin: `https://localhost:${(server.address() as AddressInfo).port}`, server };
}

const notSent = (code: RegExp) => (error: unknown) =>
  error instanceof NoResponse && !error.mayHaveLeft && code.test(error.code);

describe('a connection', () => {
  it('to a platform that shows a certificate of an unknown authority carries nothing', async (t) => {
    const { origin, server } = await serveTls(t, {});
    let bytes = 0;
    server.on('secureConnection', (socket: NodeJS.ReadableStream) => socket.on('data', () => (bytes += 1)));
    await assert.rejects(send(origin), notSent(/SELF_SIGNED|UNABLE_TO/));
    assert.equal(bytes, 0);
  });

  it('is never TLS 1.1', async (t) => {
    const { origin } = await serveTls(t, {
      maxVersion: 'TLSv1.1',
      minVersion: 'TLSv1.1',
      ciphers: 'DEFAULT@SECLEVEL=0',
    });
    await assert.rejects(send(origin), notSent(/VERSION|ALERT|UNSUPPORTED/));
  });

  it('to a name that does not exist has sent nothing', async () => {
    await assert.rejects(send('https://nowhere.invalid'), notSent(/ENOTFOUND|EAI_AGAIN|ETIMEOUT|ECONNREFUSED/));
  });

  it('that nobody waits for any more sends nothing', async (t) => {
    const platform = await startRawPlatform(t);
    await assert.rejects(
      send(platform.origin, AbortSignal.abort()),
      (error) => error instanceof NoResponse && !error.mayHaveLeft,
    );
    assert.equal(platform.requests.length, 0);
  });

  it('that ends after the request may have carried it', async (t) => {
    const platform = await startRawPlatform(t);
    platform.respond('');
    await assert.rejects(send(platform.origin), (error) => error instanceof NoResponse && error.mayHaveLeft);
    assert.equal(platform.requests.length, 1);
  });
});
