// Rotations at Alipay: what was replaced verifies and decrypts until its grace ends, also where signatures name no key.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Limiter } from '../../../src/store/limiter.ts';
import { Snapshot } from '../../../src/store/snapshot.ts';
import { makeAlipayNotification, makeGatewayResponse, rotateAlipayKey } from '../../../src/testing/index.ts';
import { loadFit, makeMaterial, moment, now, refusal } from '../../support/alipay.ts';

const day = 86_400_000;
const later = (days: number) => new Date(now.getTime() + days * day);

for (const mode of ['certificate', 'key'] as const) {
  describe(`after a swap in ${mode} mode`, async () => {
    const before = await makeMaterial({ mode });
    // Nothing of the old key is left in the files: only the snapshot remembers it.
    const after = await rotateAlipayKey(before, { now, keep: false });
    const about = { generation: 1, loadedAt: now, version: undefined, retired: [] };
    const first = new Snapshot(await loadFit(before.files, { mode }), about, new Limiter(2));
    const context = await loadFit(new Map([...after.files].filter(([name]) => name !== 'aes_key')), { mode });
    const second = new Snapshot(context, { ...about, retired: first.retire(now, 7 * day) }, new Limiter(2));
    const alipayKey = before.alipayKeys[0]!;

    it('an answer and a notification that the old key signed verify until its grace ends', async () => {
      const apiMethod = 'alipay.trade.query';
      const namesCertificate = mode === 'certificate';
      const body = makeGatewayResponse(apiMethod, '{"code":"10000"}', { alipayKey, namesCertificate });
      const answer = { kind: 'response', apiMethod, body } as const;
      const parameters = { notify_id: '1' };
      const notification = { kind: 'notification', ...makeAlipayNotification({ alipayKey, parameters }) } as const;
      for (const received of [answer, notification]) {
        assert.ok(await second.verify(received, later(6)));
        await assert.rejects(second.verify(received, later(7)), { kind: 'refused' });
      }
    });

    it('what neither key signed is refused', async () => {
      const stranger = (await makeMaterial({ mode })).alipayKeys[0]!;
      const forged = makeAlipayNotification({ alipayKey: stranger, parameters: { notify_id: '1' } });
      await assert.rejects(second.verify({ kind: 'notification', ...forged }, now), refusal('signature-invalid'));
    });

    it('contents under the old AES key still open', async () => {
      const call = { apiMethod: 'a.b', bizContent: '{}', parameters: { encrypt_type: 'AES' } };
      const { body } = await first.authorize(call, moment);
      const ciphertext = new URLSearchParams(Buffer.from(body!).toString()).get('biz_content')!;
      const { isRetired } = await second.decrypt({ algorithm: 'AES', ciphertext }, later(6));
      assert.equal(isRetired, true);
    });
  });
}
