// List and watch against a real API server, with faults in between: nothing is lost, and it never stays stopped.
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { type Clock, systemClock } from '../../src/clock.ts';
import type { KubeObject } from '../../src/kube/resources.ts';
import { noControlPlane, useControlPlane } from '../support/control-plane.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { Informing, setUpConfigMaps } from '../support/informing.ts';

const limit = { timeout: 300_000, skip: noControlPlane };
const controlPlane = useControlPlane();

async function start(t: TestContext, clock: Clock = systemClock) {
  const parts = await setUpConfigMaps(t, controlPlane());
  await parts.create('a');
  const informing = new Informing(t, parts.client, clock, parts.collection);
  await informing.tells('a', 'list');
  // Only once the watch stands is there something to break.
  await Promise.all([informing.tells('b', 'watch'), parts.create('b')]);
  return { ...parts, informing };
}

/** Time that passes by itself. */
function hurry(t: TestContext, clock: FakeClock): void {
  const timer = setInterval(() => clock.advance(1000), 2);
  t.after(() => clearInterval(timer));
}

describe('an informer', () => {
  it('tells of what is there, and of each object that comes, changes and goes', limit, async (t) => {
    const { informing, update, remove } = await start(t);
    await Promise.all([informing.tells('a', 'watch'), update('a', '1')]);
    assert.deepEqual(informing.contents, { a: '1', b: '0' });
    await Promise.all([informing.tells('b', 'watch'), remove('b')]);
    assert.deepEqual(informing.contents, { a: '1' });
    assert.ok(informing.informer.isSynced);
    assert.equal(informing.informer.trouble, undefined);
    assert.deepEqual(informing.recorder.events, []);
  });

  it('keeps of an object what the transform returns, and of a list of names no contents at all', limit, async (t) => {
    const { client, collection, create } = await setUpConfigMaps(t, controlPlane());
    await create('a', 'secret');
    const seen: KubeObject[] = [];
    const names = { ...collection, isMetadataOnly: true };
    const informing = new Informing(t, client, systemClock, names, (object) => seen.push(object));
    await informing.tells('a', 'list');
    await Promise.all([informing.tells('b', 'watch'), create('b', 'secret')]);
    assert.doesNotMatch(JSON.stringify(seen), /secret/);
    assert.deepEqual(informing.contents, { a: 1, b: 2 });
  });

  it('reads a long list page by page', limit, async (t) => {
    const { client, collection, create, proxy } = await setUpConfigMaps(t, controlPlane());
    const names = Array.from({ length: 510 }, (_, i) => `n${String(i)}`);
    while (names.length > 0) await Promise.all(names.splice(0, 30).map((name) => create(name)));
    const informing = new Informing(t, client, systemClock, collection);
    await informing.tells('n509', 'list');
    // What every namespace has besides is for controllers, which do not run here.
    assert.equal(informing.informer.entries().length, 510);
    assert.deepEqual(proxy.calls.slice(0, 2), ['list', 'list']);
  });

  it('rejects when a change cannot be told, and does not go on as if it had been', limit, async (t) => {
    const { client, collection, create } = await setUpConfigMaps(t, controlPlane());
    await create('a');
    const bug = () => {
      throw new TypeError('a bug in the transform');
    };
    await assert.rejects(new Informing(t, client, systemClock, collection, bug).ended, TypeError);
  });
});

