// Revoked certificates: refused at the load and in the handshake, by lists in the material and by lists that are downloaded.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, it, type TestContext } from 'node:test';
import { createDispatcher, createHttpsAgent } from '../../src/index.ts';
import { withRevocationLists } from '../../src/revocation/lists.ts';
import { platform } from '../../src/providers/mtls/index.ts';
import { mtls } from '../../src/providers/mtls/provider.ts';
import { findViolation } from '../../src/store/checks.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FakeSource } from '../support/fake-source.ts';
import { Followable } from '../support/followable.ts';
import {
  day,
  filesOf,
  issue,
  makeAuthority,
  makeImpostor,
  now,
  pairFiles,
  pem,
  startDemanding,
} from '../support/mtls.ts';
import { keyPairs } from '../support/key-pairs.ts';
import { certify } from '../support/ocsp.ts';
import { listPem, makeList } from '../support/revocation.ts';

const authority = await makeAuthority();
const client = await issue(authority, 'client');

function fetchesOf(...urls: string[]) {
  const fetches = platform.fetches?.({ revocation: { urls } });
  assert.ok(fetches);
  return fetches;
}

const load = async (lists: Readonly<Record<string, string>>, whenUnknown?: 'accept' | 'reject') =>
  mtls({
    serverNames: {},
    minVersion: 'TLSv1.2',
    ...(whenUnknown && { revocation: { whenUnknown, ocsp: 'ignore' } }),
  }).load(filesOf({ ...pairFiles(client), 'ca.crt': authority.certificate, ...lists }));

const judge = async (...args: Parameters<typeof load>) => {
  const context = await load(...args);
  const violation = await findViolation({ context, current: undefined, older: 'accept' }, now);
  return [violation?.code, ...context.set.warnings(now).map(({ code }) => code)];
};

const crl = async (...args: Parameters<typeof makeList>) => ({ 'ca.crl': listPem(await makeList(...args)) });

describe('one’s own certificate', () => {
  it('is refused by its code when its issuer’s list names it', async () => {
    assert.deepEqual(await judge(await crl(0, [client.serialNumber])), ['certificate-revoked', 'certificate-revoked']);
    assert.deepEqual(await judge(await crl(0, ['01'])), [undefined]);
    assert.deepEqual(await judge({}), [undefined]);
  });

  it('of which nothing is known is a warning, and refused where that is asked for', async () => {
    for (const lists of [{}, await crl(1, []), await crl(0, [], { nextUpdate: now })]) {
      assert.deepEqual(await judge(lists, 'accept'), [undefined, 'revocation-unknown']);
      assert.deepEqual(await judge(lists, 'reject'), ['revocation-unknown', 'revocation-unknown']);
    }
    assert.deepEqual(await judge(await crl(0, []), 'reject'), [undefined]);
  });

  it('is none of the others that are trusted: one of those may be revoked', async () => {
    const rotten = await issue(authority, 'an authority of others');
    const trusted = `${authority.certificate}\n${rotten.certificate}`;
    const lists = { ...(await crl(0, [rotten.serialNumber])), 'ca.crt': trusted };
    assert.deepEqual(await judge(lists), [undefined]);
    assert.deepEqual(await judge({ ...(await crl(0, [client.serialNumber])), 'ca.crt': trusted }), [
      'certificate-revoked',
      'certificate-revoked',
    ]);
  });

  it('that is trusted too is not its own issuer', async () => {
    const lists = {
      ...(await crl(0, [client.serialNumber])),
      'ca.crt': `${client.certificate}\n${authority.certificate}`,
    };
    assert.deepEqual(await judge(lists), ['certificate-revoked', 'certificate-revoked']);
  });

  it('beside a list that is none is refused', async () => {
    const list = listPem(await makeList(0, []));
    for (const text of [
      authority.certificate,
      list.replaceAll('X509 CRL', 'CRL'),
      listPem(Buffer.from('3003020101', 'hex')),
    ]) {
      const { problems } = (await load({ 'ca.crl': text })).set;
      assert.deepEqual(
        problems.map(({ code, field }) => [code, field]),
        [['revocation-list-malformed', 'ca.crl']],
      );
    }
  });
});

const asking = {
  async agent(t: TestContext, followed: Followable, port: number) {
    const agent = createHttpsAgent(followed, 'bank');
    t.after(() => agent.destroy());
    const [response] = (await once(request({ agent, host: 'localhost', port }).end(), 'response')) as [
      AsyncIterable<Uint8Array>,
    ];
    return text(response);
  },
  async dispatcher(t: TestContext, followed: Followable, port: number) {
    const dispatcher = await createDispatcher(followed, 'bank');
    t.after(() => dispatcher.destroy());
    const { body } = await dispatcher.request({ origin: `https://localhost:${port}`, path: '/', method: 'GET' });
    return body.text();
  },
};

