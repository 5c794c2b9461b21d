// 1,000 handshakes across 100 rotations with a server that demands certificates: none fails, and no old certificate stays.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import { describe, it, type TestContext } from 'node:test';
import type { Dispatcher } from 'undici';
import { createDispatcher, createHttpsAgent, type Event, startPaycert } from '../../src/index.ts';
import { createSecretVolume } from '../../src/testing/secret-volume.ts';
import { makeDirectory } from '../support/directories.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { type Demanding, filesOf, issue, makeAuthority, pairFiles, startDemanding } from '../support/mtls.ts';

const drainMilliseconds = 5000;

/** A program whose certificate is renewed in a mounted Secret, and the server that it talks to. */
async function start(t: TestContext) {
  const authority = await makeAuthority();
  const server = await startDemanding(t, authority);
  const make = async () => {
    const issued = await issue(authority, 'shop');
    return { serial: issued.serialNumber, files: filesOf({ ...pairFiles(issued), 'ca.crt': authority.certificate }) };
  };
  const directory = await makeDirectory(t);
  const first = await make();
  const volume = await createSecretVolume(directory, first.files);
  let told: (serial: string) => void = () => undefined;
  const observe = (event: Event) => {
    if (event.type === 'swapped') told(event.keyId ?? '');
  };
  const credentials = [{ name: 'bank', provider: { mtls: {} }, source: { files: { path: directory } } }];
  const paycert = await startPaycert(credentials, { observe });
  t.after(() => paycert.stop());
  const clock = new FakeClock();
  return {
    paycert,
    server,
    clock,
    serial: first.serial,
    /** Resolves when the new certificate is current. */
    async rotate(): Promise<string> {
      const { serial, files } = await make();
      const current = new Promise<void>((resolve) => (told = (keyId) => keyId === serial && resolve()));
      await volume.write(files);
      await current;
      return serial;
    },
  };
}

type Program = Awaited<ReturnType<typeof start>>;
type Ask = () => Promise<string>;

const clients = {
  async 'the agent for node:https'({ paycert, server, clock }: Program) {
    const agent = createHttpsAgent(paycert, 'bank', { drainMilliseconds, clock });
    const ask: Ask = async () => {
      const sent = request({ agent, host: 'localhost', port: server.port, method: 'POST' }).end('x');
      const [response] = (await once(sent, 'response')) as [AsyncIterable<Uint8Array>];
      return text(response);
    };
    return { ask, end: () => agent.destroy() };
  },
  async 'the dispatcher for undici'({ paycert, server, clock }: Program) {
    const dispatcher: Dispatcher = await createDispatcher(paycert, 'bank', { drainMilliseconds, clock });
    const ask: Ask = async () => {
      const { body } = await dispatcher.request({
        origin: `https://localhost:${server.port}`,
        path: '/',
        method: 'POST',
        body: 'x',
      });
      return body.text();
    };
    return { ask, end: () => dispatcher.destroy() };
  },
};

/** That many requests at once, each on a connection of its own, none of them answered yet. */
async function ask(server: Demanding, one: Ask, count: number): Promise<Promise<string>[]> {
  const held = server.hold(count);
  const answers = Array.from({ length: count }, one);
  await held;
  return answers;
}

/** When the server has seen the end of every connection that another certificate than this one has made. */
async function onlyUses({ open }: Demanding, serial: string): Promise<void> {
  const old = [...open].filter(([, used]) => used !== serial);
  await Promise.all(
    old.map(async ([socket]) => socket.destroyed || new Promise((resolve) => socket.once('close', resolve))),
  );
  assert.deepEqual(
    [...open.values()].filter((used) => used !== serial),
    [],
  );
}

describe('certificates that rotate under load', { timeout: 900_000 }, () => {
  for (const [name, connect] of Object.entries(clients)) {
    it(`fail no handshake of ${name}, and close the connections of those before them`, async (t) => {
      const program = await start(t);
      const { server } = program;
      const client = await connect(program);
      let { serial } = program;
      for (let rotation = 0; rotation < 100; rotation += 1) {
        const answers = await ask(server, client.ask, 10);
        const before = serial;
        // Every second time while all ten are in flight.
        if (rotation % 2 === 0) serial = await program.rotate();
        server.release();
        for (const answer of await Promise.all(answers)) assert.equal(answer, before);
        if (rotation % 2 === 1) serial = await program.rotate();
        // Idle connections end at once, the others with their answer: time has not passed.
        await onlyUses(server, serial);
      }
      assert.deepEqual([server.handshakes(), server.failures], [1000, []]);
      client.end();
    });

    it(`end what ${name} still waits for at the deadline, and not before`, async (t) => {
      const program = await start(t);
      const { server, clock } = program;
      const client = await connect(program);
      const sleeping = clock.nextSleep();
      const [ended] = (await ask(server, client.ask, 1)).map((answer) => assert.rejects(answer));
      const [[socket] = []] = server.open;
      const serial = await program.rotate();
      await sleeping;
      clock.advance(drainMilliseconds - 1);
      const [next] = await ask(server, client.ask, 1);
      assert.ok(socket && !socket.destroyed);
      clock.advance(1);
      await ended;
      await onlyUses(server, serial);
      server.release();
      assert.equal(await next, serial);
      client.end();
    });

    it(`reuse the connections of ${name} while the certificate stays`, async (t) => {
      const program = await start(t);
      const client = await connect(program);
      for (let count = 0; count < 20; count += 1) assert.equal(await client.ask(), program.serial);
      // undici frees a connection a moment after its answer has been read.
      assert.ok(program.server.handshakes() <= 2);
      client.end();
    });
  }
});