describe('a watch that breaks', () => {
  it('goes on where it was, without listing again', limit, async (t) => {
    const { informing, proxy, update, remove } = await start(t);
    const restarted = informing.recorder.next('watch-restarted');
    proxy.status = 503;
    proxy.cut();
    await informing.recorder.next('watch-failed');
    await update('a', '1');
    await remove('b');
    proxy.status = undefined;
    await Promise.all([restarted, informing.tells('b', 'watch')]);
    assert.deepEqual(informing.contents, { a: '1' });
    assert.deepEqual(proxy.calls.filter((call) => call === 'list').length, 1);
  });

  it('lists again when the server has forgotten where it was', limit, async (t) => {
    const plane = controlPlane();
    const { informing, proxy, update, remove, create } = await start(t);
    proxy.status = 503;
    proxy.cut();
    await informing.recorder.next('watch-failed');
    await update('a', '1');
    await remove('b');
    await create('c');
    await plane.compact();
    await plane.killApiServer();
    await plane.startApiServer();
    const expired = informing.recorder.next('watch-failed', ({ reason }) => reason === 'watch-expired');
    proxy.status = undefined;
    await Promise.all([
      expired,
      informing.tells('a', 'list'),
      informing.tells('b', 'list'),
      informing.tells('c', 'list'),
    ]);
    assert.deepEqual(informing.contents, { a: '1', c: '0' });
    await Promise.all([informing.tells('c', 'watch'), update('c', '1')]);
  });

  it('lists at once when a server that was away has forgotten where it was, and pauses when it says so again', limit, async (t) => {
    const clock = new FakeClock();
    const { informing, proxy, update } = await start(t, clock);
    const pauseAfter = async (act: () => void): Promise<number> => {
      const asleep = clock.nextSleep();
      act();
      return asleep;
    };
    proxy.status = 503;
    let pause = await pauseAfter(() => proxy.cut());
    for (let i = 0; i < 6; i += 1) pause = await pauseAfter(() => clock.advance(pause));
    assert.equal(pause, 30_000, 'the outage was long');
    await update('a', '1');
    proxy.status = 410;
    const pauses: number[] = [];
    for (let i = 0; i < 4; i += 1) pauses.push((pause = await pauseAfter(() => clock.advance(pause))));
    assert.deepEqual(pauses, [500, 1000, 2000, 4000]);
    proxy.status = undefined;
    const listed = informing.tells('a', 'list');
    clock.advance(pause);
    await listed;
    assert.deepEqual(informing.contents, { a: '1', b: '0' });
  }); // prettier-ignore

  it('lists again after a line that is no JSON: it may have been a change', limit, async (t) => {
    const { informing, proxy, update } = await start(t);
    proxy.rewrite = (line) => (line.includes('"MODIFIED"') ? line.slice(0, -20) : line);
    const failed = informing.recorder.next('watch-failed');
    await Promise.all([informing.tells('a', 'list'), update('a', '1')]);
    assert.equal((await failed).reason, 'response-malformed');
    assert.deepEqual(informing.contents, { a: '1', b: '0' });
    proxy.rewrite = (line) => line;
    await Promise.all([informing.tells('a', 'watch'), update('a', '2')]);
  });

  it('lists again after a line that is JSON and no event', limit, async (t) => {
    const { informing, proxy, update } = await start(t);
    proxy.rewrite = (line) => (line.includes('"MODIFIED"') ? 'null' : line);
    await Promise.all([informing.tells('a', 'list'), update('a', '1')]);
    assert.deepEqual(informing.contents, { a: '1', b: '0' });
  });

  it('is given up when nothing comes for too long, and goes on over another connection', limit, async (t) => {
    const clock = new FakeClock();
    const { informing, proxy, update } = await start(t, clock);
    proxy.mute();
    await update('a', '1');
    const failed = informing.recorder.next('watch-failed');
    const told = Promise.race([informing.tells('a', 'watch'), informing.tells('a', 'relist')]);
    hurry(t, clock);
    await Promise.all([failed, told]);
    assert.deepEqual(informing.contents, { a: '1', b: '0' });
  });

  it('is repaired by a list when it has swallowed an event, and that is counted', limit, async (t) => {
    const clock = new FakeClock();
    const { informing, proxy, update } = await start(t, clock);
    proxy.rewrite = (line) => (line.includes('"MODIFIED"') ? undefined : line);
    await update('a', '1');
    const failed = informing.recorder.next('watch-failed');
    const told = informing.tells('a', 'relist');
    hurry(t, clock);
    assert.equal((await failed).reason, 'missed-event');
    await told;
    assert.deepEqual(informing.contents, { a: '1', b: '0' });
  });
});

describe('an API server that fails', () => {
  it('is asked by one call at a time, after pauses that double up to half a minute', limit, async (t) => {
    const { client, collection, proxy, create } = await setUpConfigMaps(t, controlPlane());
    await create('a');
    proxy.status = 500;
    const clock = new FakeClock();
    const asleep = clock.nextSleep();
    const informing = new Informing(t, client, clock, collection);
    await asleep;
    const pauses: number[] = [];
    for (let i = 0; i < 9; i += 1) {
      assert.equal(proxy.calls.length, i + 1);
      const [pause = 0] = clock.sleeping;
      pauses.push(pause);
      const again = clock.nextSleep();
      clock.advance(pause);
      await again;
    }
    assert.deepEqual(pauses, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
    assert.equal(informing.recorder.of('watch-failed').length, 1, 'the same failure is news once');
    const { since, error } = informing.informer.trouble!;
    assert.deepEqual([since, error.code], [new Date('2026-11-22T00:00:00Z'), 'cluster-failing']);
    proxy.status = undefined;
    const listed = informing.tells('a', 'list');
    hurry(t, clock);
    await listed;
    await Promise.all([informing.tells('b', 'watch'), create('b')]);
    assert.deepEqual(proxy.most, { list: 1, watch: 1 });
  });

  it('is no trouble of a watch that nobody needs any more, which says that it has ended', limit, async (t) => {
    const { client, collection, proxy } = await setUpConfigMaps(t, controlPlane());
    proxy.status = 500;
    const informing = new Informing(t, client, systemClock, collection);
    await informing.recorder.next('watch-failed');
    await informing.end();
    assert.deepEqual(informing.recorder.of('watch-ended'), [{ type: 'watch-ended', source: 'configmaps' }]);
  });

  it('that ends every watch at once is not asked without pause', limit, async (t) => {
    const { client, collection, proxy, create } = await setUpConfigMaps(t, controlPlane());
    await create('a');
    proxy.endsWatches = true;
    const clock = new FakeClock();
    const asleep = clock.nextSleep();
    const informing = new Informing(t, client, clock, collection);
    await Promise.all([informing.tells('a', 'list'), asleep]);
    for (const expected of [1, 2, 3]) {
      while (proxy.calls.filter((call) => call === 'watch').length < expected) await clock.nextSleep();
      clock.advance(30_000);
    }
    assert.ok(proxy.most.watch <= 1);
  });
});
