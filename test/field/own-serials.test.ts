// A message that names this side's own key is not the platform's: headers of a request were passed, or somebody forged them.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Received } from '../../src/providers/provider.ts';
import {
  generateKeyPair,
  makeAlipayNotification,
  makeGatewayResponse,
  makeRestResponse,
  signMessage,
  toPkcs8Pem,
} from '../../src/testing/index.ts';
import * as alipay from '../support/alipay.ts';
import { loadFit, makeMaterial, merchantId, now, withFiles } from '../support/wechatpay.ts';

const body = Buffer.from('{"id":"1"}');
const hint = /^Pass what was received, with its own headers, not those of a request of yours/;

const retiredPair = await generateKeyPair();
const material = await makeMaterial();
const { authority, merchant, platformKeys } = material;
const retired = await authority.issue({ ...merchant, commonName: merchantId, keyPair: retiredPair });
const files = withFiles(material.files, {
  'retired/2025.pem': toPkcs8Pem(retiredPair.privateKey) + retired.certificate,
});
const wechat = await loadFit(files);

const named = (keyId: string) => signMessage(body, { platformKey: { ...platformKeys[0]!, keyId }, now });

describe('a message to a merchant of WeChat Pay', () => {
  for (const [title, serial] of [
    ['as it is', merchant.serialNumber],
    ['in small letters', merchant.serialNumber.toLowerCase()],
    ['with zeros before it', `00${merchant.serialNumber}`],
    ['of a retired certificate', retired.serialNumber],
  ] as const)
    it(`that names the merchant’s own serial number is refused as such: ${title}`, async () => {
      const { headers } = named(serial);
      const signature = headers['Wechatpay-Signature'] ?? '';
      const messages: readonly Received[] = [
        { kind: 'response', headers, body },
        { kind: 'notification', headers, body },
        { kind: 'message', message: body, signature, keyId: serial },
      ];
      for (const received of messages)
        await assert.rejects(wechat.verify(received, now), {
          code: 'key-id-own',
          message: /^the signature names the merchant’s own serial number.*, and WeChat Pay never signs with that key$/,
          hint,
        });
    });

  it('that names the merchant’s serial number of before a change is refused as such', async () => {
    const next = await loadFit((await makeMaterial()).files);
    const earlier = { verifiers: wechat.verifiers ?? [], openers: wechat.openers ?? [] };
    const received = { kind: 'notification', headers: named(merchant.serialNumber).headers, body } as const;
    await assert.rejects(next.verify(received, now, earlier), { code: 'key-id-own' });
    await assert.rejects(next.verify(received, now), { code: 'key-id-unknown' });
  });

  it('that names another merchant’s serial number names an unknown key', async () => {
    const other = (await makeMaterial()).merchant.serialNumber;
    await assert.rejects(wechat.verify({ kind: 'response', headers: named(other).headers, body }, now), {
      code: 'key-id-unknown',
    });
  });
});

const app = await alipay.makeMaterial();
const context = await alipay.loadFit(app.files);
const serialOf = (role: string) => context.keys.find((key) => key.role === role)?.keyId ?? '';
const apiMethod = 'alipay.trade.query';

/** One of each kind that Alipay sends, all of which name that certificate. */
function messagesOf(serial: string): readonly Received[] {
  const alipayKey = { ...app.alipayKeys[0]!, serial };
  const notification = makeAlipayNotification({ alipayKey, parameters: { app_id: alipay.appId, notify_id: '1' } });
  const form = Buffer.concat([notification.body, Buffer.from(`&alipay_cert_sn=${serial}`)]);
  return [
    {
      kind: 'response',
      apiMethod,
      body: Buffer.from(makeGatewayResponse(apiMethod, '{"code":"10000"}', { alipayKey })),
    },
    { kind: 'response', ...makeRestResponse(body, { alipayKey, now: alipay.now }), body },
    { kind: 'notification', body: form },
    { kind: 'return', url: `https://shop.example/back?${form.toString()}`, body: Buffer.alloc(0) },
  ];
}

describe('a message to an app of Alipay', () => {
  for (const [title, serial, message] of [
    ['the app’s own SN', serialOf('merchant'), /names the app’s own SN [0-9a-f]{32}, and Alipay never signs/],
    [
      'it in capitals',
      serialOf('merchant').toUpperCase(),
      /names the app’s own SN [0-9a-f]{32}, and Alipay never signs/,
    ],
    ['the SN of the roots', serialOf('root'), /names the SN of the roots, `alipay_root_cert_sn`, and Alipay never/],
  ] as const)
    it(`that names ${title} is refused as such`, async () => {
      assert.notEqual(serial, '');
      for (const received of messagesOf(serial))
        await assert.rejects(context.verify(received, alipay.now), { code: 'key-id-own', message, hint });
    });

  it('that names an SN that nobody here has names an unknown key', async () => {
    for (const received of messagesOf('0'.repeat(32)))
      await assert.rejects(context.verify(received, alipay.now), { code: 'key-id-unknown' });
  });
});
