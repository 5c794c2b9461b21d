// Asking an OCSP responder: OpenSSL's answers, and an address out of a certificate reaches nothing that it must not.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, BlockList } from 'node:net';
import { networkInterfaces } from 'node:os';
import { describe, it, type TestContext } from 'node:test';
import { readOcspResponse } from '../../src/crypto/ocsp-response.ts';
import { writeOcspRequest } from '../../src/crypto/ocsp-request.ts';
import { refusedAddresses } from '../../src/revocation/addresses.ts';
import { askResponder, createAsker } from '../../src/revocation/ask-responder.ts';
import { keyPairs } from '../support/key-pairs.ts';
import { makeAuthority, now } from '../support/mtls.ts';
import { certify, makeResponse } from '../support/ocsp.ts';
import { startOpensslResponder, withoutOpenssl } from '../support/openssl-responder.ts';

const { signal } = new AbortController();
const ask = createAsker(() => new BlockList());
const request = Buffer.from('fbff', 'hex');
const issuer = new X509Certificate((await makeAuthority(0)).certificate);
const about = { about: issuer, issuer, signer: { certificate: issuer, privateKey: (await keyPairs())[0]!.privateKey } };
const [answer, unsuccessful] = [makeResponse(about), makeResponse({ ...about, outcome: 1 })];