describe('a server’s certificate', () => {
  for (const [name, ask] of Object.entries(asking))
    it(`that is revoked is refused by the ${name}, by its code, from the swap on`, async (t) => {
      const { port, own } = await startDemanding(t, authority);
      const followed = new Followable(await load(await crl(0, [])));
      assert.equal(await ask(t, followed, port), client.serialNumber);
      followed.swap(await load(await crl(0, [own.serialNumber])));
      await assert.rejects(ask(t, followed, port), { code: 'certificate-revoked' });
      followed.swap(await load(await crl(1, []), 'accept'));
      assert.equal(await ask(t, followed, port), client.serialNumber);
      followed.swap(await load(await crl(1, []), 'reject'));
      await assert.rejects(ask(t, followed, port), { code: 'revocation-unknown' });
    });
});

describe('a server that hides who issued its certificate', () => {
  it('behind another one of the same name is refused although nothing need be known', async (t) => {
    const own = await issue(authority, 'localhost', { hostNames: ['localhost'] });
    const cert = `${own.certificate}\n${await makeImpostor(authority)}`;
    const { port } = await startDemanding(t, authority, { key: pem(own.privateKey), cert });
    const followed = new Followable(await load(await crl(0, [own.serialNumber]), 'accept'));
    for (const ask of Object.values(asking))
      await assert.rejects(ask(t, followed, port), { code: 'certificate-revoked' });
  });
});

describe('a server whose intermediate authority is revoked', () => {
  it('is refused, also where it shows another certificate for that authority’s key, by an authority of its own', async (t) => {
    const { privateKey, publicKey } = (await keyPairs())[2]!;
    const middle = await certify(0, 'Middle', { authority: { privateKey, publicKey } });
    const own = await certify(0, 'localhost', { by: { privateKey, name: 'CN=Middle' } });
    const impostor = { privateKey: (await keyPairs())[1]!.privateKey, name: 'CN=Authority 0, O=Tenpay.com' };
    // OpenSSL passes over what has expired, and Node shows the first of that name.
    const notAfter = new Date(now.getTime() - 1000);
    const forged = await certify(0, 'Middle', { authority: { privateKey, publicKey }, by: impostor, notAfter });
    const followed = new Followable(await load(await crl(0, [middle.certificate.serialNumber]), 'accept'));
    const chain = [own.certificate, middle.certificate].map(String).join('');
    const hiding = `${[own.certificate, forged.certificate].map(String).join('')}${await makeImpostor(authority)}\n${String(middle.certificate)}`;
    for (const [cert, code] of [
      [chain, 'certificate-revoked'],
      [hiding, 'revocation-unknown'],
    ] as const) {
      const { port } = await startDemanding(t, authority, { key: pem(own.privateKey), cert });
      for (const ask of Object.values(asking)) await assert.rejects(ask(t, followed, port), { code });
    }
  });

  it('is talked to where the chain is whole and nothing is revoked', async (t) => {
    const { privateKey, publicKey } = (await keyPairs())[2]!;
    const middle = await certify(0, 'Middle', { authority: { privateKey, publicKey } });
    const own = await certify(0, 'localhost', { by: { privateKey, name: 'CN=Middle' } });
    const cert = [own.certificate, middle.certificate].map(String).join('');
    const { port } = await startDemanding(t, authority, { key: pem(own.privateKey), cert });
    const followed = new Followable(await load(await crl(0, []), 'accept'));
    for (const ask of Object.values(asking)) assert.equal(await ask(t, followed, port), client.serialNumber);
  });
});

