// Alipay's own SDK for Node and we agree: it accepts what we sign, and we accept what it signs and as it does.
import assert from 'node:assert/strict';
import { verify } from 'node:crypto';
import { describe, it } from 'node:test';
import { AlipaySdk } from 'alipay-sdk';
import {
  makeAlipayNotification,
  makeGatewayAnswer,
  startAlipayGateway,
  toPkcs8Pem,
  toSpkiPem,
} from '../../../src/testing/index.ts';
import { appId, loadFit, makeMaterial, moment, now } from '../../support/alipay.ts';
import { fieldsOf, signedText } from '../../../src/providers/alipay/form.ts';

// The SDK writes this machine's local time where Beijing's belongs; we need no time zone.
process.env['TZ'] = 'Asia/Shanghai';

const material = await makeMaterial();
const { app, alipayKeys, authority, files } = material;
const context = await loadFit(files);
const common = {
  appId,
  privateKey: toPkcs8Pem(app.privateKey),
  keyType: 'PKCS8' as const,
  encryptKey: material.aesKey,
};
const certified = {
  ...common,
  appCertContent: app.certificate,
  alipayRootCertContent: authority.certificate,
  alipayPublicCertContent: alipayKeys[0]!.issued.certificate,
};
const sdk = new AlipaySdk(certified);
const bizContent = { out_trade_no: '1', subject: '手机 +%&=' };

describe('alipay-sdk', () => {
  it('computes our serial numbers', () => {
    const { appCertSn, alipayRootCertSn, alipayCertSn } = sdk.config;
    assert.deepEqual(
      [appCertSn, alipayRootCertSn, alipayCertSn],
      [material.appSerial, material.rootSerial, alipayKeys[0]!.serial],
    );
    const roles = new Map(context.keys.map(({ role, keyId }) => [role, keyId]));
    assert.deepEqual(
      [roles.get('merchant'), roles.get('root'), roles.get('platform')],
      [appCertSn, alipayRootCertSn, alipayCertSn],
    );
  });

  it('signs what our text of its parameters verifies', () => {
    const parameters = Object.fromEntries(new URLSearchParams(sdk.sdkExecute('alipay.trade.app.pay', { bizContent })));
    const { sign = '', ...signed } = parameters;
    assert.ok(verify('sha256', signedText(fieldsOf(signed)), app.publicKey, Buffer.from(sign, 'base64')));
  });

  it('accepts our answers and notifications as we do, and refuses the same forgeries', async () => {
    const apiMethod = 'alipay.trade.query';
    const body = makeGatewayAnswer(apiMethod, '{"code":"10000","a":"}\\""}', { alipayKey: alipayKeys[0]! }).toString();
    const { sign } = JSON.parse(body) as { sign: string };
    const texts = [body, body.replace('10000', '10001')];
    for (const [index, text] of texts.entries()) {
      const theirs = () => sdk.checkResponseSign(text, 'alipay_trade_query_response', sign, '');
      const ours = context.verify({ kind: 'response', apiMethod, body: Buffer.from(text) }, now);
      if (index === 0) {
        theirs();
        await ours;
      } else {
        assert.throws(theirs);
        await assert.rejects(ours);
      }
    }
    const parameters = { app_id: appId, subject: 'a+b %41 手机' };
    const { body: form } = makeAlipayNotification({ alipayKey: alipayKeys[0]!, parameters });
    const decoded = Object.fromEntries(new URLSearchParams(Buffer.from(form).toString()));
    assert.ok(sdk.checkNotifySignV2(decoded));
    assert.ok(await context.verify({ kind: 'notification', body: form }, now));
  });

  it('talks to the gateway double, in v2 and v3: each verifies what the other signs', async () => {
    await using gateway = await startAlipayGateway({ material });
    const own = new AlipaySdk({ ...certified, gateway: `${gateway.url}/gateway.do`, endpoint: gateway.url });
    const answer = await own.exec('alipay.trade.query', { bizContent }, { validateSign: true });
    assert.deepEqual([answer.code, answer['outTradeNo']], ['10000', '1']);
    const rest = await own.curl<{ path: string }>('POST', '/v3/alipay/trade/query', { body: bizContent });
    assert.equal(rest.data.path, '/v3/alipay/trade/query');
    assert.deepEqual(gateway.counts, { accepted: 2, refused: 0 });
  });

  it('verifies what we sign, as a platform would, from its own text', async () => {
    const { url, body } = await context.authorize(
      { apiMethod: 'alipay.trade.query', bizContent: JSON.stringify(bizContent) },
      moment,
    );
    const form = `${new URL(url).search.slice(1)}&${Buffer.from(body!).toString()}`;
    // The SDK verifies with Alipay's key; given the application's certificate there, it judges our requests.
    const platform = new AlipaySdk({
      ...common,
      appCertContent: app.certificate,
      alipayRootCertContent: authority.certificate,
      alipayPublicCertContent: app.certificate,
    });
    assert.ok(platform.checkNotifySignV2(Object.fromEntries(new URLSearchParams(form))));
  });

  it('in key mode accepts what the double answers', async () => {
    const keyed = await makeMaterial({ mode: 'key' });
    await using gateway = await startAlipayGateway({ material: keyed });
    const own = new AlipaySdk({
      appId,
      privateKey: toPkcs8Pem(keyed.app.privateKey),
      keyType: 'PKCS8',
      alipayPublicKey: toSpkiPem(keyed.alipayKeys[0]!.publicKey),
      gateway: `${gateway.url}/gateway.do`,
    });
    assert.equal((await own.exec('alipay.trade.query', { bizContent }, { validateSign: true })).code, '10000');
  });
});