async function serve(t: TestContext, respond: (request: IncomingMessage, response: ServerResponse) => void) {
  const asked: string[] = [];
  const server = createServer((incoming, response) => {
    asked.push(`${incoming.method ?? ''} ${incoming.url ?? ''}`);
    respond(incoming, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close().closeAllConnections());
  return { asked, port: (server.address() as AddressInfo).port };
}

describe('OpenSSL’s responder', { skip: withoutOpenssl }, () => {
  it('is asked, and says what is good, what is revoked and what it does not know', async (t) => {
    const make = async (name: string) => (await certify(0, name)).certificate;
    const [good, revoked, unknown] = [await make('good'), await make('revoked'), await make('unknown')];
    const address = await startOpensslResponder(t, 0, { good: [good], revoked: [revoked] });
    // It takes the whole path of a GET for base64: below a path it must be asked with POST.
    for (const path of ['', '/', '/ocsp'])
      for (const [status, certificate] of Object.entries({ good, revoked, unknown })) {
        const said = await ask(`${address}${path}`, writeOcspRequest(certificate, issuer)!, signal);
        assert.equal(readOcspResponse(said!)?.about(certificate, issuer, now)?.status, status);
      }
  });
});

describe('a responder', () => {
  it('is asked with GET: the request is base64 that ends the path of the address', async (t) => {
    const { asked, port } = await serve(t, (_, response) => response.end(answer));
    for (const path of ['', '/', '/a/b', '/a/'])
      assert.deepEqual(await ask(`http://127.0.0.1:${port}${path}`, request, signal), answer);
    assert.deepEqual(asked, ['GET /%2B%2F8%3D', 'GET /%2B%2F8%3D', 'GET /a/b/%2B%2F8%3D', 'GET /a/%2B%2F8%3D']);
  });

  it('that does not understand GET is asked with POST', async (t) => {
    for (const [status, body] of [
      [405, ''],
      [404, 'no such page'],
      [200, '<html>'],
      [200, unsuccessful],
    ] as const) {
      const posted: unknown[] = [];
      const { asked, port } = await serve(t, (incoming, response) => {
        if (incoming.method === 'GET') return void response.writeHead(status).end(body);
        posted.push(incoming.headers['content-type']);
        incoming.on('data', (bytes) => posted.push(bytes)).on('end', () => response.end(answer));
      });
      assert.deepEqual(await ask(`http://127.0.0.1:${port}/a`, request, signal), answer);
      assert.deepEqual(asked, ['GET /a/%2B%2F8%3D', 'POST /a']);
      assert.deepEqual(posted, ['application/ocsp-request', request]);
    }
  });

  it('that redirects is not followed, and one that has no answer gives none', async (t) => {
    for (const status of [204, 301, 302, 307, 308, 404, 500]) {
      const { asked, port } = await serve(t, ({ headers }, response) =>
        response
          .writeHead(status, { location: `http://${headers.host ?? ''}/elsewhere` })
          .end(status === 204 ? '' : 'x'),
      );
      assert.equal(await ask(`http://127.0.0.1:${port}`, request, signal), undefined, String(status));
      assert.deepEqual(asked, ['GET /%2B%2F8%3D', 'POST /']);
    }
  });

  it('that sends too much, breaks off or speaks no HTTP gives none', async (t) => {
    const broken: ((response: ServerResponse) => void)[] = [
      (response) => response.end(Buffer.alloc(64 * 1024 + 1)),
      (response) => response.writeHead(200, { 'content-length': 10 }).write('x', () => response.destroy()),
      (response) => response.socket?.end('SSH-2.0-OpenSSH_9.9\r\n'),
      (response) => response.writeHead(200, { 'x-long': 'x'.repeat(20_000) }).end('x'),
      (response) => response.destroy(),
    ];
    for (const answerWith of broken) {
      const { port } = await serve(t, (_, response) => answerWith(response));
      assert.equal(await ask(`http://127.0.0.1:${port}`, request, signal), undefined);
    }
    const { port } = await serve(t, (_, response) => response.end(Buffer.alloc(64 * 1024)));
    assert.equal((await ask(`http://127.0.0.1:${port}`, request, signal))?.byteLength, 64 * 1024);
    assert.equal(await ask('http://127.0.0.1:1', request, signal), undefined);
    assert.equal(await ask('http://no.such.host.invalid', request, signal), undefined);
  });

  it('that is slow is given up when the signal says so, before its answer and amid it', async (t) => {
    for (const begin of [() => undefined, (response: ServerResponse) => response.writeHead(200).write('x')]) {
      const stop = new AbortController();
      const { port } = await serve(t, (_, response) => {
        begin(response);
        stop.abort();
      });
      assert.equal(await ask(`http://127.0.0.1:${port}`, request, stop.signal), undefined);
    }
    assert.equal(await ask('http://127.0.0.1:1', request, AbortSignal.abort()), undefined);
  });

  it('at an address that is none, or more than one, is not asked', async (t) => {
    const { asked, port } = await serve(t, (_, response) => response.end('x'));
    for (const address of [
      `https://127.0.0.1:${port}`,
      `http://user@127.0.0.1:${port}`,
      `http://:secret@127.0.0.1:${port}`,
      `http://127.0.0.1:${port}/a?b=c`,
      `http://127.0.0.1:${port}/a#b`,
      `http://127.0.0.1:${port}0000`,
      'http://',
      '',
    ])
      assert.equal(await ask(address, request, signal), undefined, address);
    assert.deepEqual(asked, []);
  });
});

describe('what a certificate may not have asked', () => {
  it('is this pod itself, by whatever name', async (t) => {
    const { asked, port } = await serve(t, (_, response) => response.end(answer));
    for (const host of [
      '127.0.0.1',
      'localhost',
      '127.1',
      '0.0.0.0',
      '2130706433',
      '0x7f000001',
      '[::ffff:127.0.0.1]',
      '127.0.0.1.',
    ])
      assert.equal(await askResponder(`http://${host}:${port}`, request, signal), undefined, host);
    assert.deepEqual(asked, []);
    assert.deepEqual(await ask(`http://localhost:${port}`, request, signal), answer);
  });

  it('is this pod by the address that others know it by', () => {
    for (const { address, family } of Object.values(networkInterfaces()).flatMap((one) => one ?? []))
      assert.ok(refusedAddresses().check(address, family === 'IPv6' ? 'ipv6' : 'ipv4'), address);
  });

  it('are links and the metadata services of clouds', () => {
    for (const address of [
      '169.254.169.254',
      '169.254.0.23',
      '100.100.100.200',
      '168.63.129.16',
      '192.0.0.192',
      '0.1.2.3',
    ])
      assert.ok(refusedAddresses().check(address), address);
    for (const address of [
      '::',
      '::1',
      'fe80::1',
      'fd00:ec2::254',
      '::ffff:169.254.169.254',
      '64:ff9b::169.254.169.254',
    ])
      assert.ok(refusedAddresses().check(address, 'ipv6'), address);
    for (const address of ['10.0.0.1', '192.168.1.1', '172.16.0.1', '100.100.100.201', '8.8.8.8'])
      assert.ok(!refusedAddresses().check(address), address);
    for (const address of ['2001:db8::1', 'fd00::1', '64:ff9b::8.8.8.8'])
      assert.ok(!refusedAddresses().check(address, 'ipv6'), address);
  });
});
