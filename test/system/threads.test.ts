// Foreign calls hold no more threads than their lanes allow, and leave two of the pool to signatures, whatever its size.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { makeDirectory } from '../support/directories.ts';
import { auditLane, filesLane, foreignThreads, type Lane, mountLane, namesLane } from '../../src/system/lanes.ts';
import { ownThreads, poolSizeFor, signingPool, signingThreads } from '../../src/system/pool-size.ts';
import { Threads } from '../../src/system/threads.ts';

const hungPoolChild = join(import.meta.dirname, '../support/hung-pool-child.ts');

/** Calls that hang until they are let go. */
function hanging(threads: Threads) {
  const running: { readonly lane: Lane; readonly end: () => void }[] = [];
  const start = (lane: Lane) => threads.run(lane, () => new Promise<void>((end) => running.push({ lane, end })));
  const heldBy = (wanted: Lane) => running.filter(({ lane }) => lane === wanted || lane.within === wanted).length;
  return { running, start, heldBy };
}

describe('foreign calls', () => {
  it('hold no more threads than their lane and what it is within', async () => {
    const files: Lane = { most: 3 };
    const [one, other] = [
      { most: 2, within: files },
      { most: 2, within: files },
    ] as const;
    const { start, heldBy } = hanging(new Threads(10));
    for (let i = 0; i < 5; i++) void start(one);
    await turn();
    assert.equal(heldBy(one), 2);
    for (let i = 0; i < 5; i++) void start(other);
    await turn();
    assert.deepEqual([heldBy(one), heldBy(other), heldBy(files)], [2, 1, 3]);
  });

  it('are waited for at the end until the last has ended, and no longer', async () => {
    const threads = new Threads(4);
    const { running, start } = hanging(threads);
    await threads.whenFree();
    void start({ most: 1 });
    void start({ most: 1 });
    await turn();
    let isFree = false;
    const free = threads.whenFree().then(() => (isFree = true));
    running[0]?.end();
    await turn();
    assert.deepEqual([isFree, threads.isHeld], [false, true]);
    running[1]?.end();
    await free;
    assert.equal(threads.isHeld, false);
  });

  it('that may start do not wait behind those of a lane that hangs', async () => {
    const [hung, free] = [{ most: 1 }, { most: 1 }] as const;
    const { start, heldBy } = hanging(new Threads(2));
    void start(hung);
    void start(hung);
    void start(free);
    await turn();
    assert.deepEqual([heldBy(hung), heldBy(free)], [1, 1]);
  });

  for (const [what, kept] of Object.entries({ 'an audit': auditLane, names: namesLane }))
    it(`leave the thread of ${what} to it from its first call on, whatever else hangs`, async () => {
      const threads = new Threads(2);
      const { running, start, heldBy } = hanging(threads);
      void start(kept);
      await turn();
      running[0]?.end();
      await turn();
      for (let i = 0; i < 3; i++) void start(filesLane);
      await turn();
      assert.equal(heldBy(filesLane), 1);
      void start(kept);
      await turn();
      assert.equal(running.at(-1)?.lane, kept);
    });

  it('may hold the one thread that there is, beside an audit, too', async () => {
    const { running, start, heldBy } = hanging(new Threads(1));
    void start(auditLane);
    await turn();
    void start(filesLane);
    running[0]?.end();
    await turn();
    assert.equal(heldBy(filesLane), 1);
  });

  it('hold no more than all may, and each starts once one has ended, also by a throw', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 6 }),
        fc.array(fc.tuple(fc.nat(2), fc.boolean()), { maxLength: 30 }),
        async (most, calls) => {
          const lanes = [{ most: 1 }, { most: 2 }, { most: 4 }] as const;
          const threads = new Threads(most);
          const held = { now: 0, longest: 0, ended: 0 };
          await Promise.allSettled(
            calls.map(([index, fails]) =>
              threads.run(lanes[index]!, async () => {
                held.longest = Math.max(held.longest, ++held.now);
                await turn();
                held.now -= 1;
                held.ended += 1;
                if (fails) throw new Error('made up');
              }),
            ),
          );
          assert.ok(held.longest <= most);
          assert.equal(held.ended, calls.length);
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe('the pool', () => {
  it('has a thread for each core, and two that no foreign call can hold', () => {
    for (const cores of [1, 2, 4, 64]) {
      const size = poolSizeFor(cores);
      assert.equal(signingThreads({ UV_THREADPOOL_SIZE: String(size) }), Math.max(cores, ownThreads));
      assert.ok(size - foreignThreads >= 2);
    }
  });

  it('of a program that embeds paycert keeps two as well, as long as it has three, by libuv’s reading of its size', () => {
    assert.deepEqual(
      ['', '0', 'many', '1', '2', '3', '8', '16'].map((size) => signingThreads({ UV_THREADPOOL_SIZE: size })),
      [2, 2, 2, 1, 1, 2, 2, 4],
    );
    assert.equal(signingThreads({}), 2);
    assert.deepEqual(signingPool({}), [2, 4]);
  });

  it('is shared by the mounts: two that hang hold all that remote files may, and none that files of this machine may', async () => {
    const { start, running } = hanging(new Threads(foreignThreads));
    for (const mount of ['/a', '/b', '/c']) for (let i = 0; i < 4; i++) void start(mountLane([mount]));
    await turn();
    assert.equal(running.length, 4);
    const disk = mountLane(['/'], filesLane);
    void start(disk);
    void start(filesLane);
    await turn();
    assert.deepEqual(running.slice(4).map(({ lane }) => lane), [disk, filesLane]); // prettier-ignore
  });

  it('signs, however many mounts have calls that never return, with what it really has', async (t) => {
    const pipe = join(await makeDirectory(t), 'pipe');
    execFileSync('mkfifo', [pipe]);
    const env = { ...process.env, UV_THREADPOOL_SIZE: String(poolSizeFor(1)) };
    const child = spawn(process.execPath, [hungPoolChild, pipe], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    t.after(() => child.kill('SIGKILL'));
    assert.deepEqual(JSON.parse(await text(child.stdout)), { signed: 50, opened: 0 });
  });

  it('is left to other mounts, however many read from one that hangs', async () => {
    const { start, running } = hanging(new Threads(foreignThreads));
    const [hung, other] = [mountLane(['/hung']), mountLane(['/other'])];
    for (let reader = 0; reader < 10; reader++) void start(mountLane(['/hung']));
    void start(other);
    await turn();
    assert.deepEqual(running.map(({ lane }) => lane), [hung, hung, other]); // prettier-ignore
  });
});
