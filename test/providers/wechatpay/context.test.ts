// What a context makes: signatures, authorized requests, payment parameters and encrypted fields. node:crypto is the oracle.
import assert from 'node:assert/strict';
import { constants, privateDecrypt, verify } from 'node:crypto';
import { describe, it } from 'node:test';
import { startWechatpayGateway, type PlatformKey } from '../../../src/testing/index.ts';
import { loadFit, makeMaterial, merchantId, now, refusal, withFiles } from '../../support/wechatpay.ts';

const material = await makeMaterial({ publicKey: true });
const { files, merchant, platformKeys } = material;
const [old, young, publicKey] = platformKeys as [PlatformKey, PlatformKey, PlatformKey];
const nonce = '593BEC0C930BF1AFEB40B4A08C8FB242';
const moment = { now: new Date(1_772_323_200_999), nonce };
const timestamp = '1772323200';
const onlyCertificates = withFiles(files, { 'pub_key.pem': undefined, pub_key_id: undefined });
const onlyPublicKey = withFiles(files, {
  [`wechatpay_${old.keyId}.pem`]: undefined,
  [`wechatpay_${young.keyId}.pem`]: undefined,
});
const without = withFiles(onlyCertificates, {
  [`wechatpay_${old.keyId}.pem`]: undefined,
  [`wechatpay_${young.keyId}.pem`]: undefined,
});
const context = await loadFit(files);

const isSigned = (text: string | Uint8Array, signature: string): boolean =>
  verify('sha256', Buffer.from(text), merchant.publicKey, Buffer.from(signature, 'base64'));

describe('sign', () => {
  it('signs the bytes given, and names the merchant certificate', async () => {
    const message = Buffer.from('any\nbytes\0');
    const { signature, keyId } = await context.sign(message);
    assert.ok(isSigned(message, Buffer.from(signature).toString('base64')));
    assert.equal(keyId, merchant.serialNumber);
  });

  it('names the serial number given in place of a certificate, in wire form', async () => {
    const { sign } = await loadFit(withFiles(files, { 'apiclient_cert.pem': undefined, merchant_serial: 'abc' }));
    assert.equal((await sign(Buffer.from('x'))).keyId, '0ABC');
  });
});

