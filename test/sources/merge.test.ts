// Several sources as one: their union, in contents and in ticks.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { merge, mergeData, renameKeys } from '../../src/sources/merge.ts';
import { filesOf, textsOf } from '../support/directories.ts';
import { FakeSource, unreadable } from '../support/fake-source.ts';

const signal = new AbortController().signal;
function pair() {
  const [a, b] = [new FakeSource('a'), new FakeSource('b')];
  return { a, b, merged: merge([a, b]) };
}

describe('merged material', () => {
  it('is the union of names', () => {
    const union = mergeData([filesOf({ a: '1', b: '2' }), filesOf({ b: '2', c: '3' })]);
    assert.deepEqual(textsOf(union), { a: '1', b: '2', c: '3' });
  });

  it('refuses one name with two contents, naming it and neither content', () => {
    const read = () => mergeData([filesOf({ apiv3_key: 'first-secret' }), filesOf({ apiv3_key: 'second-secret' })]);
    assert.throws(read, { code: 'source-conflict', field: 'apiv3_key', message: /^(?!.*secret).*apiv3_key/ });
  });

  it('carries the latest change and every frozen path', async () => {
    const { a, b, merged } = pair();
    a.about = { changedAt: new Date(1000), frozenPaths: ['/a'] };
    b.about = { changedAt: new Date(3000), frozenPaths: ['/b'] };
    const { changedAt, frozenPaths } = await merged.read(signal);
    assert.deepEqual([changedAt, frozenPaths], [new Date(3000), ['/a', '/b']]);
  });

  it('is not there when one of its sources is not', async () => {
    const { b, merged } = pair();
    b.failure = unreadable();
    await assert.rejects(merged.read(signal), { code: 'source-unreadable' });
  });
});

describe('renamed material', () => {
  const rename = (data: Record<string, string>, keys: Record<string, string>) =>
    textsOf(renameKeys(filesOf(data), keys));

  it('has the names configured and not the names of the origin', () => {
    assert.deepEqual(rename({ 'tls.key': 'k', other: 'o' }, { 'apiclient_key.pem': 'tls.key' }), {
      'apiclient_key.pem': 'k',
      other: 'o',
    });
  });

  it('can swap two names', () => {
    assert.deepEqual(rename({ a: '1', b: '2' }, { a: 'b', b: 'a' }), { a: '2', b: '1' });
  });

  it('does not fall back to a file that happens to have the name when the one configured is missing', () => {
    assert.deepEqual(rename({ apiv3_key: 'old' }, { apiv3_key: 'apiv3-2026' }), {});
  });
});

describe('merged changes', () => {
  it('are one start, then every tick of every source', async () => {
    const { a, b, merged } = pair();
    const ticks = merged.changes(signal)[Symbol.asyncIterator]();
    const first = ticks.next();
    a.tick('start');
    b.tick('start');
    assert.equal((await first).value, 'start');
    b.tick('poll');
    assert.equal((await ticks.next()).value, 'poll');
    a.tick('event');
    assert.equal((await ticks.next()).value, 'event');
    a.tick('event');
    b.tick('poll');
    const both = [(await ticks.next()).value, (await ticks.next()).value];
    assert.deepEqual(both.sort(), ['event', 'poll']);
    await ticks.return?.();
  });

  it('end on abort and stop watching everywhere', async () => {
    const { a, b, merged } = pair();
    const stop = new AbortController();
    const ticks = merged.changes(stop.signal)[Symbol.asyncIterator]();
    a.tick('start');
    b.tick('start');
    await ticks.next();
    const next = ticks.next();
    stop.abort();
    assert.equal((await next).done, true);
    assert.deepEqual([a.watching, b.watching], [0, 0]);
  });

  it('throw to whoever asks next when a source fails while nobody asks, and to nobody else', async (t) => {
    const stray: unknown[] = [];
    const onStray = (reason: unknown) => stray.push(reason);
    process.on('unhandledRejection', onStray);
    t.after(() => process.off('unhandledRejection', onStray));
    const { a, b, merged } = pair();
    const ticks = merged.changes(signal)[Symbol.asyncIterator]();
    a.tick('start');
    b.tick('start');
    await ticks.next();
    a.tick(new TypeError('a bug in changes'));
    // One turn of the event loop is when Node tells of rejections that nobody has seen.
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(stray, []);
    await assert.rejects(ticks.next(), TypeError);
    assert.equal(b.watching, 0);
  });
});
