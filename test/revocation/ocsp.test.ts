// OCSP: a certificate that its issuer's responder takes back is refused, one's own at the load and a server's in the handshake.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:https';
import { type AddressInfo, BlockList } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, it, type TestContext } from 'node:test';
import { createServer, getCACertificates, setDefaultCACertificates, type TLSSocket } from 'node:tls';
import { createAsker, type AskResponder } from '../../src/revocation/ask-responder.ts';
import { withOcspResponses } from '../../src/revocation/ocsp-responses.ts';
import { Responders } from '../../src/revocation/responders.ts';
import { createDispatcher, createHttpsAgent, type Subscription, startPaycert } from '../../src/index.ts';
import { platform } from '../../src/providers/mtls/index.ts';
import { mtls } from '../../src/providers/mtls/provider.ts';
import { findViolation } from '../../src/store/checks.ts';
import { makeDirectory } from '../support/directories.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FakeSource } from '../support/fake-source.ts';
import { Followable } from '../support/followable.ts';
import { createSecretVolume } from '../../src/testing/secret-volume.ts';
import { keyPairs } from '../support/key-pairs.ts';
import { filesOf, issue, makeAuthority, makeImpostor, now, pairFiles, pem, startDemanding } from '../support/mtls.ts';
import { type ResponseOptions, type Certified, certify, makeResponse } from '../support/ocsp.ts';
import { startOpensslResponder, withoutOpenssl } from '../support/openssl-responder.ts';

const authority = await makeAuthority();
const issuer = new X509Certificate(authority.certificate);
const signer = { certificate: issuer, privateKey: (await keyPairs())[0]!.privateKey };
const client = await issue(authority, 'client');
const responder = 'http://ocsp.example';
const says = (of: Certified, options: Partial<ResponseOptions> = {}) =>
  makeResponse({ about: of.certificate, issuer, signer, ...options });
const texts = ({ certificate, privateKey }: Certified) => ({
  'tls.crt': certificate.toString(),
  'tls.key': pem(privateKey),
});
const trust = { 'ca.crt': authority.certificate };
function fetchesOf(revocation: object) {
  const fetches = platform.fetches?.({ revocation });
  assert.ok(fetches);
  return fetches;
}

type WhenUnknown = 'accept' | 'reject';
const provider = (whenUnknown: WhenUnknown, ocsp: 'ask' | 'ignore' = 'ask') =>
  mtls({ serverNames: {}, minVersion: 'TLSv1.2', revocation: { whenUnknown, ocsp } });
const followed = async (...args: Parameters<typeof provider>) =>
  new Followable(await provider(...args).load(filesOf({ ...pairFiles(client), ...trust })));

type Ask = (port: number) => Promise<string>;

const clients = {
  async agent(t: TestContext, on: Subscription, askResponder: AskResponder, isKept = true): Promise<Ask> {
    const agent = createHttpsAgent(on, 'bank', { askResponder, keepAlive: isKept });
    t.after(() => agent.destroy());
    return async (port) => {
      const sent = request({ agent, host: 'localhost', port, method: 'POST' }).end('secret');
      const [response] = (await once(sent, 'response')) as [AsyncIterable<Uint8Array>];
      return text(response);
    };
  },
  async dispatcher(t: TestContext, on: Subscription, askResponder: AskResponder, isKept = true): Promise<Ask> {
    const dispatcher = await createDispatcher(on, 'bank', { askResponder, pipelining: isKept ? 1 : 0 });
    t.after(() => dispatcher.destroy());
    return async (port) => {
      const origin = `https://localhost:${port}`;
      const { body } = await dispatcher.request({ origin, path: '/', method: 'POST', body: 'secret' });
      return body.text();
    };
  },
};

const serverOf = (t: TestContext, { certificate, privateKey }: Certified, options: object = {}) =>
  startDemanding(t, authority, { key: pem(privateKey), cert: certificate.toString(), ...options });

