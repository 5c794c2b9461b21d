// Reads of a watched Secret while a real API server is away: a moment counts as none, half a minute does, and nothing waits at a start.
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { fallback } from '../../src/sources/fallback.ts';
import { files } from '../../src/sources/files.ts';
import type { Source } from '../../src/sources/source.ts';
import { createSecretVolume } from '../../src/testing/secret-volume.ts';
import { noControlPlane, useControlPlane } from '../support/control-plane.ts';
import { makeDirectory } from '../support/directories.ts';
import { FakeClock, passUntil } from '../support/fake-clock.ts';
import { describeMaterial } from '../support/fake-provider.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { HeldReads } from '../support/held-reads.ts';
import { makeSecret, watchSecret } from '../support/secret-source.ts';

const limit = { timeout: 300_000, skip: noControlPlane };
const controlPlane = useControlPlane();
const { signal } = new AbortController();

type Wrap = Parameters<typeof watchSecret>[3];

/** Key 1 signs, the watch stands, and nothing is being read. */
async function start(t: TestContext, { server, wrap }: { readonly server?: string; readonly wrap?: Wrap } = {}) {
  const plane = controlPlane();
  const { client, write } = await makeSecret({ plane, ...(server !== undefined && { server }) });
  const [reads, clock] = [new HeldReads(client), new FakeClock()];
  const watched: Source[] = [];
  const watching = watchSecret(t, reads.client, clock, (source, parts) => {
    watched.push(source);
    return wrap?.(source, parts) ?? source;
  });
  // Once for the start, and once for what the first list tells.
  await Promise.all([watching.untilSignsWith('0'), watching.recorder.next('unchanged')]);
  await watching.change(() => write('1'), '1');
  const [source] = watched as [Source];
  return { plane, write, reads, clock, watching, source };
}

/** The API server ends while the read of key 2 is under way, which then fails. */
async function interrupt({ plane, write, reads, watching }: Awaited<ReturnType<typeof start>>): Promise<void> {
  await Promise.all([reads.hold(), write('2')]);
  await Promise.all([watching.recorder.next('watch-failed'), plane.killApiServer()]);
  await reads.release();
}

describe('a read under way when the API server ends', () => {
  it('waits until it is back, and is no failure', limit, async (t) => {
    const started = await start(t);
    const { plane, clock, watching } = started;
    await interrupt(started);
    await plane.startApiServer();
    await passUntil(watching.untilSignsWith('2'), clock, 20_000);
    assert.deepEqual(watching.recorder.of('source-failed'), []);
    assert.equal(watching.signsWith, '2');
  });

  it('sends nobody to the mount behind it', limit, async (t) => {
    const directory = await makeDirectory(t);
    await createSecretVolume(directory, describeMaterial({ keyId: '1' }));
    const started = await start(t, {
      wrap: (source, { clock, observe }) => {
        const mounted = files({ paths: [directory], pollMilliseconds: 3_600_000, clock, observe });
        return fallback({ sources: [source, mounted], clock, observe });
      },
    });
    const { plane, clock, watching } = started;
    await interrupt(started);
    await plane.startApiServer();
    await passUntil(watching.untilSignsWith('2'), clock, 20_000);
    for (const type of ['source-failed', 'source-chosen'] as const)
      assert.deepEqual(watching.recorder.of(type), [], type);
  });

  it('fails once that has lasted half a minute, and no later, whenever it began', limit, async (t) => {
    const started = await start(t);
    const { plane, clock, watching, source } = started;
    await interrupt(started);
    const brokenAt = clock.now().getTime();
    clock.advance(20_000);
    const passed = () => clock.now().getTime() - brokenAt;
    const late = source.read(signal).then(() => assert.fail('there is nothing to read'), passed);
    const failed = watching.recorder.next('source-failed').then(passed);
    await passUntil(Promise.all([failed, late]), clock, 60_000, 50);
    for (const after of await Promise.all([failed, late])) {
      assert.ok(after >= 30_000 && after <= 30_500, `after ${after} ms`);
    }
    assert.equal(watching.signsWith, '1');
    assert.deepEqual(watching.recorder.of('source-failed').map(({ error }) => error.code), ['cluster-unreachable']); // prettier-ignore
    await plane.startApiServer();
    await passUntil(watching.untilSignsWith('2'), clock);
  });

  it('ends when nobody waits for it any more', limit, async (t) => {
    const started = await start(t);
    const { plane, reads, source } = started;
    const stop = new AbortController();
    const held = reads.hold();
    const read = source.read(stop.signal);
    await held;
    await plane.killApiServer();
    await reads.release();
    stop.abort(new Error('over'));
    await assert.rejects(read, { message: 'over' });
    await plane.startApiServer();
  });

  it('fails at once at a start: nothing was read yet', limit, async (t) => {
    const plane = controlPlane();
    const { client } = await makeSecret({ plane });
    await plane.killApiServer();
    // No time passes.
    const clock = new FakeClock();
    const { recorder } = watchSecret(t, client, clock);
    const { error, isFirst } = await recorder.next('source-failed');
    assert.deepEqual([error.code, isFirst], ['cluster-unreachable', true]);
    await plane.startApiServer();
  });
});

describe('a read that fails while the watch stands', () => {
  async function startBehindProxy(t: TestContext) {
    const proxy = await FaultProxy.start(t, controlPlane());
    const started = await start(t, { server: proxy.url });
    return { ...started, proxy };
  }
  it('is repeated after a pause, where the API server cannot answer now', limit, async (t) => {
    const { proxy, reads, clock, source, watching } = await startBehindProxy(t);
    proxy.status = 503;
    const failed = reads.release();
    const read = source.read(signal);
    await failed;
    proxy.status = undefined;
    await passUntil(read, clock, 1000);
    assert.ok((await read).data.size > 0);
    assert.deepEqual(watching.recorder.of('watch-failed'), []);
  });

  it('fails after half a minute of it, having asked a few times', limit, async (t) => {
    const { proxy, reads, clock, source } = await startBehindProxy(t);
    const began = clock.now().getTime();
    proxy.status = 503;
    const before = reads.count;
    const read = source.read(signal);
    const failed = assert.rejects(read, { code: 'cluster-failing' });
    await passUntil(failed, clock, 40_000, 50);
    await failed;
    const passed = clock.now().getTime() - began;
    assert.ok(passed >= 30_000 && passed <= 30_500, `after ${passed} ms`);
    assert.ok(reads.count - before <= 10, `${reads.count - before} requests`);
  });

  it('fails at once where the answer is no, and also the next time: what was read counts no more', limit, async (t) => {
    const { proxy, source } = await startBehindProxy(t);
    // No time passes.
    for (const [status, code] of [
      [403, 'cluster-forbidden'],
      [503, 'cluster-failing'],
    ] as const) {
      // prettier-ignore
      proxy.status = status;
      await assert.rejects(source.read(signal), { code });
    }
  });
});
