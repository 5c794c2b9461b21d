// What Pods leave on a shared volume goes when its time is over; what anybody lives in, or might, stays.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { LeftBehind } from '../../src/audit/left-behind.ts';
import { nameOf } from '../../src/audit/files.ts';
import { systemClock } from '../../src/clock.ts';

const day = 86_400_000;
const begin = new Date('2026-06-01T00:00:00Z');
const ago = (days: number) => new Date(begin.getTime() - days * day);

async function scene(t: TestContext) {
  const root = await mkdtemp(join(tmpdir(), 'paycert-shared-'));
  t.after(() => rm(root, { recursive: true }));
  let now = begin;
  const said: object[] = [];
  const audit = { record: (one: object) => said.push(one) > 0, written: () => Promise.resolve() };
  const add = async (name: string, changedAt: Date, files = [nameOf(1, changedAt), nameOf(8, changedAt)]) => {
    await mkdir(join(root, name), { recursive: true });
    for (const file of files) {
      await writeFile(join(root, name, file), '');
      await utimes(join(root, name, file), changedAt, changedAt);
    }
    await utimes(join(root, name), changedAt, changedAt);
  };
  await add('own', begin);
  const clock = { ...systemClock, now: () => now };
  const open = (own = 'own') => new LeftBehind({ root, own, retentionMilliseconds: 30 * day, clock, audit });
  const behind = open();
  /** A look on each of so many days. */
  const look = async (days: number, who = behind) => {
    for (let count = 0; count < days; count += 1) {
      await who.look();
      now = new Date(now.getTime() + day);
    }
  };
  const names = async () => (await readdir(root)).sort();
  return { root, said, add, open, look, names, setNow: (to: Date) => (now = to) };
}

describe('a directory that a Pod has left on a shared volume', () => {
  it('is removed when all in it is older than it must be kept, after a line that says so', async (t) => {
    const { add, look, names, said } = await scene(t);
    await add('gone', ago(40));
    await add('young', ago(5));
    await look(2);
    assert.deepEqual(await names(), ['gone', 'own', 'young']);
    await look(1);
    assert.deepEqual(await names(), ['own', 'young']);
    assert.deepEqual(said, [{ type: 'removed', outcome: 'ok', directory: 'gone', through: 0, files: 2 }]);
    await look(22);
    assert.deepEqual(await names(), ['own', 'young']);
    await look(1);
    assert.deepEqual(await names(), ['own']);
  });

  it('is one at a time, the others on the next days', async (t) => {
    const { add, look, names } = await scene(t);
    for (const name of ['a', 'b', 'c']) await add(name, ago(90));
    await look(3);
    assert.deepEqual(await names(), ['b', 'c', 'own']);
    await look(2);
    assert.deepEqual(await names(), ['own']);
  });

  it('stays while its Pod lives, however long that writes nothing, and though our clock is years ahead', async (t) => {
    const { add, look, names, open, setNow } = await scene(t);
    await add('silent', ago(400));
    const silent = open('silent');
    setNow(new Date('2036-01-01T00:00:00Z'));
    for (let count = 0; count < 10; count += 1) {
      await look(1);
      setNow(new Date(begin.getTime() + count * day));
      await silent.look();
      setNow(new Date(Date.parse('2036-01-01T00:00:00Z') + count * day));
    }
    assert.deepEqual(await names(), ['own', 'silent']);
  });

  it('stays where it holds anything else, and nothing is removed whose line cannot be written', async (t) => {
    const { add, look, names, root } = await scene(t);
    await add('foreign', ago(90), ['notes.txt', nameOf(1, ago(90))]);
    await add('lost+found', ago(90), []);
    await look(5);
    assert.deepEqual((await readdir(join(root, 'foreign'))).length, 2);
    await add('gone', ago(90));
    const audit = { record: () => true, written: () => Promise.reject(new Error('full')) };
    const refused = new LeftBehind({ root, own: 'own', retentionMilliseconds: day, clock: { ...systemClock, now: () => begin }, audit }); // prettier-ignore
    for (let count = 0; count < 3; count += 1) await refused.look().catch(() => undefined);
    assert.deepEqual(await names(), ['foreign', 'gone', 'lost+found', 'own']);
  });
});
