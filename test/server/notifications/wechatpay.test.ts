// WeChat Pay's notifications at the listener: verified and opened, delivered once, and accepted only after the application's 2xx.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, it } from 'node:test';
import { makeNotification, makeProbe, signMessage } from '../../../src/testing/wechatpay-message.ts';
import { makeMaterial, start } from '../../support/api-server.ts';
import { type Handed, secret, startNotified } from '../../support/notified.ts';

const material = await makeMaterial();
const [platformKey] = material.platformKeys;
assert.ok(platformKey);
const { apiV3Key } = material;
const order = { out_trade_no: '1001', transaction_id: '420', trade_state: 'SUCCESS', attach: '支付' };
const about = { platformKey, apiV3Key, resource: order, now: start };
const made = (id = 'n-1', more: object = {}) => makeNotification({ ...about, id, ...more });

/** As an application checks it, in whatever language. */
function isSealed({ headers, body }: Handed): boolean {
  const names = ['timestamp', 'credential', 'id', 'type', 'key-id', 'verified', 'target'];
  const lines = names.map((name) => `${String(headers[`paycert-${name}`])}\n`).join('');
  const code = createHmac('sha256', secret).update(lines).update(body).digest('hex');
  return headers['paycert-signature'] === `sha256=${code}`;
}

describe('a notification of WeChat Pay', () => {
  it('reaches the application as plain JSON, with headers that say what it is and prove who says so', async (t) => {
    const notified = await startNotified(t, { files: material.files });
    const { headers, body } = made();
    const response = await notified.post({
      body,
      headers: { ...headers, 'Paycert-Id': 'forged', 'Paycert-Signature': 'forged', 'X-Other': 'x' },
      path: '/shop/tenants/42?x=%20',
    });
    assert.deepEqual([response.status, response.text], [204, '']);
    const [handed] = notified.application.handed;
    assert.ok(handed);
    assert.deepEqual(JSON.parse(handed.body.toString()), order);
    assert.ok(isSealed(handed));
    assert.equal(handed.path, '/notified');
    const named = Object.entries(handed.headers).filter(([name]) => name.startsWith('paycert-') && name !== 'paycert-signature'); // prettier-ignore
    assert.deepEqual(Object.fromEntries(named), {
      'paycert-timestamp': String(start.getTime() / 1000),
      'paycert-credential': 'shop',
      'paycert-id': 'n-1',
      'paycert-type': 'TRANSACTION.SUCCESS',
      'paycert-key-id': platformKey.keyId,
      'paycert-verified': 'yes',
      'paycert-target': '/tenants/42?x=%20',
    });
    assert.equal(handed.headers['content-type'], 'application/json');
    assert.equal(handed.headers['x-other'], undefined);
  });

  it('reaches an SDK that verifies again as it came, with the verdict in headers and none that a stranger wrote', async (t) => {
    const notified = await startNotified(t, { files: material.files, deliver: 'raw' });
    const { headers, body } = made();
    const response = await notified.post({
      body,
      headers: { ...headers, 'Paycert-Verified': 'forged', 'Paycert-Admin': '1' },
    });
    assert.equal(response.status, 204);
    const [handed] = notified.application.handed;
    assert.ok(handed && isSealed(handed));
    assert.deepEqual(handed.body, Buffer.from(body));
    for (const [name, value] of Object.entries(headers)) assert.equal(handed.headers[name.toLowerCase()], value);
    assert.equal(handed.headers['paycert-verified'], 'yes');
    assert.equal(handed.headers['paycert-admin'], undefined);
  });

  for (const [what, forge] of [
    ['forged', () => ({ ...made(), body: Buffer.from(made().body).fill(0x20, 5, 6) })],
    ['a probe', () => makeProbe(made())],
    ['without a signature', () => ({ headers: {}, body: made().body })],
    ['too old', () => makeNotification({ ...about, now: new Date(start.getTime() - 301_000) })],
  ] as const)
    it(`never reaches the application where it is ${what}, and is answered 401`, async (t) => {
      const notified = await startNotified(t, { files: material.files });
      const response = await notified.post(forge());
      assert.deepEqual(
        [response.status, JSON.parse(response.text)],
        [401, { code: 'FAIL', message: 'try again later' }],
      );
      assert.equal(notified.application.handed.length, 0);
      assert.equal(notified.once.size, 0);
      assert.equal((await notified.event('notified')).outcome, 'refused');
    });

  it('is answered 500 and counted where it is signed and no key opens it, and delivered once the key is there', async (t) => {
    const notified = await startNotified(t, { files: material.files });
    const other = makeNotification({ ...about, id: 'n-1', apiV3Key: 'x'.repeat(32) });
    assert.equal((await notified.post(other)).status, 500);
    assert.equal((await notified.event('unopened')).kind, 'notification');
    assert.equal((await notified.event('notified')).outcome, 'unopened');
    assert.equal(notified.application.handed.length, 0);
    const files = new Map([...material.files, ['apiv3_key', Buffer.from('x'.repeat(32))]]);
    await notified.load('shop', files);
    assert.equal((await notified.post(other)).status, 204);
  });

  it('is answered 503 where nothing is loaded', async (t) => {
    const notified = await startNotified(t, {});
    const response = await notified.post(made());
    assert.deepEqual([response.status, response.headers['retry-after']], [503, '1']);
    assert.equal((await notified.event('notified')).outcome, 'not-ready');
  });

  it('is answered 404 at an address that names no credential, and 413 where it is too long', async (t) => {
    const notified = await startNotified(t, { files: material.files });
    assert.equal((await notified.post({ ...made(), path: '/nobody/x' })).status, 404);
    assert.equal((await notified.post({ ...made(), path: '/' })).status, 404);
    assert.equal((await notified.post({ ...made(), method: 'GET', body: undefined })).status, 405);
    assert.equal((await notified.post(signMessage(Buffer.alloc(257 * 1024), { platformKey, now: start }))).status, 413);
    assert.equal(notified.application.handed.length, 0);
  });
});

