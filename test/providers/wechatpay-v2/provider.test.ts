// WeChat Pay v2: what its SDK signs verifies here, what we sign verifies there, and nothing else does.
import assert from 'node:assert/strict';
import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import { connect, createServer, type PeerCertificate } from 'node:tls';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { Aes, Hash } from 'wechatpay-axios-plugin';
import type { RequestToAuthorize } from '../../../src/providers/provider.ts';
import { wechatpayV2 } from '../../../src/providers/wechatpay-v2/provider.ts';
import { VerifiedNotification } from '../../../src/providers/verified.ts';
import type { WechatpayV2Options } from '../../../src/providers/wechatpay-v2/options.ts';
import { readXml, writeXml } from '../../../src/providers/wechatpay-v2/xml.ts';
import { flatten } from '../../support/flatten.ts';
import { makePkcs12 } from '../../support/pkcs12.ts';
import { makeMaterial, merchantId, now, refusal, withFiles } from '../../support/wechatpay.ts';

const key = randomBytes(16).toString('hex');
const nonce = '0123456789abcdef0123456789abcdef';
const material = await makeMaterial();
const files = withFiles(material.files, { apiv2_key: key });
const url = 'https://api.mch.weixin.qq.com/pay/unifiedorder';

const load = async (changes: Parameters<typeof withFiles>[1] = {}, options: Partial<WechatpayV2Options> = {}) =>
  flatten(await wechatpayV2({ merchantId, appId: 'wx1', ...options }).load(withFiles(files, changes)));

async function loadFit(changes: Parameters<typeof withFiles>[1] = {}, options: Partial<WechatpayV2Options> = {}) {
  const context = await load(changes, options);
  assert.deepEqual(context.problems, []);
  const { authorize, verify, decrypt, openNotification, paymentParameters } = context;
  assert.ok(authorize && verify && decrypt && openNotification && paymentParameters);
  return { ...context, authorize, verify, decrypt, openNotification, paymentParameters };
}

const shop = await loadFit();
const problemsOf = async (changes: Parameters<typeof withFiles>[1]) =>
  (await load(changes)).problems.map(({ code, field }) => `${code} ${String(field)}`);

const authorize = (parameters: Record<string, string>, rest: RequestToAuthorize = {}) =>
  shop.authorize({ url, parameters, ...rest }, { now, nonce });
const xml = (parameters: Record<string, string>) => Buffer.from(writeXml(Object.entries(parameters)));
const receive = (body: Uint8Array, kind: 'response' | 'notification' = 'response', rest = {}) =>
  shop.verify({ kind, body, ...rest }, now);

const open = async (body: Uint8Array) =>
  shop.openNotification(await VerifiedNotification.from(shop.verify, { kind: 'notification', body }, now));

/** As the platform signs, by its SDK. */
const signed = (parameters: Record<string, string>, type: 'MD5' | 'HMAC-SHA256' = 'MD5', by = key) =>
  xml({ ...parameters, sign: Hash.sign(type, parameters, by) });

const answer = { return_code: 'SUCCESS', result_code: 'SUCCESS', appid: 'wx1', mch_id: merchantId, prepay_id: '你 好' };

describe('a request', () => {
  for (const type of ['MD5', 'HMAC-SHA256'] as const)
    it(`signed with ${type} verifies in the platform’s SDK`, async () => {
      const parameters = { body: '<商品> & more', total_fee: '1', attach: '', sign_type: type };
      const { method, headers, body, keyId } = await authorize(parameters);
      const { sign, ...sent } = Object.fromEntries(readXml(body ?? new Uint8Array()));
      assert.equal(sign, Hash.sign(type, sent, key));
      const { attach, ...given } = parameters;
      assert.deepEqual([attach, sent], ['', { appid: 'wx1', mch_id: merchantId, nonce_str: nonce, ...given }]);
      assert.deepEqual([method, headers], ['POST', { 'Content-Type': 'text/xml; charset=utf-8' }]);
      assert.equal(keyId, shop.keys[0]?.keyId);
    });

  it('is signed with MD5 where nobody says otherwise, as the protocol has it', async () => {
    const { body } = await authorize({ body: 'x' });
    assert.match(readXml(body ?? new Uint8Array()).get('sign') ?? '', /^[0-9A-F]{32}$/);
  });

  it('names merchant and app as its interface calls them, once', async () => {
    const { body } = await authorize({ mchid: merchantId, mch_appid: 'wx2', nonce_str: '' });
    assert.deepEqual([...readXml(body ?? new Uint8Array()).keys()], ['mchid', 'mch_appid', 'sign']);
  });

  it('with GET carries its parameters in the address', async () => {
    const { url: sent, body } = await authorize({ a: '1 +' }, { method: 'GET' });
    const parameters = Object.fromEntries(new URL(sent).searchParams);
    const { sign, ...rest } = parameters;
    assert.equal(sign, Hash.sign('MD5', rest, key));
    assert.equal(body, undefined);
  });

  it('is refused for another merchant, with a sign, and with what it does not take', async () => {
    for (const parameters of [
      { mch_id: '1900000002' },
      { mchid: '1900000002' },
      { sign: 'x' },
      // Of the text that is signed, never of what is sent.
      { key: 'x' },
      { sign_type: 'RSA' },
      { 'a b': 'x' },
    ] as Record<string, string>[])
      await assert.rejects(() => authorize(parameters), refusal('request-invalid'));
    for (const rest of [{ body: Buffer.from('x') }, { method: 'PUT' }, { url: undefined }] as RequestToAuthorize[])
      await assert.rejects(() => authorize({}, rest), refusal('request-invalid'));
  });
});

