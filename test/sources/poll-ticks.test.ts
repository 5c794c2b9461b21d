// Ticks of an origin that is asked: one for each piece of news, and none for what a read under way is about to find.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as everythingElse } from 'node:timers/promises';
import type { Question, Reply } from '../../src/origins/server.ts';
import { vault } from '../../src/sources/vault.ts';
import { FakeClock } from '../support/fake-clock.ts';

const { signal } = new AbortController();

/** A secret of Vault whose newest version the test says, and whose data comes when the test says so. */
function start() {
  const clock = new FakeClock();
  const server = { version: 1, asked: [] as string[], data: Promise.resolve() };
  const ask = async ({ path }: Pick<Question, 'path'>): Promise<Reply> => {
    server.asked.push(path);
    const { version } = server;
    if (path.includes('/metadata/'))
      return replyOf({ current_version: version, versions: { [version]: { deletion_time: '' } } });
    await server.data;
    return replyOf({ data: { key: `v${version}` }, metadata: { version, deletion_time: '' } });
  };
  const keep = () => ({ [Symbol.dispose]: () => undefined });
  const where = { mount: 'secret', path: 'shop', engine: 2 } as const;
  const source = vault({ session: { ask, keep }, ...where, pollMilliseconds: 10_000, clock, random: () => 0.5 });
  return { clock, server, source };
}

const replyOf = (data: object): Reply => ({ status: 200, headers: {}, content: { data } });

describe('a secret that is asked about again and again', () => {
  it('ticks for another version, and not for the one that is being read', async () => {
    const { clock, server, source } = start();
    const ticks = source.changes(signal)[Symbol.asyncIterator]();
    assert.equal((await ticks.next()).value, 'start');
    const slow = Promise.withResolvers<undefined>();
    server.data = slow.promise.then(() => undefined);
    const read = source.read(signal);
    let isTicked = false;
    const tick = ticks.next().then((result) => {
      isTicked = true;
      return result;
    });
    // It is asked about while it is read.
    clock.advance(10_000);
    const asleep = clock.nextSleep();
    await everythingElse();
    slow.resolve(undefined);
    await read;
    await Promise.race([asleep, tick]);
    assert.equal(isTicked, false);

    server.version = 2;
    clock.advance(10_000);
    assert.equal((await tick).value, 'event');
    assert.deepEqual(server.asked, ['/v1/secret/data/shop', '/v1/secret/metadata/shop', '/v1/secret/metadata/shop']);
  });
});