describe('the application’s answer', () => {
  for (const status of [302, 400, 500, 503])
    it(`of ${status} is no yes: the platform gets 502, and the notification is delivered when it comes again`, async (t) => {
      const notified = await startNotified(t, { files: material.files });
      notified.application.status = status;
      assert.equal((await notified.post(made())).status, 502);
      assert.equal((await notified.event('delivered')).outcome, 'refused');
      notified.application.status = 201;
      assert.equal((await notified.post(made())).status, 204);
      assert.equal(notified.application.handed.length, 2);
    });

  it('that is late makes the platform send again, and counts when it comes', async (t) => {
    const notified = await startNotified(t, { files: material.files });
    notified.application.status = undefined;
    const first = notified.post(made());
    const handed = await notified.application.number(1);
    notified.timers.advance(4500);
    assert.equal((await first).status, 504);
    assert.equal((await notified.event('notified')).outcome, 'late');
    const before = notified.events.length;
    handed.answer(200);
    assert.equal((await notified.event('delivered', before)).outcome, 'accepted');
    assert.equal((await notified.post(made())).status, 204);
    assert.equal(notified.application.handed.length, 1);
  });

  it('that never comes ends the delivery at its deadline, and the notification is delivered again', async (t) => {
    const notified = await startNotified(t, { files: material.files });
    notified.application.status = undefined;
    const first = notified.post(made());
    await notified.application.number(1);
    notified.timers.advance(4500);
    assert.equal((await first).status, 504);
    const before = notified.events.length;
    notified.timers.advance(55_500);
    assert.equal((await notified.event('delivered', before)).outcome, 'timed-out');
    notified.application.status = 200;
    assert.equal((await notified.post(made())).status, 204);
    assert.equal(notified.application.handed.length, 2);
  });

  it('is the answer to all that come while it is under way', async (t) => {
    for (const [status, expected] of [
      [200, 204],
      [500, 502],
    ] as const) {
      const notified = await startNotified(t, { files: material.files });
      notified.application.status = undefined;
      const all = [notified.post(made()), notified.post(made()), notified.post(made())];
      const handed = await notified.application.number(1);
      // All three are read, verified and waiting.
      while (notified.events.filter(({ type }) => type === 'operated').length < 3) await new Promise(setImmediate);
      await new Promise(setImmediate);
      handed.answer(status);
      assert.deepEqual(
        (await Promise.all(all)).map((one) => one.status),
        [expected, expected, expected],
      );
      assert.equal(notified.application.handed.length, 1);
    }
  });
});