describe('an answer', () => {
  for (const type of ['MD5', 'HMAC-SHA256'] as const)
    it(`that the platform signs with ${type} verifies`, async () => {
      assert.deepEqual(await receive(signed(answer, type)), { keyId: shop.keys[0]?.keyId });
      const named = { ...answer, sign_type: type };
      assert.deepEqual(await receive(signed(named, type)), { keyId: shop.keys[0]?.keyId });
    });

  it('with another key, another sign or one value changed is refused', async () => {
    const good = Hash.sign('MD5', answer, key);
    for (const body of [
      signed(answer, 'MD5', '0'.repeat(32)),
      xml({ ...answer, prepay_id: 'y', sign: good }),
      xml({ ...answer, sign: good.slice(1) }),
      xml({ ...answer, sign: `${good} ` }),
      xml({
        ...answer,
        sign_type: 'HMAC-SHA256',
        sign: Hash.sign('MD5', { ...answer, sign_type: 'HMAC-SHA256' }, key),
      }),
    ])
      await assert.rejects(() => receive(body), refusal('signature-invalid'));
    const foreign = signed({ ...answer, sign_type: 'RSA' });
    await assert.rejects(() => receive(foreign), refusal('signature-algorithm-unsupported'));
  });

  it('without a sign is forged if it is a success, and unsigned if it is none or never signed', async () => {
    await assert.rejects(() => receive(xml(answer)), refusal('signature-missing'));
    await assert.rejects(() => receive(xml({ return_code: 'FAIL' })), refusal('response-unsigned'));
    await assert.rejects(() => receive(xml({ return_code: 'FAIL' }), 'notification'), refusal('signature-missing'));
    const red = 'https://api.mch.weixin.qq.com/mmpaymkttransfers/sendredpack';
    await assert.rejects(() => receive(xml(answer), 'response', { url: red }), refusal('response-unsigned'));
  });

  it('that is no flat XML is refused, and so is a message or a return', async () => {
    await assert.rejects(() => receive(Buffer.from('{}')), refusal('message-malformed'));
    await assert.rejects(
      () => shop.verify({ kind: 'return', body: new Uint8Array() }, now),
      refusal('request-invalid'),
    );
    const message = { kind: 'message', message: Buffer.from('x'), signature: 'x', keyId: 'x' } as const;
    await assert.rejects(() => shop.verify(message, now), refusal('request-invalid'));
  });
});

describe('a refund notification', () => {
  const inner = '<root><out_refund_no>1</out_refund_no><refund_id>50000</refund_id></root>';
  const seal = (text: string, by = key): string => {
    const cipher = createCipheriv('aes-256-ecb', createHash('md5').update(by).digest('hex'), null);
    return Buffer.concat([cipher.update(text), cipher.final()]).toString('base64');
  };
  const around = { return_code: 'SUCCESS', appid: 'wx1', mch_id: merchantId, nonce_str: 'n' };

  it('opens with the key that the SDK derives too', async () => {
    const sealed = seal(inner);
    assert.equal(Aes.AesEcb.decrypt(sealed, Hash.md5(key)), inner);
    const body = xml({ ...around, req_info: sealed });
    const opened = await open(body);
    assert.deepEqual(opened, {
      id: '50000',
      eventType: 'REFUND',
      resource: { out_refund_no: '1', refund_id: '50000' },
      keyId: shop.keys[0]?.keyId,
      role: 'apiv2',
    });
    const { plaintext } = await shop.decrypt({ ciphertext: sealed });
    assert.equal(Buffer.from(plaintext).toString(), inner);
  });

  it('that does not open, or opens to something else than XML, is refused alike', async () => {
    for (const sealed of [seal(inner, '0'.repeat(32)), seal('no XML'), 'AAAA', '', seal(inner).slice(4)]) {
      const code = 'decryption-failed';
      await assert.rejects(() => shop.decrypt({ ciphertext: sealed }), refusal(code));
      if (sealed !== '')
        await assert.rejects(() => receive(xml({ ...around, req_info: sealed }), 'notification'), refusal(code));
    }
  });

  it('lends its seal to nothing that stands beside it unsigned', async () => {
    const body = xml({ ...around, req_info: seal(inner), transaction_id: '1', total_fee: '100' });
    await assert.rejects(() => receive(body, 'notification'), refusal('signature-missing'));
  });
});

