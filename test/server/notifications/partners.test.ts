// Partners' signed requests at the listener: good for one verify, and yet good again until the application has taken them.
import assert from 'node:assert/strict';
import { constants, createHmac, sign } from 'node:crypto';
import { describe, it } from 'node:test';
import { generateKeyPair, toPkcs8Pem, toSpkiPem } from '../../../src/testing/key-pair.ts';
import { start } from '../../support/api-server.ts';
import { filesOf } from '../../support/mtls.ts';
import { type Notified, startNotified } from '../../support/notified.ts';

const key = 'k'.repeat(32);
const [own, partner] = await Promise.all([generateKeyPair(), generateKeyPair()]);
const seconds = String(start.getTime() / 1000);

/** Scheme `sorted`: everything but the signature, sorted, in hexadecimal. */
function hmacBody(parameters: Readonly<Record<string, string>>): string {
  const all = { app_id: 'p', timestamp: seconds, nonce: 'n-1', ...parameters };
  const text = Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1)).map((pair) => pair.join('=')).join('&'); // prettier-ignore
  const signature = createHmac('sha256', key).update(text).digest('hex');
  return new URLSearchParams({ ...all, signature }).toString();
}

function pssMessage(body: string, { nonce = 'n-1', host = 'pay.example' } = {}) {
  const text = ['POST', '/shop/notify', '', `host: ${host}`, `x-ts: ${seconds}`, `x-nonce: ${nonce}`, body].join('\n');
  const pss = { key: partner.privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
  const signature = sign('sha256', Buffer.from(text), pss).toString('base64');
  return { body, headers: { Host: host, 'X-Ts': seconds, 'X-Nonce': nonce, 'X-Signature': signature } };
}

const hmac = { provider: { hmac: { keyId: 'p', scheme: 'sorted' as const } }, files: filesOf({ key }) };
const pss = {
  provider: { pss: { appId: 'us' } },
  files: filesOf({ 'private_key.pem': toPkcs8Pem(own.privateKey), 'public_key.pem': toSpkiPem(partner.publicKey) }),
};

const resourceOf = ({ application }: Notified): unknown => JSON.parse(application.handed.at(-1)?.body.toString() ?? '');

describe('a partner’s notification', () => {
  it('with a shared secret is handed on as the parameters that it has', async (t) => {
    const notified = await startNotified(t, hmac);
    const response = await notified.post({ body: hmacBody({ order: '1', note: '支付' }) });
    assert.equal(response.status, 204);
    const { order, note } = resourceOf(notified) as Record<string, string>;
    assert.deepEqual([order, note], ['1', '支付']);
    assert.equal(notified.application.handed[0]?.headers['paycert-key-id'], 'p');
  });

  it('with a key pair is handed on as the JSON that it is', async (t) => {
    const notified = await startNotified(t, pss);
    assert.equal((await notified.post(pssMessage('{"order":"1"}'))).status, 204);
    assert.deepEqual(resourceOf(notified), { order: '1' });
    assert.equal(
      (await notified.post({ ...pssMessage('{"order":"1"}', { nonce: 'n-2' }), body: '{"order":"2"}' })).status,
      401,
    );
    assert.equal(notified.application.handed.length, 1);
  });

  for (const [scheme, setting, message] of [
    ['a shared secret', hmac, { body: hmacBody({ order: '1' }) }],
    ['a key pair', pss, pssMessage('{"order":"1"}')],
  ] as const)
    it(`with ${scheme} that the application has not taken is delivered when the same bytes come again, later than they are fresh`, async (t) => {
      const notified = await startNotified(t, setting);
      notified.application.status = 500;
      assert.equal((await notified.post(message)).status, 502);
      notified.application.status = 200;
      notified.clock.time = new Date(start.getTime() + 600_000);
      notified.pass(600_000);
      assert.equal((await notified.post(message)).status, 204);
      assert.equal((await notified.post(message)).status, 204);
      assert.equal(notified.application.handed.length, 2);
      notified.pass(27 * 3_600_000);
      assert.equal((await notified.post(message)).status, 401);
    });

  it('with another byte is another one, and refused', async (t) => {
    const notified = await startNotified(t, hmac);
    const body = hmacBody({ order: '1' });
    assert.equal((await notified.post({ body })).status, 204);
    assert.equal((await notified.post({ body: body.replace('order=1', 'order=2') })).status, 401);
    assert.equal((await notified.post({ body, path: '/shop/other?order=2' })).status, 401);
    assert.equal(notified.application.handed.length, 1);
  });
});