describe('lists that are downloaded', () => {
  const signal = new AbortController().signal;
  const hour = 3_600_000;

  async function start(t: TestContext, by: 0 | 1 = 0) {
    const state = { status: 200, body: await makeList(by, [client.serialNumber]), asked: 0 };
    const server = createServer((_, response) => {
      state.asked += 1;
      response.writeHead(state.status).end(state.body);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close().closeAllConnections());
    const inner = new FakeSource();
    inner.tick('start');
    inner.content = filesOf({ ...pairFiles(client), 'ca.crt': authority.certificate });
    const clock = new FakeClock(now);
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/a.crl`;
    const source = withRevocationLists(inner, fetchesOf(url), clock);
    const read = async () => (await source.read(signal)).data.get('ca.crl.0');
    /** What is read after the next download. */
    const offer = async (body: Buffer) => {
      state.body = body;
      clock.advance(hour);
      // New material is read with what is due.
      inner.content = new Map([...inner.content, ['revision', Buffer.from(String(state.asked))]]);
      return read();
    };
    return { state, clock, source, read, offer };
  }

  it('are part of the material, and refuse as those in files do', async (t) => {
    const { source } = await start(t);
    const { data } = await source.read(signal);
    const context = await mtls({
      serverNames: {},
      minVersion: 'TLSv1.2',
      revocation: { whenUnknown: 'accept', ocsp: 'ignore' },
    }).load(data);
    const violation = await findViolation({ context, current: undefined, older: 'accept' }, now);
    assert.equal(violation?.code, 'certificate-revoked');
  });

  it('are asked for again every hour, and kept beyond it while there is no better one; news is an event', async (t) => {
    const { state, clock, source, read } = await start(t);
    const first = await read();
    assert.deepEqual(first, state.body);
    const stop = new AbortController();
    const changes = source.changes(stop.signal)[Symbol.asyncIterator]();
    assert.equal((await changes.next()).value, 'start');
    const next = changes.next();
    /** Until what is due has been looked at. */
    const pass = async (milliseconds: number) => {
      if (clock.sleeping.length === 0) await clock.nextSleep();
      const again = clock.nextSleep();
      clock.advance(milliseconds);
      await Promise.race([again, next]);
    };
    await pass(hour - 60_000);
    assert.equal(state.asked, 1);
    for (const [status, body] of [
      [500, state.body],
      [200, Buffer.from('<html>')],
    ] as const) {
      Object.assign(state, { status, body });
      await pass(60_000);
      assert.deepEqual(await read(), first);
    }
    assert.equal(state.asked, 3);
    Object.assign(state, { status: 200, body: await makeList(0, []) });
    assert.deepEqual([await read(), state.asked], [first, 3]);
    await pass(60_000);
    assert.deepEqual((await next).value, 'event');
    assert.deepEqual([await read(), state.asked], [state.body, 4]);
    stop.abort();
    await changes.return?.();
  });

  it('are replaced by none that is older, and by none that an authority of the material has not signed', async (t) => {
    const { offer } = await start(t);
    const at = (milliseconds: number) => ({ thisUpdate: new Date(now.getTime() + milliseconds) });
    const listed = await offer(await makeList(0, [client.serialNumber], at(-1000)));
    for (const other of [
      await makeList(0, [], at(-2000)),
      await makeList(1, [], at(0)),
      await makeList(1, [], { ...at(0), issuer: `CN=Authority 0, O=Tenpay.com` }),
    ])
      assert.deepEqual(await offer(other), listed);
    const lifted = await makeList(0, [], at(-1000));
    assert.deepEqual(await offer(lifted), lifted);
  });

  it('of authorities that nobody knows here are replaced by newer ones, and by any where they are of the future', async (t) => {
    const { offer } = await start(t, 1);
    const isTaken = async (milliseconds: number) => {
      const list = await makeList(1, [], { thisUpdate: new Date(now.getTime() + milliseconds) });
      return list.equals((await offer(list))!);
    };
    assert.deepEqual(
      [await isTaken(0), await isTaken(-1000), await isTaken(1000 * day), await isTaken(0)],
      [true, false, true, true],
    );
  });

  /** As long as a list of many entries, and quick to make. */
  const long = (by: 0 | 1, bytes: number, thisUpdate = now) => makeList(by, [], { thisUpdate, padding: bytes });

  it('of more than a megabyte are kept only where an authority of the material has signed them', async (t) => {
    const megabyte = 1024 * 1024;
    const { offer } = await start(t, 1);
    const small = await offer(await makeList(1, []));
    assert.ok(small);
    assert.deepEqual(await offer(await long(1, megabyte)), small);
    const genuine = await long(0, megabyte);
    assert.deepEqual(await offer(genuine), genuine);
    assert.deepEqual(await offer(await long(1, megabyte)), genuine);
  });

  it('are kept up to 32 MiB of one credential, whatever each address answers', async (t) => {
    const body = await long(0, 12 * 1024 * 1024);
    const server = createServer((_, response) => response.end(body)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close().closeAllConnections());
    const { port } = server.address() as AddressInfo;
    const urls = ['a', 'b', 'c'].map((name) => `http://127.0.0.1:${port}/${name}.crl`);
    const inner = new FakeSource();
    inner.content = filesOf({ ...pairFiles(client), 'ca.crt': authority.certificate });
    const { data } = await withRevocationLists(inner, fetchesOf(...urls), new FakeClock(now)).read(signal);
    assert.equal([...data.keys()].filter((name) => name.startsWith('ca.crl')).length, 2);
  });

  it('may be in PEM, as OpenSSL writes them', async (t) => {
    const { offer } = await start(t);
    const list = Buffer.from(listPem(await makeList(0, [client.serialNumber])));
    assert.deepEqual(await offer(list), list);
  });

  it('that cannot be had are left out, and the rest of the material is read', async () => {
    const inner = new FakeSource();
    inner.content = filesOf(pairFiles(client));
    const source = withRevocationLists(inner, fetchesOf('http://127.0.0.1:1/a.crl'), new FakeClock());
    assert.deepEqual([...(await source.read(signal)).data.keys()], ['tls.crt', 'tls.key']);
  });
});
