// Who waits for the next look at a credential is told what came of one that began after the waiting.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Event } from '../../src/events.ts';
import { ReloadNews } from '../../src/gateway/reload-news.ts';

const look = (type: string, credential = 'alipay-main') => ({ type, credential }) as unknown as Event;

describe('the news of a reload', () => {
  it('are that another set is current, though a look that had begun before found nothing new', async () => {
    const news = new ReloadNews();
    const next = news.next('alipay-main');
    for (const type of ['unchanged', 'swapped']) news.noticed(look(type));
    assert.equal(await next, true);
  });

  it('are that nothing is new after a second look, a rejection or a failure', async () => {
    for (const looks of [['unchanged', 'unchanged'], ['rejected'], ['source-failed'], ['credential-removed']]) {
      const news = new ReloadNews();
      const next = news.next('alipay-main');
      for (const type of looks) news.noticed(look(type));
      assert.equal(await next, false, looks.join());
    }
  });

  it('are of that credential alone, and of its next look', async () => {
    const news = new ReloadNews();
    const next = news.next('alipay-main');
    for (const one of [look('swapped', 'other'), look('operated'), look('rejected'), look('swapped')])
      news.noticed(one);
    assert.equal(await next, false);
  });
});
