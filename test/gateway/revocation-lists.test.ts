// Revoked certificates: refused at the load and in the handshake, by lists in the material and by lists that are downloaded.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, it, type TestContext } from 'node:test';
import { createDispatcher, createHttpsAgent } from '../../src/index.ts';
import { withRevocationLists } from '../../src/gateway/revocation-lists.ts';
import { type MtlsOptions, mtls } from '../../src/providers/mtls/provider.ts';
import { findViolation } from '../../src/store/checks.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FakeSource } from '../support/fake-source.ts';
import { Followable } from '../support/followable.ts';
import { filesOf, issue, makeAuthority, now, pairFiles, startDemanding } from '../support/mtls.ts';
import { listPem, makeList } from '../support/revocation.ts';

const authority = await makeAuthority();
const client = await issue(authority, 'client');

const load = async (lists: Readonly<Record<string, string>>, revocation?: MtlsOptions['revocation']) =>
  mtls({ serverNames: {}, minVersion: 'TLSv1.2', ...(revocation && { revocation }) }).load(
    filesOf({ ...pairFiles(client), 'ca.crt': authority.certificate, ...lists }),
  );

const judge = async (...args: Parameters<typeof load>) => {
  const context = await load(...args);
  const violation = await findViolation({ context, current: undefined, older: 'accept' }, now);
  return [violation?.code, ...context.warnings(now).map(({ code }) => code)];
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
      assert.deepEqual(await judge(lists, 'soft'), [undefined, 'revocation-unknown']);
      assert.deepEqual(await judge(lists, 'hard'), ['revocation-unknown', 'revocation-unknown']);
    }
    assert.deepEqual(await judge(await crl(0, []), 'hard'), [undefined]);
  });

  it('beside a list that is none is refused', async () => {
    const { problems } = await load({ 'ca.crl': authority.certificate });
    assert.deepEqual(problems, []);
    const broken = await load({ 'ca.crl': listPem(Buffer.from('3003020101', 'hex')) });
    assert.deepEqual(
      broken.problems.map(({ code, field }) => [code, field]),
      [['revocation-list-malformed', 'ca.crl']],
    );
  });
});

describe('a server’s certificate', () => {
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

  for (const [name, ask] of Object.entries(asking))
    it(`that is revoked is refused by the ${name}, by its code, from the swap on`, async (t) => {
      const { port, own } = await startDemanding(t, authority);
      const followed = new Followable(await load(await crl(0, [])));
      assert.equal(await ask(t, followed, port), client.serialNumber);
      followed.swap(await load(await crl(0, [own.serialNumber])));
      await assert.rejects(ask(t, followed, port), { code: 'certificate-revoked' });
      followed.swap(await load(await crl(1, []), 'soft'));
      assert.equal(await ask(t, followed, port), client.serialNumber);
      followed.swap(await load(await crl(1, []), 'hard'));
      await assert.rejects(ask(t, followed, port), { code: 'revocation-unknown' });
    });
});

describe('lists that are downloaded', () => {
  const signal = new AbortController().signal;

  async function start(t: TestContext) {
    const state = { status: 200, body: await makeList(0, [client.serialNumber]), asked: 0 };
    const server = createServer((_, response) => {
      state.asked += 1;
      response.writeHead(state.status).end(state.body);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close().closeAllConnections());
    const inner = new FakeSource();
    inner.content = filesOf({ ...pairFiles(client), 'ca.crt': authority.certificate });
    const clock = new FakeClock();
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/a.crl`;
    const source = withRevocationLists(inner, [url], clock);
    const read = async () => (await source.read(signal)).data.get('ca.crl.0');
    return { state, clock, source, read };
  }

  it('are part of the material, and refuse as those in files do', async (t) => {
    const { source } = await start(t);
    const { data } = await source.read(signal);
    const context = await mtls({ serverNames: {}, minVersion: 'TLSv1.2', revocation: 'soft' }).load(data);
    const violation = await findViolation({ context, current: undefined, older: 'accept' }, now);
    assert.equal(violation?.code, 'certificate-revoked');
  });

  it('are kept for an hour, and beyond it while there is no better one', async (t) => {
    const { state, clock, read } = await start(t);
    const first = await read();
    assert.deepEqual(first, state.body);
    assert.deepEqual([await read(), state.asked], [first, 1]);
    for (const [status, body] of [
      [500, state.body],
      [200, Buffer.from('<html>')],
    ] as const) {
      Object.assign(state, { status, body });
      clock.advance(3_600_000);
      assert.deepEqual(await read(), first);
    }
    assert.equal(state.asked, 3);
    Object.assign(state, { status: 200, body: await makeList(0, []) });
    assert.deepEqual([await read(), state.asked], [first, 3]);
    clock.advance(60_000);
    assert.deepEqual(await read(), state.body);
  });

  it('that cannot be had are left out, and the rest of the material is read', async () => {
    const inner = new FakeSource();
    inner.content = filesOf(pairFiles(client));
    const source = withRevocationLists(inner, ['http://127.0.0.1:1/a.crl'], new FakeClock());
    assert.deepEqual([...(await source.read(signal)).data.keys()], ['tls.crt', 'tls.key']);
  });

  it('are asked for again every hour', async () => {
    const [clock, stop] = [new FakeClock(), new AbortController()];
    const inner = new FakeSource();
    inner.tick('start');
    const source = withRevocationLists(inner, ['http://127.0.0.1:1/a.crl'], clock);
    const changes = source.changes(stop.signal)[Symbol.asyncIterator]();
    assert.equal((await changes.next()).value, 'start');
    const next = changes.next();
    if (clock.sleeping.length === 0) await clock.nextSleep();
    clock.advance(3_600_000);
    assert.equal((await next).value, 'poll');
    stop.abort();
    await changes.return?.();
  });
});
