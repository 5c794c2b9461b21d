// Alipay's notifications at the listener: forms in every charset that it sends, answered with seven bytes.
import assert from 'node:assert/strict';
import { verify } from 'node:crypto';
import { describe, it } from 'node:test';
import { createAlipayMaterial } from '../../../src/testing/alipay-material.ts';
import { makeAlipayNotification } from '../../../src/testing/alipay-message.ts';
import { start } from '../../support/api-server.ts';
import { startNotified } from '../../support/notified.ts';

const appId = '2021000000000001';
const material = await createAlipayMaterial({ appId, now: start });
const [alipayKey] = material.alipayKeys;
assert.ok(alipayKey);
const provider = { alipay: { appId, mode: 'certificate' as const } };
const parameters = {
  app_id: appId,
  notify_id: 'a-1',
  notify_type: 'trade_status_sync',
  out_trade_no: '7',
  total_amount: '0.01',
};

/** GBK writes both with two bytes each; the last character only GB18030 has, with four. */
const wide: Readonly<Record<string, readonly [text: string, bytes: string]>> = {
  'UTF-8': ['订单', Buffer.from('订单').toString('hex')],
  GBK: ['订单', 'b6a9b5a5'],
  GB18030: ['订单\u{20000}', 'b6a9b5a595328236'],
};

describe('a notification of Alipay', () => {
  for (const [charset, [subject, bytes]] of Object.entries(wide))
    it(`in ${charset} reaches the application as JSON, and is answered success`, async (t) => {
      const notified = await startNotified(t, { files: material.files, provider });
      const encode = (text: string) => (text === subject ? Buffer.from(bytes, 'hex') : Buffer.from(text));
      const response = await notified.post(
        makeAlipayNotification({ alipayKey, parameters: { ...parameters, charset, subject }, encode }),
      );
      assert.deepEqual([response.status, response.text], [200, 'success']);
      assert.match(String(response.headers['content-type']), /^text\/plain/);
      const [handed] = notified.application.handed;
      assert.ok(handed);
      const resource = JSON.parse(handed.body.toString()) as Record<string, string>;
      assert.deepEqual([resource['subject'], resource['out_trade_no']], [subject, '7']);
      assert.deepEqual([handed.headers['paycert-id'], handed.headers['paycert-type']], ['a-1', 'trade_status_sync']);
    });

  it('that is forged is answered fail, and that comes again is answered success without a second delivery', async (t) => {
    const notified = await startNotified(t, { files: material.files, provider });
    const message = makeAlipayNotification({ alipayKey, parameters });
    const forged = Buffer.from(Buffer.from(message.body).toString().replace('total_amount=%30', 'total_amount=%39'));
    const refused = await notified.post({ ...message, body: forged });
    assert.deepEqual([refused.status, refused.text], [401, 'fail']);
    for (let times = 0; times < 2; times += 1) assert.equal((await notified.post(message)).text, 'success');
    assert.equal(notified.application.handed.length, 1);
  });

  it('without a notify_id is told from others by what it says', async (t) => {
    const notified = await startNotified(t, { files: material.files, provider });
    const { notify_id: _, ...others } = parameters;
    const of = (number: string) =>
      makeAlipayNotification({ alipayKey, parameters: { ...others, out_trade_no: number } });
    for (const number of ['1', '2', '1']) assert.equal((await notified.post(of(number))).text, 'success');
    assert.equal(notified.application.handed.length, 2);
    assert.match(String(notified.application.handed[0]?.headers['paycert-id']), /^[0-9a-f]{32}$/);
  });

  it('for another app is answered 500: no key of this side opens it', async (t) => {
    const notified = await startNotified(t, { files: material.files, provider });
    const response = await notified.post(
      makeAlipayNotification({ alipayKey, parameters: { ...parameters, app_id: '2021000000000002' } }),
    );
    assert.deepEqual([response.status, response.text], [500, 'fail']);
    assert.equal((await notified.event('notified')).outcome, 'unopened');
  });

  it('that asks whether it arrives is answered in XML signed with the application’s key, and is nothing for the application', async (t) => {
    const notified = await startNotified(t, { files: material.files, provider });
    const content = `<XML><AppId><![CDATA[${appId}]]></AppId><EventType><![CDATA[verifygw]]></EventType></XML>`;
    const asked = { service: 'alipay.service.check', charset: 'GBK', biz_content: content };
    const message = makeAlipayNotification({ alipayKey, parameters: asked, rule: 'V2' });
    const { status, headers, text } = await notified.post(message);
    assert.deepEqual([status, headers['content-type']], [200, 'text/xml; charset=GBK']);
    const [, inside = '', signature = ''] = /<response>(.*)<\/response><sign>([^<]+)<\/sign><sign_type>RSA2<\/sign_type><\/alipay>$/.exec(text) ?? []; // prettier-ignore
    const { publicKey } = material.app;
    assert.ok(verify('sha256', Buffer.from(inside), publicKey, Buffer.from(signature, 'base64')));
    const [, key = ''] = /^<success>true<\/success><biz_content>([^<]+)<\/biz_content>$/.exec(inside) ?? [];
    assert.deepEqual(Buffer.from(key, 'base64'), publicKey.export({ type: 'spki', format: 'der' }));
    assert.deepEqual(notified.application.handed, []);
    assert.equal((await notified.event('notified')).outcome, 'asked');

    const forged = makeAlipayNotification({ alipayKey, parameters: { ...asked, biz_content: '' }, rule: 'V2' });
    const changed = Buffer.from(`${Buffer.from(forged.body).toString()}&x=1`);
    assert.deepEqual((await notified.post({ ...message, body: changed })).text, 'fail');
  });
});
