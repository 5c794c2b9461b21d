// What a look finds is a tick only where a read would find something else.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PaycertError } from '../../src/errors.ts';
import { followed } from '../../src/sources/followed.ts';
import { material } from '../../src/sources/source.ts';

const failing = (): never => {
  throw new PaycertError('origin-failing', 'no leader');
};

/** An origin whose looks find one state after another, and that ends with the last of them. */
function origin(states: readonly (string | (() => never))[], read = () => Promise.resolve('a')) {
  const end = new AbortController();
  const left = [...states];
  const positions: (number | undefined)[] = [];
  const source = followed<number>({
    name: 'origin',
    read: async () => ({ state: await read(), material: material(new Map()) }),
    follow: () => ({
      look: () => {
        const next = left.shift();
        if (next === undefined) end.abort();
        return Promise.resolve().then(() => (typeof next === 'function' ? next() : { state: next ?? '', position: 7 }));
      },
      pause: (position) => Promise.resolve(void positions.push(position)),
    }),
  });
  const ticks = async () => {
    const all: string[] = [];
    for await (const tick of source.changes(end.signal)) all.push(tick);
    return all;
  };
  return { source, ticks, positions, signal: end.signal };
}

describe('an origin that is followed', () => {
  it('is looked at once at the start, and again for each state that was not read', async () => {
    const { source, ticks, signal } = origin(['a', 'a', 'b', 'a']);
    await source.read(signal);
    assert.deepEqual(await ticks(), ['start', 'event']);
  });

  it('that fails is news until a read has failed alike', async () => {
    const { source, ticks, positions, signal } = origin([failing, failing], () => Promise.resolve().then(failing));
    await assert.rejects(source.read(signal), { code: 'origin-failing' });
    assert.deepEqual(await ticks(), ['start']);
    assert.deepEqual(positions, [undefined, undefined], 'where nothing says since when to ask');
  });

  it('that was never read, or has failed since, is news', async () => {
    assert.deepEqual(await origin(['a']).ticks(), ['start', 'event']);
    const { source, ticks, positions, signal } = origin(['a', failing]);
    await source.read(signal);
    assert.deepEqual(await ticks(), ['start', 'event']);
    assert.deepEqual(positions, [7, undefined]);
  });

  it('is no news while a read is about to see the same', async () => {
    const reading = Promise.withResolvers<string>();
    const { source, ticks, signal } = origin(['b'], () => reading.promise);
    const read = source.read(signal);
    const ticking = ticks();
    reading.resolve('b');
    await read;
    assert.deepEqual(await ticking, ['start']);
  });

  it('does not hide a bug of its own', async () => {
    const broken = (): never => {
      throw new TypeError('a bug');
    };
    await assert.rejects(origin([broken]).ticks(), TypeError);
  });
});
