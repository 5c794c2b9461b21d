// An application that fails, dies and is late, and a platform that sends until it hears yes: nothing is accepted that nobody has handled.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { makeNotification } from '../../../src/testing/wechatpay-message.ts';
import { makeMaterial, start } from '../../support/api-server.ts';
import { type Handed, startNotified } from '../../support/notified.ts';
import { Random } from '../../fuzz/random.ts';

const material = await makeMaterial();
const [platformKey] = material.platformKeys;
assert.ok(platformKey);
const about = { platformKey, apiV3Key: material.apiV3Key, now: start };
const messageOf = (id: string) => makeNotification({ ...about, id, resource: { id } });
const idOf = ({ headers }: Handed): string => String(headers['paycert-id']);

describe('notifications', { timeout: 900_000 }, () => {
  it('are all handled at least once, none is accepted unhandled, and none comes again after a 2xx', async (t) => {
    const notified = await startNotified(t, { files: material.files, atOnce: 512 });
    const { application, timers } = notified;
    const random = new Random('notifications');
    const handled = new Set<string>();
    const taken = new Set<string>();
    const late = new Map<string, Handed>();
    const take = (handed: Handed) => {
      taken.add(idOf(handed));
      handed.answer(200);
    };
    application.act = (handed) => {
      const id = idOf(handed);
      assert.ok(!taken.has(id), `${id} comes again after its 2xx`);
      const fate = random.below(10);
      if (fate < 2) handed.answer(500);
      // After it has acted, as when a node goes.
      else if (fate < 4) {
        handled.add(id);
        handed.die();
      } else {
        handled.add(id);
        if (fate < 6) late.set(id, handed);
        else take(handed);
      }
    };

    let pending = Array.from({ length: 200 }, (_, index) => `n-${String(index)}`);
    for (let round = 0; pending.length > 0; round += 1) {
      assert.ok(round < 40, `${String(pending.length)} are never accepted`);
      // One in ten comes twice at the same time.
      const sent = pending.flatMap((id) => (random.isOneIn(10) ? [id, id] : [id]));
      const waiting = new Map<number, string>(sent.entries());
      const opened = () => notified.events.filter(({ type }) => type === 'operated').length;
      const openedBefore = opened();
      const accepted = new Set<string>();
      const answers = sent.map(async (id, index) => {
        const { status } = await notified.post(messageOf(id));
        waiting.delete(index);
        if (status !== 204) return;
        assert.ok(handled.has(id), `${id} is accepted, and nobody has handled it`);
        accepted.add(id);
      });
      const areAllWaiting = () =>
        [...waiting.values()].every((id) => late.has(id)) && opened() - openedBefore === sent.length;
      while (!areAllWaiting()) await new Promise(setImmediate);
      await new Promise(setImmediate);
      timers.advance(4500);
      await Promise.all(answers);
      const before = notified.events.filter(({ type }) => type === 'delivered').length;
      for (const handed of late.values()) take(handed);
      // The late ones have been taken, and count, before the platform sends again.
      while (notified.events.filter(({ type }) => type === 'delivered').length < before + late.size)
        await new Promise(setImmediate);
      late.clear();
      pending = pending.filter((id) => !accepted.has(id));
      notified.pass(15_000);
    }
    assert.equal(handled.size, 200);
    assert.equal(taken.size, 200);
  });
});