for (const [name, connect] of Object.entries(clients))
  describe(`a server’s certificate, for the ${name}`, () => {
    const ask = async (t: TestContext, on: Followable, port: number, askResponder: AskResponder) =>
      (await connect(t, on, askResponder))(port);

    it('is refused by its code when the responder that it names takes it back', async (t) => {
      const own = await certify(0, 'localhost', { responder });
      const { port } = await serverOf(t, own);
      const on = await followed('accept');
      assert.equal(await ask(t, on, port, async () => says(own)), client.serialNumber);
      const refused = ask(t, on, port, async () => says(own, { status: 'revoked' }));
      await assert.rejects(refused, { code: 'certificate-revoked' });
    });

    it('of which the responder says nothing is accepted, or refused, as configured', async (t) => {
      const own = await certify(0, 'localhost', { responder });
      const { port } = await serverOf(t, own);
      for (const answer of [undefined, says(own, { status: 'unknown' }), says(own, { outcome: 6 })]) {
        assert.equal(await ask(t, await followed('accept'), port, async () => answer), client.serialNumber);
        const refused = ask(t, await followed('reject'), port, async () => answer);
        await assert.rejects(refused, { code: 'revocation-unknown' });
      }
      assert.equal(await ask(t, await followed('reject'), port, async () => says(own)), client.serialNumber);
    });

    it('that names no responder, or whose responder is to be ignored, is as good as what lists say', async (t) => {
      const never: AskResponder = () => assert.fail('nobody is to be asked');
      const { port } = await serverOf(t, await certify(0, 'localhost'));
      assert.equal(await ask(t, await followed('accept'), port, never), client.serialNumber);
      await assert.rejects(ask(t, await followed('reject'), port, never), { code: 'revocation-unknown' });
      const { port: naming } = await serverOf(t, await certify(0, 'localhost', { responder }));
      assert.equal(await ask(t, await followed('accept', 'ignore'), naming, never), client.serialNumber);
    });

    it('that comes to no trusted authority, or is for another name, has nobody asked', async (t) => {
      const never: AskResponder = () => assert.fail('nobody is to be asked');
      const { port } = await serverOf(t, await certify(1, 'localhost', { responder }));
      await assert.rejects(ask(t, await followed('accept'), port, never), {
        code: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
      });
      const old = await certify(0, 'localhost', { responder, notAfter: new Date(now.getTime() - 1000) });
      const { port: late } = await serverOf(t, old);
      await assert.rejects(ask(t, await followed('accept'), late, never), { code: 'CERT_HAS_EXPIRED' });
    });

    it('whose issuer is hidden behind another one of that name is refused all the same', async (t) => {
      const own = await certify(0, 'localhost', { responder });
      const cert = `${own.certificate.toString()}\n${await makeImpostor(authority)}`;
      const { port } = await serverOf(t, own, { cert });
      const revoked: AskResponder = async () => says(own, { status: 'revoked' });
      await assert.rejects(ask(t, await followed('accept'), port, revoked), { code: 'certificate-revoked' });
    });

    it('is asked about where it is trusted because Node trusts its authority', async (t) => {
      const own = await certify(0, 'localhost', { responder });
      const before = getCACertificates();
      t.after(() => setDefaultCACertificates(before));
      setDefaultCACertificates([authority.certificate]);
      const on = new Followable(await provider('reject').load(filesOf(pairFiles(client))));
      const { port } = await serverOf(t, own);
      assert.equal(await ask(t, on, port, async () => says(own)), client.serialNumber);
      const refused = ask(t, on, port, async () => says(own, { status: 'revoked' }));
      await assert.rejects(refused, { code: 'certificate-revoked' });
    });

    it('is asked about before a byte of the request has left, and before an answer is believed', async (t) => {
      const own = await certify(0, 'localhost', { responder });
      const received: Buffer[] = [];
      const server = createServer({ key: pem(own.privateKey), cert: own.certificate.toString() }, (socket) => {
        socket.on('data', (bytes: Buffer) => received.push(bytes));
        socket.on('error', () => undefined);
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nno');
      });
      server.listen(0, 'localhost');
      await once(server, 'listening');
      t.after(() => server.close());
      const connected = once(server, 'secureConnection');
      const slow: AskResponder = async () => {
        await connected;
        // What the server has sent is here by now.
        await new Promise((resolve) => setImmediate(resolve));
        return says(own, { status: 'revoked' });
      };
      const { port } = server.address() as AddressInfo;
      await assert.rejects(ask(t, await followed('accept'), port, slow), { code: 'certificate-revoked' });
      assert.deepEqual(Buffer.concat(received).toString(), '');
    });

    it('whose server goes away while it is asked about fails the request', async (t) => {
      const own = await certify(0, 'localhost', { responder });
      const { port, server } = await serverOf(t, own);
      const accepted = once(server, 'secureConnection') as Promise<[TLSSocket]>;
      const leaving: AskResponder = async () => {
        const [socket] = await accepted;
        const ended = once(socket, 'close');
        socket.destroy();
        await ended;
        return says(own);
      };
      await assert.rejects(ask(t, await followed('accept'), port, leaving), { code: /ECONNRESET|UND_ERR_SOCKET/ });
    });

    it('is asked about in every handshake: no session is resumed', async (t) => {
      const own = await certify(0, 'localhost', { responder });
      const { port, server, handshakes } = await serverOf(t, own);
      const resumed: boolean[] = [];
      server.on('secureConnection', (socket) => resumed.push(socket.isSessionReused()));
      const requests = await connect(t, await followed('accept'), async () => says(own), false);
      for (let count = 0; count < 3; count += 1) await requests(port);
      assert.deepEqual([handshakes(), resumed], [3, [false, false, false]]);
    });
  });

