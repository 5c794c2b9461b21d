// What hundreds of watched namespaces cost the API server while nothing happens, and how soon a withdrawn permission is found.
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { PaycertError } from '../../src/errors.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { secrets, type WatchEvent } from '../../src/kube/resources.ts';
import { Watched } from '../../src/operator/watched.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { Recorder } from '../support/recorder.ts';

/** As often as a watch looks whether it is silent. */
const stepMilliseconds = 10_000;
const minute = 60_000;

/** An API server that has nothing, sends a bookmark a minute, and ends each watch when it was asked to. */
function start(t: TestContext, collections: readonly { readonly namespace: string; readonly name?: string }[]) {
  const clock = new FakeClock();
  const server = { lists: [] as number[], watches: 0, isForbidden: false };
  const assertAllowed = () => {
    if (server.isForbidden) throw new PaycertError('cluster-forbidden', 'list secrets: no');
  };
  async function* bookmarks(seconds: number, signal: AbortSignal): AsyncGenerator<WatchEvent> {
    for (let left = seconds * 1000; left > 0; left -= minute) {
      await clock.sleep(Math.min(left, minute), signal);
      if (signal.aborted) return;
      yield { type: 'BOOKMARK', object: { metadata: { name: '', resourceVersion: '1' } } };
    }
  }
  const client: Pick<KubeClient, 'list' | 'watch'> = {
    async list() {
      server.lists.push(clock.now().getTime());
      assertAllowed();
      return { items: [], resourceVersion: '1', continue: '' };
    },
    async watch(_, { timeoutSeconds }, signal) {
      server.watches += 1;
      assertAllowed();
      return bookmarks(timeoutSeconds, signal);
    },
  };
  // The same spread at each run.
  let seed = 1;
  const random = () => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
  const recorder = new Recorder();
  const watched = new Watched({
    client: async () => client,
    clock,
    random,
    observe: recorder.observe,
    collections: collections.map((which) => ({ resource: secrets, ...which })),
    kind: 'Secret',
    transform: () => undefined,
    changed: () => undefined,
    listed: () => undefined,
  });
  const stop = new AbortController();
  const ended = watched.run(stop.signal);
  t.after(async () => {
    stop.abort();
    await ended;
  });
  const pass = async (milliseconds: number, isOver = () => false) => {
    for (let passed = 0; passed < milliseconds && !isOver(); passed += stepMilliseconds) {
      clock.advance(stepMilliseconds);
      await setImmediate();
    }
  };
  return { clock, server, watched, recorder, pass };
}

/** A kind in each: PaymentCredentials and their Secrets make four hundred. */
const four = Array.from({ length: 400 }, (_, index) => ({ namespace: `tenant-${String(index)}` }));

describe('four hundred watches at rest', () => {
  it('list once each when they start, and once in half an hour then, at no time more than one in two seconds', async (t) => {
    const { clock, server, watched, pass } = start(t, four);
    await pass(stepMilliseconds);
    assert.ok(watched.isSynced);
    assert.equal(server.lists.length, four.length);
    const from = clock.now().getTime();
    server.lists.length = 0;
    await pass(40 * minute);
    const perSecond = (begin: number, milliseconds: number) =>
      server.lists.filter((at) => at > begin && at <= begin + milliseconds).length / (milliseconds / 1000);
    // Each was listed: a watch that is renewed more often does not put its list off.
    assert.ok(server.lists.length >= four.length, `${String(server.lists.length)} lists`);
    for (let at = from; at < from + 40 * minute; at += 5 * minute) {
      const rate = perSecond(at, 5 * minute);
      assert.ok(rate <= 0.5, `${String(rate)} lists per second after ${String((at - from) / minute)} minutes`);
    }
  });
});

for (const [what, collection] of [
  ['a namespace', { namespace: 'pay' }],
  ['one name', { namespace: 'pay', name: 'keys' }],
] as const)
  describe(`a permission for ${what} that is withdrawn`, () => {
    it('is known within ten minutes, said once, and used again within half a minute', async (t) => {
      const { clock, server, watched, recorder, pass } = start(t, [collection]);
      await pass(7 * minute);
      const codeOf = () => watched.trouble?.code;
      assert.equal(codeOf(), undefined);
      server.isForbidden = true;
      const withdrawnAt = clock.now().getTime();
      await pass(20 * minute, () => codeOf() !== undefined);
      assert.equal(codeOf(), 'cluster-forbidden');
      assert.ok(clock.now().getTime() - withdrawnAt <= 10 * minute);
      await pass(5 * minute);
      assert.equal(recorder.of('watch-failed').length, 1);
      server.isForbidden = false;
      await pass(30_000);
      assert.equal(codeOf(), undefined);
      assert.equal(recorder.of('watch-restarted').length, 1);
    });
  });