describe('a payment notification', () => {
  it('verifies, and comes back as its parameters with the id of its transaction', async () => {
    const body = signed({ ...answer, transaction_id: '4200', sign_type: 'MD5' });
    const opened = await open(body);
    assert.deepEqual([opened.id, opened.eventType, opened.role], ['4200', 'TRANSACTION', undefined]);
    assert.equal((opened.resource as Record<string, string>)['prepay_id'], answer.prepay_id);
  });

  it('without such an id has one that stays when it is sent again', async () => {
    const sent = (nonceStr: string) => open(signed({ ...answer, contract_code: '1', nonce_str: nonceStr }));
    const [first, again] = [await sent('a'), await sent('b')];
    assert.match(first.id, /^[0-9a-f]{32}$/);
    assert.equal(first.id, again.id);
  });
});

describe('payment parameters', () => {
  it('of a page and of an app verify in the SDK, with the sign type of the order', async () => {
    const moment = { now, nonce };
    const { paySign, ...page } = await shop.paymentParameters({ type: 'jsapi', prepayId: 'p' }, moment);
    assert.equal(paySign, Hash.sign('MD5', page, key));
    assert.deepEqual(Object.keys(page), ['appId', 'timeStamp', 'nonceStr', 'package', 'signType']);
    const input = { type: 'app', prepayId: 'p', appId: 'wx2', signType: 'HMAC-SHA256' } as const;
    const { sign, ...app } = await shop.paymentParameters(input, moment);
    assert.equal(sign, Hash.sign('HMAC-SHA256', app, key));
    assert.deepEqual([app['appid'], app['partnerid']], ['wx2', merchantId]);
  });

  it('need an app', async () => {
    const { paymentParameters } = await loadFit({}, { appId: undefined } as never);
    await assert.rejects(
      () => paymentParameters({ type: 'app', prepayId: 'p' }, { now, nonce }),
      refusal('request-invalid'),
    );
  });
});

describe('material', () => {
  it('needs an APIv2 key of 32 bytes', async () => {
    assert.deepEqual(await problemsOf({ apiv2_key: undefined }), ['material-missing apiv2_key']);
    assert.deepEqual(await problemsOf({ apiv2_key: 'short', 'apiv2_key.previous': 'x' }), [
      'apiv2-key-length apiv2_key',
      'apiv2-key-length apiv2_key.previous',
    ]);
  });

  it('may have a previous key, which verifies and never signs', async () => {
    const previous = '0'.repeat(32);
    const { verify, authorize: sign, keys } = await loadFit({ 'apiv2_key.previous': previous });
    const { keyId } = await verify({ kind: 'response', body: signed(answer, 'MD5', previous) }, now);
    assert.equal(keyId, keys.find(({ role }) => role === 'apiv2-previous')?.keyId);
    const { body } = await sign({ url, parameters: {} }, { now, nonce });
    const { sign: made, ...rest } = Object.fromEntries(readXml(body ?? new Uint8Array()));
    assert.equal(made, Hash.sign('MD5', rest, key));
  });

  it('needs no certificate; one that is there must be whole, and fit', async () => {
    const none = { 'apiclient_key.pem': undefined, 'apiclient_cert.pem': undefined };
    const { tls, keys } = await loadFit(none);
    assert.deepEqual([tls, keys.length], [undefined, 1]);
    assert.deepEqual(await problemsOf({ 'apiclient_key.pem': undefined }), ['material-missing apiclient_key.pem']);
    assert.deepEqual(await problemsOf({ 'apiclient_key.pem': 'x' }), ['pem-malformed apiclient_key.pem']);
    assert.deepEqual(await problemsOf({ apiv3_key: 'broken, and none of our business' }), []);
  });

  it('takes the certificate from the .p12 too, shows its end, and warns when it is over', async () => {
    const p12 = makePkcs12(material, merchantId);
    const none = { 'apiclient_key.pem': undefined, 'apiclient_cert.pem': undefined };
    const context = await loadFit({ ...none, 'apiclient_cert.p12': p12 });
    assert.ok(context.tls);
    assert.equal(context.tls.choose().id, (await loadFit()).tls?.choose().id);
    const end = context.keys.find(({ role }) => role === 'merchant')?.notAfter;
    assert.ok(end);
    assert.deepEqual(context.warnings(now), []);
    assert.deepEqual(
      context.warnings(end).map(({ code }) => code),
      ['client-certificate-expired'],
    );
    assert.ok(context.capabilities(end).has('sign'));
  });

  it('gives what TLS needs to show the merchant’s certificate', async () => {
    const identity = shop.tls?.choose('api.mch.weixin.qq.com');
    assert.ok(identity);
    const own = { key: identity.exportKey(), cert: identity.certificates.join('') };
    const server = createServer({ ...own, requestCert: true, rejectUnauthorized: false });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const accepted = once(server, 'secureConnection') as Promise<[{ getPeerCertificate(): PeerCertificate }]>;
    const { port } = server.address() as AddressInfo;
    const client = connect({ ...own, host: '127.0.0.1', port, rejectUnauthorized: false });
    const [socket] = await accepted;
    assert.equal(socket.getPeerCertificate().subject.CN, merchantId);
    client.destroy();
    server.close();
  });
});
