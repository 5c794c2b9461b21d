// Several sources of the same material: the first that is readable, and never what a fallback shows too late.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fallback } from '../../src/sources/fallback.ts';
import { filesOf, textsOf } from '../support/directories.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FakeSource, unreadable } from '../support/fake-source.ts';
import { Recorder } from '../support/recorder.ts';

const signal = new AbortController().signal;

function start() {
  const [api, mount] = [new FakeSource('secret:a'), new FakeSource('files:/a')];
  const [clock, recorder] = [new FakeClock(), new Recorder()];
  const source = fallback({ sources: [api, mount], clock, observe: recorder.observe });
  const read = async () => textsOf((await source.read(signal)).data)['key'];
  const show = (on: FakeSource, key: string) => {
    on.content = filesOf({ key });
    on.failure = undefined;
  };
  const fail = (...sources: FakeSource[]) => sources.forEach((one) => (one.failure = unreadable()));
  show(api, '1');
  show(mount, '1');
  return { api, mount, clock, recorder, source, read, show, fail };
}

describe('the first readable source', () => {
  it('is the first, while it is readable; the others are not asked', async () => {
    const { read, show, mount, recorder } = start();
    show(mount, 'other');
    assert.equal(await read(), '1');
    assert.equal(mount.reads, 0);
    assert.deepEqual(recorder.events, []);
  });

  it('is the next one otherwise, and that is told once, with the reason', async () => {
    const { read, fail, api, recorder } = start();
    fail(api);
    assert.deepEqual([await read(), await read()], ['1', '1']);
    const [chosen, ...more] = recorder.of('source-chosen');
    assert.deepEqual([chosen?.source, chosen?.error?.code, more.length], ['files:/a', 'source-unreadable', 0]);
  });

  it('says from which source it is, where that is not the first', async () => {
    const { source, fail, show, api } = start();
    assert.equal((await source.read(signal)).fallback, undefined);
    fail(api);
    assert.equal((await source.read(signal)).fallback, 'files:/a');
    show(api, '1');
    assert.equal((await source.read(signal)).fallback, undefined);
  });

  it('is the first again when that is back, and that is told', async () => {
    const { read, fail, show, api, recorder } = start();
    fail(api);
    await read();
    show(api, '2');
    assert.equal(await read(), '2');
    const { source, error } = recorder.of('source-chosen').at(-1)!;
    assert.deepEqual([source, error], ['secret:a', undefined]);
  });

  it('with the same content is the same revision, so that going over to it is no reload', async () => {
    const { source, fail, api } = start();
    const { revision } = await source.read(signal);
    fail(api);
    assert.equal((await source.read(signal)).revision, revision);
  });

  it('is none when none is readable, for the reason of the first', async () => {
    const { read, fail, api, mount } = start();
    fail(api, mount);
    await assert.rejects(read(), { code: 'source-unreadable' });
  });

  it('hides no bug of a better one', async () => {
    const { read, api } = start();
    api.failure = new TypeError('a bug');
    await assert.rejects(read(), TypeError);
  });
});

describe('a fallback that lags', () => {
  it('does not bring back what was replaced', async () => {
    const { read, show, fail, api } = start();
    await read();
    show(api, '2');
    await read();
    fail(api);
    await assert.rejects(read(), { code: 'source-behind', message: /^files:\/a still has .*: the origin is away$/ });
  });

  it('does not bring back anything that was replaced while it lagged', async () => {
    const { read, show, fail, api, mount } = start();
    for (const key of ['1', '2', '3']) {
      show(api, key);
      await read();
    }
    fail(api);
    for (const key of ['1', '2']) {
      show(mount, key);
      await assert.rejects(read(), { code: 'source-behind' });
    }
  });

  it('is taken when it has caught up, and when it has something newer still', async () => {
    const { read, show, fail, api, mount } = start();
    await read();
    show(api, '2');
    await read();
    fail(api);
    for (const key of ['2', '3']) {
      show(mount, key);
      assert.equal(await read(), key);
    }
  });

  it('that has caught up is followed when its owner rolls back', async () => {
    const { read, show, fail, api, mount } = start();
    await read();
    show(api, '2');
    await read();
    fail(api);
    show(mount, '2');
    await read();
    show(mount, '1');
    assert.equal(await read(), '1');
  });

  it('is taken with what the first source has rolled back to', async () => {
    const { read, show, fail, api } = start();
    for (const key of ['1', '2', '1']) {
      show(api, key);
      await read();
    }
    fail(api);
    assert.equal(await read(), '1');
  });
});

describe('the changes of several sources', () => {
  it('measure how long a fallback takes to catch up, and leave its ticks out while it is not needed', async () => {
    const { source, show, read, fail, api, mount, clock, recorder } = start();
    const ticks = source.changes(signal)[Symbol.asyncIterator]();
    const begun = ticks.next();
    api.tick('start');
    mount.tick('start');
    assert.equal((await begun).value, 'start');
    await read();
    show(api, '2');
    api.tick('event');
    assert.equal((await ticks.next()).value, 'event');
    await read();

    const next = ticks.next();
    clock.advance(20_000);
    mount.tick('poll');
    clock.advance(20_000);
    show(mount, '2');
    const caughtUp = recorder.next('fallback-caught-up');
    mount.tick('event');
    const { source: name, seconds } = await caughtUp;
    assert.deepEqual([name, seconds], ['files:/a', 40]);

    fail(api);
    api.tick('poll');
    assert.equal((await next).value, 'poll');
    await read();
    // It is what counts now, so its ticks count.
    mount.tick('event');
    assert.equal((await ticks.next()).value, 'event');
    await ticks.return?.();
    assert.equal(recorder.of('fallback-caught-up').length, 1);
  });

  it('go on when a fallback cannot be read', async () => {
    const { source, read, fail, api, mount } = start();
    const ticks = source.changes(signal)[Symbol.asyncIterator]();
    const begun = ticks.next();
    api.tick('start');
    mount.tick('start');
    await begun;
    await read();
    fail(mount);
    const next = ticks.next();
    mount.tick('event');
    api.tick('event');
    assert.equal((await next).value, 'event');
    await ticks.return?.();
    assert.deepEqual([api.watching, mount.watching], [0, 0]);
  });
});