describe('authorize', () => {
  const scheme =
    /^WECHATPAY2-SHA256-RSA2048 mchid="1900000001",nonce_str="(\w+)",signature="([\w+/]+=*)",timestamp="(\d+)",serial_no="(\w+)"$/;
  const authorize = async (request: Parameters<typeof context.authorize>[0]) => {
    const authorized = await context.authorize(request, moment);
    const [, nonceField, signature = '', timestampField, serial] =
      scheme.exec(authorized.headers['Authorization'] ?? '') ?? [];
    assert.deepEqual([nonceField, timestampField, serial], [nonce, timestamp, merchant.serialNumber]);
    return { ...authorized, signature };
  };

  it('signs a GET with its query', async () => {
    const { signature, method, url } = await authorize({ method: 'get', url: '/v3/certificates?algorithm_type=RSA' });
    assert.ok(isSigned(`GET\n/v3/certificates?algorithm_type=RSA\n${timestamp}\n${nonce}\n\n`, signature));
    assert.deepEqual([method, url], ['GET', '/v3/certificates?algorithm_type=RSA']);
  });

  it('signs a POST with its body, byte for byte', async () => {
    const body = Buffer.from('{"description":"测试商品"}');
    const { signature, headers } = await authorize({ method: 'POST', url: '/v3/pay/transactions/jsapi', body });
    assert.ok(isSigned(`POST\n/v3/pay/transactions/jsapi\n${timestamp}\n${nonce}\n${body.toString()}\n`, signature));
    assert.equal(headers['Content-Type'], 'application/json');
  });

  it('signs path and query of an absolute address, without its fragment', async () => {
    const url = 'https://api.mch.weixin.qq.com/v3/x?a=%E4%B8%AD#part';
    const authorized = await authorize({ method: 'GET', url });
    assert.ok(isSigned(`GET\n/v3/x?a=%E4%B8%AD\n${timestamp}\n${nonce}\n\n`, authorized.signature));
    assert.equal(authorized.url, url);
  });

  it('sets what WeChat Pay requires, where the caller says nothing', async () => {
    const { headers } = await authorize({ method: 'GET', url: '/' });
    assert.deepEqual(Object.keys(headers).sort(), ['Accept', 'Authorization', 'User-Agent', 'Wechatpay-Serial']);
    assert.deepEqual([headers['Accept'], headers['User-Agent']], ['application/json', 'paycert']);
  });

  it('keeps the headers of the caller, in any case', async () => {
    const own = { accept: 'text/csv', 'USER-AGENT': 'shop/1', 'content-type': 'multipart/form-data', 'X-Trace': '1' };
    const { headers } = await authorize({ method: 'POST', url: '/', headers: own, body: Buffer.from('{}') });
    const { Authorization, 'Wechatpay-Serial': serial, ...rest } = headers;
    assert.ok(Authorization && serial);
    assert.deepEqual(rest, own);
  });

  it('replaces Authorization of the caller and keeps its Wechatpay-Serial, each once and whatever their case', async () => {
    for (const spell of [
      (name: string) => name,
      (name: string) => name.toLowerCase(),
      (name: string) => name.toUpperCase(),
    ]) {
      const headers = { [spell('Authorization')]: 'Bearer stale', [spell('Wechatpay-Serial')]: old.keyId };
      const authorized = await authorize({ method: 'GET', url: '/', headers });
      const names = Object.keys(authorized.headers).map((name) => name.toLowerCase());
      assert.equal(new Set(names).size, names.length);
      assert.equal(authorized.headers['Wechatpay-Serial'], old.keyId);
    }
  });

  it('keeps the caller’s Wechatpay-Serial where there is no platform key to name', async () => {
    const headers = { 'wechatpay-serial': 'PUB_KEY_ID_1' };
    const { authorize: first } = await loadFit(without);
    const authorized = await first({ method: 'GET', url: '/', headers }, moment);
    assert.equal(authorized.headers['Wechatpay-Serial'], 'PUB_KEY_ID_1');
    assert.equal(authorized.headers['wechatpay-serial'], undefined);
  });

  it('names the key that fields are encrypted for, in any form of its id, and one that has been rotated away as given', async () => {
    const named = (id: string) =>
      authorize({ method: 'POST', url: '/', encryptionKeyId: id }).then(({ headers }) => headers['Wechatpay-Serial']);
    assert.equal(await named(old.keyId.toLowerCase()), old.keyId);
    assert.equal(await named(publicKey.keyId), publicKey.keyId);
    assert.equal(await named('5A'), '5A');
  });

  it('refuses an address with a line break', async () => {
    await assert.rejects(authorize({ method: 'GET', url: '/a\n1' }), refusal('request-invalid'));
  });

  it('is accepted by a gateway that checks as WeChat Pay does', async () => {
    await using gateway = await startWechatpayGateway({ now: () => moment.now });
    gateway.admit(material);
    const body = Buffer.from(JSON.stringify({ mchid: merchantId, description: '测试' }));
    const url = `${gateway.url}/v3/pay/transactions/jsapi?x=%E4%B8%AD`;
    const { headers, method } = await context.authorize({ method: 'POST', url, body }, moment);
    const response = await fetch(url, { method, headers, body });
    assert.equal(response.status, 200);
    const answer = {
      kind: 'response',
      headers: Object.fromEntries(response.headers),
      body: await response.bytes(),
    } as const;
    assert.equal((await context.verify(answer, moment.now)).keyId, young.keyId);
  });
});

describe('the platform key that a request names', () => {
  const named = async (from: typeof files, responseKey?: Parameters<typeof loadFit>[1], id = nonce) =>
    (await (await loadFit(from, responseKey)).authorize({ method: 'GET', url: '/' }, { ...moment, nonce: id })).headers[
      'Wechatpay-Serial'
    ];

  it('is the certificate that lives longest, unless configured', async () => {
    assert.equal(await named(files), young.keyId);
    assert.equal(await named(files, { responseKey: 'platform' }), young.keyId);
    assert.equal(await named(onlyPublicKey), publicKey.keyId);
  });

  it('is the public key where that is configured and there', async () => {
    assert.equal(await named(files, { responseKey: 'publicKey' }), publicKey.keyId);
    assert.equal(await named(onlyCertificates, { responseKey: 'publicKey' }), young.keyId);
    assert.equal(await named(without), undefined);
  });

  it('is the public key for about that percentage of nonces, always the same for one nonce', async () => {
    const share = async (publicKeyPercent: number): Promise<number> => {
      const { authorize } = await loadFit(files, { responseKey: { publicKeyPercent } });
      const names = await Promise.all(
        Array.from({ length: 400 }, (_, index) =>
          authorize({ method: 'GET', url: '/' }, { ...moment, nonce: `nonce${index}` }),
        ),
      );
      const chosen = names.map(({ headers }) => headers['Wechatpay-Serial']);
      assert.ok(chosen.every((id) => id === publicKey.keyId || id === young.keyId));
      return chosen.filter((id) => id === publicKey.keyId).length / 4;
    };
    assert.deepEqual([await share(0), await share(100)], [0, 100]);
    for (const percent of [10, 50]) assert.ok(Math.abs((await share(percent)) - percent) < 7);
    const half = { responseKey: { publicKeyPercent: 50 } };
    assert.equal(await named(files, half, 'one'), await named(files, half, 'one'));
  });
});