describe('connections that are being asked about', () => {
  it('when their certificate is replaced end with their answer, and at the deadline in any case', async (t) => {
    const own = await certify(0, 'localhost', { responder });
    const { port, open } = await serverOf(t, own);
    for (const isSlow of [false, true]) {
      const [on, clock] = [await followed('accept'), new FakeClock(now)];
      const [called, gate] = [Promise.withResolvers<undefined>(), Promise.withResolvers<Uint8Array>()];
      const askResponder: AskResponder = () => {
        called.resolve(undefined);
        return gate.promise;
      };
      const agent = createHttpsAgent(on, 'bank', { askResponder, clock, drainMilliseconds: 5000 });
      const sent = request({ agent, host: 'localhost', port }).end();
      const answered = once(sent, 'response') as Promise<[AsyncIterable<Uint8Array>]>;
      await called.promise;
      const sleeping = clock.nextSleep();
      const next = await issue(authority, 'next');
      on.swap(await provider('accept').load(filesOf({ ...pairFiles(next), ...trust })));
      await sleeping;
      if (isSlow) {
        const ended = assert.rejects(answered, { code: 'ECONNRESET' });
        clock.advance(5000);
        await ended;
        gate.resolve(says(own));
      } else {
        gate.resolve(says(own));
        assert.equal(await text((await answered)[0]), client.serialNumber);
      }
      for (const [socket] of open) if (!socket.destroyed) await once(socket, 'close').catch(() => undefined);
      agent.destroy();
    }
  });
});