describe('a notification that was delivered', () => {
  it('is accepted without a second delivery for as long as the platform repeats', async (t) => {
    const notified = await startNotified(t, { files: material.files });
    assert.equal((await notified.post(made())).status, 204);
    notified.pass(25 * 3_600_000);
    assert.equal((await notified.post(made())).status, 204);
    assert.equal(notified.application.handed.length, 1);
    notified.pass(2 * 3_600_000);
    assert.equal((await notified.post(made())).status, 204);
    assert.equal(notified.application.handed.length, 2);
  });

  it('is told from others by its id', async (t) => {
    const notified = await startNotified(t, { files: material.files });
    for (const id of ['n-1', 'n-2', 'n-1']) assert.equal((await notified.post(made(id))).status, 204);
    assert.deepEqual(
      notified.application.handed.map(({ headers }) => headers['paycert-id']),
      ['n-1', 'n-2'],
    );
  });

  it('takes no memory without end: the oldest is forgotten, and counted', async (t) => {
    const notified = await startNotified(t, { files: material.files, capacity: 3 });
    for (const id of ['1', '2', '3', '4', '1']) assert.equal((await notified.post(made(id))).status, 204);
    assert.equal(notified.once.size, 3);
    assert.equal(notified.application.handed.length, 5);
    assert.equal(notified.events.filter(({ type }) => type === 'notification-forgotten').length, 2);
  });
});

describe('strangers', () => {
  it('are limited by their address until something of theirs verifies, before anything of theirs is read', async (t) => {
    const notified = await startNotified(t, { files: material.files });
    const forged = { headers: {}, body: 'x' };
    for (let times = 0; times < 100; times += 1) assert.equal((await notified.post(forged)).status, 401);
    const limited = await notified.post(forged);
    assert.deepEqual([limited.status, limited.headers['retry-after']], [429, '1']);
    notified.pass(500);
    assert.equal((await notified.post(made())).status, 204);
    for (let times = 0; times < 120; times += 1) assert.equal((await notified.post(forged)).status, 401);
    assert.equal(notified.application.handed.length, 1);
  });

  it('behind a proxy that is trusted are told from the platform behind the same one', async (t) => {
    const notified = await startNotified(t, { files: material.files, trustedProxies: ['127.0.0.0/8'] });
    const from = (address: string) => ({ headers: { 'X-Forwarded-For': `6.6.6.6, ${address}` }, body: 'x' });
    for (let times = 0; times < 100; times += 1) await notified.post(from('203.0.113.7'));
    assert.equal((await notified.post(from('203.0.113.7'))).status, 429);
    assert.equal((await notified.post(from('203.0.113.8'))).status, 401);
    const { headers, body } = made();
    assert.equal(
      (await notified.post({ body, headers: { ...headers, 'X-Forwarded-For': '203.0.113.9' } })).status,
      204,
    );
  });

  it('who hold all that the application may have at once get 503, and nothing is lost', async (t) => {
    const notified = await startNotified(t, { files: material.files, atOnce: 1 });
    notified.application.status = undefined;
    const first = notified.post(made('n-1'));
    const handed = await notified.application.number(1);
    assert.equal((await notified.post(made('n-2'))).status, 503);
    handed.answer(200);
    assert.equal((await first).status, 204);
    notified.application.status = 200;
    assert.equal((await notified.post(made('n-2'))).status, 204);
  });
});
