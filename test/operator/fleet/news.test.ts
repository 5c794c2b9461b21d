// What Pods have said, on its way to the statuses: the first at once, more of it once a second, and none of it lost.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { News, newsPause } from '../../../src/operator/fleet/news.ts';

function makeNews() {
  const passed: string[] = [];
  const news = new News((key) => passed.push(key.object));
  return { news, take: () => passed.splice(0) };
}

describe('news of a fleet', () => {
  it('passes the first on at once', () => {
    const { news, take } = makeNews();
    news.add('pay', ['a', 'b'], 5000);
    assert.deepEqual(take(), ['pay/a', 'pay/b']);
  });

  it('passes on what many Pods have said once a second, each name once', () => {
    const { news, take } = makeNews();
    news.add('pay', ['a'], 0);
    assert.deepEqual(take(), ['pay/a']);
    for (let pod = 1; pod < 100; pod += 1) news.add('pay', ['a', 'b'], pod);
    assert.deepEqual(take(), []);
    news.add('other', ['a'], newsPause);
    assert.deepEqual(take(), ['pay/a', 'pay/b', 'other/a']);
  });

  it('passes on what waits when it is asked to, and not again', () => {
    const { news, take } = makeNews();
    news.add('pay', ['a'], 0);
    news.add('pay', ['b'], 1);
    take();
    news.pass(2);
    assert.deepEqual(take(), ['pay/b']);
    news.pass(2 + newsPause);
    assert.deepEqual(take(), []);
  });
});