describe('one’s own certificate', () => {
  async function start(answer: (own: Certified) => Uint8Array | undefined) {
    const own = await certify(0, 'shop', { responder });
    const state = { answer: answer(own), asked: 0 };
    const inner = new FakeSource();
    inner.content = filesOf({ ...texts(own), ...trust });
    inner.tick('start');
    const clock = new FakeClock(now);
    const responders = new Responders(clock, async () => {
      state.asked += 1;
      return state.answer;
    });
    const source = withOcspResponses(inner, fetchesOf({}), responders, clock);
    const judge = async (whenUnknown: WhenUnknown) => {
      const context = await provider(whenUnknown).load((await source.read(new AbortController().signal)).data);
      const violation = await findViolation({ context, current: undefined, older: 'accept' }, now);
      return [violation?.code, ...context.set.warnings(now).map(({ code }) => code)];
    };
    return { own, state, inner, clock, source, judge };
  }

  it('is refused by its code when the responder that it names takes it back', async () => {
    const { judge } = await start((own) => says(own, { status: 'revoked' }));
    for (const whenUnknown of ['accept', 'reject'] as const)
      assert.deepEqual(await judge(whenUnknown), ['certificate-revoked', 'certificate-revoked']);
  });

  it('that is good is accepted; of which nothing is known is a warning, and refused where that is asked for', async () => {
    const { judge } = await start((own) => says(own));
    assert.deepEqual([await judge('accept'), await judge('reject')], [[undefined], [undefined]]);
    for (const answer of [() => undefined, (own: Certified) => says(own, { status: 'unknown' })]) {
      const { judge: look } = await start(answer);
      assert.deepEqual(await look('accept'), [undefined, 'revocation-unknown']);
      assert.deepEqual(await look('reject'), ['revocation-unknown', 'revocation-unknown']);
    }
  });

  it('is asked about once per load, again every hour, and news is an event', async () => {
    const { own, state, clock, source } = await start((one) =>
      says(one, { nextUpdate: new Date(now.getTime() + 1e9) }),
    );
    const stop = new AbortController();
    const first = await source.read(stop.signal);
    assert.equal((await source.read(stop.signal)).revision, first.revision);
    assert.equal(state.asked, 1);
    const changes = source.changes(stop.signal)[Symbol.asyncIterator]();
    assert.equal((await changes.next()).value, 'start');
    const next = changes.next();
    if (clock.sleeping.length === 0) await clock.nextSleep();
    state.answer = says(own, { status: 'revoked' });
    clock.advance(3_600_000);
    assert.equal((await next).value, 'event');
    assert.notEqual((await source.read(stop.signal)).revision, first.revision);
    assert.equal(state.asked, 2);
    stop.abort();
    await changes.return?.();
  });

  it('whose issuer is not there has nobody asked', async () => {
    const { state, inner, own, judge } = await start(() => undefined);
    inner.content = filesOf(texts(own));
    assert.deepEqual([await judge('accept'), state.asked], [[undefined, 'revocation-unknown'], 0]);
  });
});

describe('OpenSSL’s responder', { skip: withoutOpenssl }, () => {
  it('takes back a program’s own certificate, and the certificate of the server that it talks to', async (t) => {
    const askResponder = createAsker(() => new BlockList());
    const make = async (name: string, taken: boolean) => {
      // The address must stand in the certificate, and the certificate in the responder's index.
      const places = new Map<string, string>();
      const alias = `http://${name}.example`;
      const made = await certify(0, name, { responder: alias });
      const index = taken ? { revoked: [made.certificate] } : { good: [made.certificate] };
      places.set(alias, await startOpensslResponder(t, 0, index));
      return { made, places };
    };
    const all = [await make('shop', false), await make('localhost', false), await make('stolen', true)];
    const places = new Map(all.flatMap((one) => [...one.places]));
    const ask: AskResponder = (address, ...rest) => askResponder(places.get(address) ?? '', ...rest);
    const [shop, server, stolen] = all.map(({ made }) => made) as [Certified, Certified, Certified];

    const directory = await makeDirectory(t);
    const volume = await createSecretVolume(directory, filesOf({ ...texts(shop), ...trust }));
    const seen: string[] = [];
    const rejected = Promise.withResolvers<string>();
    const credentials = [
      {
        name: 'bank',
        required: true,
        provider: { mtls: { revocation: { whenUnknown: 'reject' as const } } },
        source: { files: { path: directory } },
      },
    ];
    const paycert = await startPaycert(credentials, {
      askResponder: ask,
      observe: (event) => {
        seen.push(event.type);
        if (event.type === 'rejected') rejected.resolve(event.error.code);
      },
    });
    t.after(() => paycert.stop());
    const get = await clients.agent(t, paycert, ask);
    assert.equal(await get((await serverOf(t, server)).port), shop.certificate.serialNumber);
    await assert.rejects(get((await serverOf(t, stolen)).port), { code: 'certificate-revoked' });
    await volume.write(filesOf({ ...texts(stolen), ...trust }));
    assert.equal(await rejected.promise, 'certificate-revoked');
    assert.equal(paycert.current('bank').generation, 1);
  });
});