describe('what WeChat Pay has no use for, or misses', () => {
  const request = { method: 'GET', url: '/' };
  for (const [field, input] of Object.entries({
    method: { url: '/' },
    url: { method: 'GET' },
    apiMethod: { ...request, apiMethod: 'alipay.trade.query' },
    bizContent: { ...request, bizContent: '{}' },
    parameters: { ...request, parameters: {} },
    appAuthToken: { ...request, appAuthToken: 'x' },
  })) {
    it(`is refused by authorize with the name of the member ${field}`, async () => {
      await assert.rejects(context.authorize(input, moment), { ...refusal('request-invalid'), field });
    });
  }

  const payment = { type: 'app', appId: 'wx1', prepayId: 'p1' } as const;
  for (const [field, input] of Object.entries({
    type: { appId: 'wx1', prepayId: 'p1' },
    appId: { type: 'app', prepayId: 'p1' } as const,
    prepayId: { type: 'app', appId: 'wx1' } as const,
    apiMethod: { ...payment, apiMethod: 'alipay.trade.app.pay' },
  })) {
    it(`is refused by paymentParameters with the name of the member ${field}`, async () => {
      await assert.rejects(context.paymentParameters(input, moment), { ...refusal('request-invalid'), field });
    });
  }
});

describe('paymentParameters', () => {
  it('of JSAPI sign the package, and hold exactly what the client passes on', async () => {
    const { paySign = '', ...rest } = await context.paymentParameters(
      { type: 'jsapi', appId: 'wx8888', prepayId: 'wx1' },
      moment,
    );
    assert.deepEqual(rest, {
      appId: 'wx8888',
      timeStamp: timestamp,
      nonceStr: nonce,
      package: 'prepay_id=wx1',
      signType: 'RSA',
    });
    assert.ok(isSigned(`wx8888\n${timestamp}\n${nonce}\nprepay_id=wx1\n`, paySign));
  });

  it('of an app sign the bare prepay id, and hold exactly what the client passes on', async () => {
    const { sign = '', ...rest } = await context.paymentParameters(
      { type: 'app', appId: 'wx8888', prepayId: 'wx1' },
      moment,
    );
    const expected = {
      appid: 'wx8888',
      partnerid: merchantId,
      prepayid: 'wx1',
      package: 'Sign=WXPay',
      noncestr: nonce,
      timestamp,
    };
    assert.deepEqual(rest, expected);
    assert.ok(isSigned(`wx8888\n${timestamp}\n${nonce}\nwx1\n`, sign));
  });
});

describe('encrypt', () => {
  const open = ({ privateKey }: PlatformKey, ciphertext: Uint8Array) =>
    privateDecrypt(
      { key: privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' },
      ciphertext,
    ).toString();

  it('encrypts for the certificate that lives longest, and names it', async () => {
    const { ciphertext, keyId } = await context.encrypt(Buffer.from('张三'), now);
    assert.deepEqual([keyId, open(young, ciphertext)], [young.keyId, '张三']);
  });

  it('encrypts for the public key where that is configured or all there is', async () => {
    for (const { encrypt } of [await loadFit(files, { responseKey: 'publicKey' }), await loadFit(onlyPublicKey)]) {
      const { ciphertext, keyId } = await encrypt(Buffer.from('x'), now);
      assert.deepEqual([keyId, open(publicKey, ciphertext)], [publicKey.keyId, 'x']);
    }
  });

  it('encrypts for the key asked for, and refuses one that is unknown or has expired', async () => {
    const { ciphertext, keyId } = await context.encrypt(Buffer.from('x'), now, old.keyId.toLowerCase());
    assert.deepEqual([keyId, open(old, ciphertext)], [old.keyId, 'x']);
    await assert.rejects(context.encrypt(Buffer.from('x'), now, '5A'), refusal('key-unknown'));
    await assert.rejects(context.encrypt(Buffer.from('x'), old.issued!.notAfter, old.keyId), refusal('key-unknown'));
  });

  it('takes 214 bytes under a 2048-bit key and refuses one more', async () => {
    assert.equal(open(young, (await context.encrypt(Buffer.alloc(214, 'x'), now)).ciphertext).length, 214);
    await assert.rejects(context.encrypt(Buffer.alloc(215, 'x'), now), refusal('plaintext-too-long'));
  });
});
