// Servers that show what is current, certificates per server name on the wire, and what OpenSSL does not take.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import { describe, it, type TestContext } from 'node:test';
import { connect, type ConnectionOptions } from 'node:tls';
import { createDispatcher, createHttpsAgent, createSniCallback, followServer, PaycertError } from '../../src/index.ts';
import type { MtlsOptions } from '../../src/providers/mtls/options.ts';
import { mtls } from '../../src/providers/mtls/provider.ts';
import { Followable } from '../support/followable.ts';
import { filesOf, issue, makeAuthority, pairFiles, pem, startDemanding } from '../support/mtls.ts';

const [authority, stranger] = [await makeAuthority(0), await makeAuthority(1)];
const client = await issue(authority, 'client');
const hostNames = ['localhost', 'shop.example', 'bank.example'];

async function load(texts: Readonly<Record<string, string>>, options: Partial<MtlsOptions> = {}) {
  const provider = mtls({ serverNames: {}, minVersion: 'TLSv1.2', ...options });
  const context = await provider.load(filesOf({ 'ca.crt': authority.certificate, ...texts }));
  assert.deepEqual(context.set.problems, []);
  return context;
}

/** The serial number that the server shows, or the code of the refusal. */
async function shown(port: number, options: ConnectionOptions = {}): Promise<string> {
  const socket = connect({
    host: 'localhost',
    port,
    key: pem(client.privateKey),
    cert: client.certificate,
    ca: authority.certificate,
    servername: 'shop.example',
    ...options,
  });
  try {
    await once(socket, 'secureConnect');
    return socket.getPeerX509Certificate()?.serialNumber ?? '';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? '';
  } finally {
    socket.destroy();
  }
}

describe('a server', () => {
  it('shows the new certificate and trusts the new authority from the swap on', async (t) => {
    const [first, second] = [
      await issue(authority, 'first', { hostNames }),
      await issue(authority, 'second', { hostNames }),
    ];
    const followed = new Followable(await load(pairFiles(first)));
    const { server, port } = await startDemanding(t, authority);
    const unfollow = followServer(server, followed, 'gate');
    assert.equal(await shown(port), first.serialNumber);
    followed.swap(await load(pairFiles(second)));
    assert.equal(await shown(port), second.serialNumber);
    unfollow();
    followed.swap(await load(pairFiles(first)));
    assert.equal(await shown(port), second.serialNumber);
  });

  it('shows a certificate per name, of the snapshot that is current at the handshake', async (t) => {
    const make = async (name: string) => issue(authority, name, { hostNames });
    const [shop, bank, next] = [await make('shop'), await make('bank'), await make('next')];
    const options = { serverNames: { 'bank.example': 'bank' } };
    const followed = new Followable(await load({ ...pairFiles(shop), ...pairFiles(bank, 'bank') }, options));
    const { port } = await startDemanding(t, authority, { SNICallback: createSniCallback(followed, 'gate') });
    const names = async () =>
      Promise.all(['shop.example', 'bank.example'].map((servername) => shown(port, { servername })));
    assert.deepEqual(await names(), [shop.serialNumber, bank.serialNumber]);
    followed.swap(await load({ ...pairFiles(shop), ...pairFiles(next, 'bank') }, options));
    assert.deepEqual(await names(), [shop.serialNumber, next.serialNumber]);
  });

  it('ends the handshake for a name that it has no certificate for', async (t) => {
    const bank = await issue(authority, 'bank', { hostNames });
    const serverNames = { 'bank.example': 'bank' };
    const followed = new Followable(await load(pairFiles(bank, 'bank'), { serverNames }));
    const { port, failures } = await startDemanding(t, authority, { SNICallback: createSniCallback(followed, 'gate') });
    assert.equal(await shown(port, { servername: 'bank.example' }), bank.serialNumber);
    assert.equal(await shown(port), 'ECONNRESET');
    assert.ok(failures.some((error) => error instanceof PaycertError && error.code === 'server-name-unknown'));
  });

  it('speaks no TLS older than configured', async (t) => {
    const shop = await issue(authority, 'shop', { hostNames });
    const { server, port } = await startDemanding(t, authority);
    followServer(server, new Followable(await load(pairFiles(shop), { minVersion: 'TLSv1.3' })), 'gate');
    assert.equal(await shown(port, { maxVersion: 'TLSv1.2' }), 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
    followServer(server, new Followable(await load(pairFiles(shop))), 'gate');
    assert.equal(await shown(port, { maxVersion: 'TLSv1.2' }), shop.serialNumber);
    const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' } as const;
    assert.equal(await shown(port, old), 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
  });
});

const ask = async (t: TestContext, followed: Followable, port: number): Promise<string> => {
  const agent = createHttpsAgent(followed, 'bank');
  t.after(() => agent.destroy());
  const sent = request({ agent, host: 'localhost', port }).end();
  const [response] = (await once(sent, 'response')) as [AsyncIterable<Uint8Array>];
  return text(response);
};

describe('a client', () => {
  it('shows each server the certificate of its name, and trusts that name’s authority', async (t) => {
    const other = await issue(stranger, 'other');
    const files = { ...pairFiles(client), ...pairFiles(other, 'other'), 'other.ca.crt': authority.certificate };
    const serverNames = { localhost: 'other' };
    const followed = new Followable(await load(files, { serverNames }));
    const { port } = await startDemanding(t, stranger, { ca: stranger.certificate });
    await assert.rejects(ask(t, followed, port), { code: 'SELF_SIGNED_CERT_IN_CHAIN' });
    const trusting = { ...files, 'other.ca.crt': stranger.certificate };
    assert.equal(await ask(t, new Followable(await load(trusting, { serverNames })), port), other.serialNumber);
  });

  it('is refused by name where no certificate is configured, and where the credential has none', async () => {
    const files = pairFiles(client, 'bank');
    const followed = new Followable(await load(files, { serverNames: { 'bank.example': 'bank' } }));
    const agent = createHttpsAgent(followed, 'bank');
    assert.throws(() => request({ agent, host: 'localhost' }), { code: 'server-name-unknown' });
    agent.destroy();
    const { tls, ...without } = await load(pairFiles(client));
    const dispatcher = await createDispatcher(new Followable(without), 'bank');
    const asked = dispatcher.request({ origin: 'https://localhost', path: '/', method: 'GET' });
    await assert.rejects(asked, { code: 'no-client-certificate' });
    await dispatcher.close();
    assert.ok(tls);
  });
});
