// What pods share in a real Redis: one of them claims, all learn, and while it is away nobody waits for it.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { createClient } from '@redis/client';
import { systemClock } from '../../src/clock.ts';
import { openRedis, type RedisOptions, type RedisStore } from '../../src/delivery/redis.ts';
import type { Event } from '../../src/events.ts';
import { toPkcs8Pem } from '../../src/testing/key-pair.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { issue, makeAuthority } from '../support/mtls.ts';
import { noRedis, startRedis } from '../support/redis.ts';

const prefix = 'paycert:test:';
type Changed = Extract<Event, { type: 'dedupe-changed' }>;

interface Opened extends RedisStore {
  /** The next change from there on. */
  changed(isAvailable: boolean): Promise<Changed>;
}

async function open(t: TestContext, options: Partial<RedisOptions> & Pick<RedisOptions, 'address'>): Promise<Opened> {
  const changes: Changed[] = [];
  let wake: (() => void)[] = [];
  const observe = (event: Event) => {
    assert.equal(event.type, 'dedupe-changed');
    changes.push(event);
    for (const one of wake.splice(0)) one();
  };
  const store = await openRedis({
    ...{ password: () => undefined, database: 0, prefix, deadlineMilliseconds: 60_000, clock: systemClock, observe },
    ...options,
  });
  t.after(() => {
    wake = [];
    store.close();
  });
  return Object.assign(store, {
    async changed(isAvailable: boolean) {
      for (;;) {
        const change = changes.shift();
        if (change?.isAvailable === isAvailable) return change;
        if (change === undefined) await new Promise<void>((resolve) => wake.push(resolve));
      }
    },
  });
}

describe('pods that share a Redis', { skip: noRedis, timeout: 900_000 }, () => {
  it('claim each delivery once, learn that it was made, and free only what is theirs', async (t) => {
    const { port } = await startRedis(t);
    const address = `redis://127.0.0.1:${String(port)}`;
    const [a, b] = await Promise.all([open(t, { address, database: 3 }), open(t, { address, database: 3 })]);
    await Promise.all([a.changed(true), b.changed(true)]);
    const many = Array.from({ length: 50 }, (_, index) =>
      (index % 2 === 0 ? a : b).claim('many', String(index), 60_000),
    );
    const claims = await Promise.all(many);
    assert.deepEqual([...new Set(claims)].sort(), ['ours', 'under-way']);
    assert.equal(claims.filter((claim) => claim === 'ours').length, 1);

    assert.equal(await a.claim('k', 'a', 60_000), 'ours');
    await b.release('k', 'b');
    assert.equal(await b.claim('k', 'b', 60_000), 'under-way');
    await a.release('k', 'a');
    assert.equal(await b.claim('k', 'b', 60_000), 'ours');
    await b.noteDelivered('k', 60_000);
    await b.release('k', 'b');
    assert.equal(await a.claim('k', 'a', 60_000), 'delivered');

    const client = await createClient({ url: `${address}/3` })
      .on('error', () => undefined)
      .connect();
    t.after(() => client.destroy());
    assert.deepEqual((await client.keys('*')).sort(), [`${prefix}k`, `${prefix}many`]);
    assert.equal(await a.claim('other', 'a', 30_000), 'ours');
    const left = await Promise.all(['k', 'other'].map((key) => client.pTTL(`${prefix}${key}`)));
    assert.ok(left[0]! > 30_000 && left[0]! <= 60_000 && left[1]! > 0 && left[1]! <= 30_000, left.join());
  });

  it('learn at once that it is away, and share again when it is back, with the password of that time', async (t) => {
    const server = await startRedis(t, { password: 'first' });
    let password = 'a-password-that-is-no-more';
    const address = `redis://127.0.0.1:${String(server.port)}`;
    const store = await open(t, { address, password: () => password });
    const refused = await store.changed(false);
    assert.match(String(refused.error?.message), /\(WRONGPASS\)/);
    assert.doesNotMatch(JSON.stringify([refused, store.state()]), /a-password/);
    password = 'first';
    await store.changed(true);
    assert.equal(await store.claim('k', 'a', 60_000), 'ours');
    await server.kill();
    await store.changed(false);
    await assert.rejects(store.claim('k', 'b', 60_000), { code: 'dedupe-unavailable' });
    assert.equal(store.state().error?.code, 'dedupe-unavailable');
    await server.start();
    await store.changed(true);
    assert.equal(await store.claim('k', 'b', 60_000), 'ours');
    assert.deepEqual([store.state().isAvailable, store.state().error], [true, undefined]);
  });

  it('speak TLS with it, and only with one that their authority knows', async (t) => {
    const [authority, stranger] = [await makeAuthority(), await makeAuthority(1)];
    const { certificate, privateKey } = await issue(authority, 'localhost');
    const { port } = await startRedis(t, { tls: { certificate, key: toPkcs8Pem(privateKey) } });
    const address = `rediss://localhost:${String(port)}`;
    const [good, bad] = await Promise.all(
      [authority, stranger].map((one) => open(t, { address, ca: one.certificate })),
    );
    await good!.changed(true);
    assert.equal(await good!.claim('k', 'a', 60_000), 'ours');
    const { error } = await bad!.changed(false);
    assert.match(String(error?.message), /\((?:UNABLE_TO_VERIFY_LEAF_SIGNATURE|\w*(?:SELF_SIGNED|ISSUER)\w*)\)/);
  });
});

describe('a Redis that is silent', { timeout: 900_000 }, () => {
  it('is waited for once, until the deadline, and not by others', async (t) => {
    const silent = createServer((socket) => {
      // It greets, and a claim has no response.
      socket
        .on('error', () => undefined)
        .on('data', (chunk) => {
          const text = chunk.toString();
          const greeted = text.split('\r\n').filter((line) => /^(?:HELLO|CLIENT|SELECT|PING|AUTH)$/i.test(line));
          if (!/\r\nSET\r\n/.test(text)) socket.write(greeted.map(() => '+OK\r\n').join(''));
        });
    }).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    t.after(() => silent.close());
    const { port } = silent.address() as { port: number };
    const clock = new FakeClock();
    const store = await open(t, { address: `redis://127.0.0.1:${String(port)}`, clock, deadlineMilliseconds: 500 });
    await store.changed(true);
    const first = store.claim('k', 'a', 60_000);
    while (clock.sleeping.length === 0) await new Promise(setImmediate);
    clock.advance(500);
    await assert.rejects(first, { code: 'dedupe-unavailable', message: /within 500 ms/ });
    await store.changed(false);
    await assert.rejects(store.claim('k', 'b', 60_000), { code: 'dedupe-unavailable' });
    assert.deepEqual(clock.sleeping, []);
  });
});
