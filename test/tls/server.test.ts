// Clients of a server of one's own: one whose certificate has been taken back is refused before anything that it sends is heard.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import { describe, it, type TestContext } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import type { AskResponder } from '../../src/revocation/ask-responder.ts';
import { followServer, PaycertError } from '../../src/index.ts';
import { mtls } from '../../src/providers/mtls/provider.ts';
import { Followable } from '../support/followable.ts';
import { keyPairs } from '../support/key-pairs.ts';
import { filesOf, issue, makeAuthority, pairFiles, pem, startDemanding } from '../support/mtls.ts';
import { type ResponseOptions, type Certified, certify, makeResponse } from '../support/ocsp.ts';
import { listPem, makeList } from '../support/revocation.ts';

const authority = await makeAuthority();
const issuer = new X509Certificate(authority.certificate);
const signer = { certificate: issuer, privateKey: (await keyPairs())[0]!.privateKey };
const responder = 'http://ocsp.example';
const client = await certify(0, 'client', { responder });
const says = (options: Partial<ResponseOptions> = {}) =>
  makeResponse({ about: client.certificate, issuer, signer, ...options });
const good: AskResponder = async () => says();

async function start(
  t: TestContext,
  askResponder: AskResponder,
  { whenUnknown = 'accept', ...lists }: { whenUnknown?: 'accept' | 'reject'; 'ca.crl'?: string } = {},
) {
  const own = await issue(authority, 'localhost', { hostNames: ['localhost'] });
  const load = (texts: Readonly<Record<string, string>>) =>
    mtls({ serverNames: {}, minVersion: 'TLSv1.2', revocation: { whenUnknown, ocsp: 'ask' } }).load(
      filesOf({ ...pairFiles(own), 'ca.crt': authority.certificate, ...texts }),
    );
  const followed = new Followable(await load(lists));
  const demanding = await startDemanding(t, authority);
  const release = followServer(demanding.server, followed, 'gate', { askResponder });
  const codes = () => demanding.failures.map((error) => error instanceof PaycertError && error.code);
  return { ...demanding, followed, load, release, codes };
}

const credentials = ({ certificate, privateKey }: Certified) => ({
  host: 'localhost',
  key: pem(privateKey),
  cert: certificate.toString(),
  ca: authority.certificate,
  agent: false as const,
});

async function ask(port: number, of = client, body = 'x'): Promise<string> {
  const sent = request({ ...credentials(of), port, method: 'POST' }).end(body);
  const [response] = (await once(sent, 'response')) as [AsyncIterable<Uint8Array>];
  return text(response);
}

const lost = { code: /ECONNRESET|EPIPE/ };

describe('a client', () => {
  it('whose certificate its responder takes back is refused, and the server told of it by its code', async (t) => {
    const { port, codes, handshakes } = await start(t, async () => says({ status: 'revoked' }));
    await assert.rejects(ask(port), lost);
    assert.deepEqual([codes(), handshakes()], [['certificate-revoked'], 0]);
  });

  it('that is good is heard, also what it has sent while it was asked about', async (t) => {
    const { port, server } = await start(t, async () => {
      await new Promise((resolve) => setImmediate(resolve));
      return says();
    });
    const bodies: Promise<string>[] = [];
    server.removeAllListeners('request').on('request', (incoming, response) => {
      const body = text(incoming);
      bodies.push(body);
      void body.then((sent) => response.end(String(sent.length)));
    });
    for (const size of [1, 100_000, 3_000_000]) assert.equal(await ask(port, client, 'x'.repeat(size)), String(size));
  });

  it('of which nothing is known is accepted, or refused, as configured', async (t) => {
    const none: AskResponder = async () => undefined;
    const accepting = await start(t, none);
    assert.equal(await ask(accepting.port), client.certificate.serialNumber);
    const rejecting = await start(t, none, { whenUnknown: 'reject' });
    await assert.rejects(ask(rejecting.port), lost);
    assert.deepEqual(rejecting.codes(), ['revocation-unknown']);
  });

  it('that is on a list is refused from the swap on that brings the list', async (t) => {
    const { port, followed, load, codes, release } = await start(t, good);
    assert.equal(await ask(port), client.certificate.serialNumber);
    followed.swap(await load({ 'ca.crl': listPem(await makeList(0, [client.certificate.serialNumber])) }));
    await assert.rejects(ask(port), lost);
    assert.deepEqual(codes(), ['certificate-revoked']);
    release();
    assert.equal(await ask(port), client.certificate.serialNumber);
  });

  it('that comes to no trusted authority has nobody asked', async (t) => {
    const { port, codes } = await start(t, () => assert.fail('nobody is to be asked'));
    await assert.rejects(ask(port, await certify(1, 'client', { responder })));
    assert.deepEqual(codes(), [false]);
  });

  it('is asked about in every handshake: no session is resumed', async (t) => {
    for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const) {
      const { port } = await start(t, good);
      let session: Buffer | undefined;
      for (let count = 0; count < 3; count += 1) {
        const socket: TLSSocket = connect({ ...credentials(client), port, maxVersion, ...(session && { session }) });
        t.after(() => socket.destroy());
        socket.on('session', (one) => (session = one));
        await once(socket, 'secureConnect');
        assert.ok(!socket.isSessionReused());
        socket.write('GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n');
        assert.match(await text(socket), /^HTTP\/1\.1 200/);
      }
    }
  });

  it('without revocation in the configuration is admitted as before', async (t) => {
    const own = await issue(authority, 'localhost', { hostNames: ['localhost'] });
    const context = await mtls({ serverNames: {}, minVersion: 'TLSv1.2' }).load(
      filesOf({ ...pairFiles(own), 'ca.crt': authority.certificate }),
    );
    const { port, server } = await startDemanding(t, authority);
    followServer(server, new Followable(context), 'gate', { askResponder: () => assert.fail('nobody is to be asked') });
    assert.equal(await ask(port), client.certificate.serialNumber);
  });
});
