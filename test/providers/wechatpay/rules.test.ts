// What material must be to be fit: each rule refuses its own mistake by name, and real merchants' material passes.
import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import { generateKeyPair, toPkcs8Pem, toSpkiPem } from '../../../src/testing/index.ts';
import { sm2Certificate, sm2PrivateKey, sm2PublicKey } from '../../support/sm2.ts';
import { load, makeMaterial, merchantId, problemsOf, withFiles } from '../../support/wechatpay.ts';

const material = await makeMaterial({ publicKey: true });
const { files, merchant, authority, platformKeys } = material;
const [platform] = platformKeys.map(({ issued }) => issued!);
const [other, small] = await Promise.all([generateKeyPair(), generateKeyPair(1024)]);
const platformName = `wechatpay_${platform!.serialNumber}.pem`;
const { privateKey: ecKey, publicKey: ecPublic } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ecPem = ecKey.export({ type: 'pkcs8', format: 'pem' }).toString();

const problems = (changes: Parameters<typeof withFiles>[1], id = merchantId) =>
  problemsOf(withFiles(files, changes), { merchantId: id });

const bare = Object.fromEntries([...files.keys()].map((name) => [name, undefined]));
const keyAndSerial = { 'apiclient_key.pem': files.get('apiclient_key.pem'), merchant_serial: merchant.serialNumber };

describe('what real merchants have is fit', () => {
  it('everything at once', async () => assert.deepEqual(await problems({}), []));

  it('key and serial number without a certificate, nothing else', async () => {
    assert.deepEqual(await problems({ ...bare, ...keyAndSerial }), []);
  });

  it('public-key mode without any platform certificate', async () => {
    const publicKey = { 'pub_key.pem': files.get('pub_key.pem'), pub_key_id: files.get('pub_key_id') };
    assert.deepEqual(await problems({ ...bare, ...keyAndSerial, ...publicKey }), []);
  });

  it('a serial number beside the certificate, in any form', async () => {
    assert.deepEqual(await problems({ merchant_serial: `0x00${merchant.serialNumber.toLowerCase()}` }), []);
  });
});

describe('what is missing is named', () => {
  it('the private key, the certificate and serial number', async () => {
    assert.deepEqual(await problems(bare), [
      'material-missing apiclient_key.pem',
      'material-missing apiclient_cert.pem',
    ]);
  });

  it('a public key without its id, and an id without its key', async () => {
    assert.deepEqual(await problems({ pub_key_id: undefined }), ['material-missing pub_key_id']);
    assert.deepEqual(await problems({ 'pub_key.pem': undefined }), ['material-missing pub_key.pem']);
  });

  it('and what is there but cannot be read is not called missing', async () => {
    assert.deepEqual(await problems({ 'apiclient_key.pem': '' }), ['part-empty apiclient_key.pem']);
    assert.deepEqual(await problems({ 'pub_key.pem': '' }), ['part-empty pub_key.pem']);
    assert.deepEqual(await problems({ pub_key_id: '' }), ['public-key-id-malformed pub_key_id']);
    assert.deepEqual(await problems({ 'apiclient_cert.pem': undefined, merchant_serial: 'hello' }), [
      'merchant-serial-malformed merchant_serial',
    ]);
  });

  it('is not what a secret part holds, which would be shown as an id', async () => {
    const same = `PUB_KEY_ID_${'0'.repeat(21)}`;
    for (const name of ['apiv3_key', 'apiv3_key.previous'])
      assert.deepEqual(await problems({ pub_key_id: same, [name]: same }), ['public-key-id-malformed pub_key_id']);
  });
});

describe('an algorithm other than RSA is refused', () => {
  const rsaOnly = (name: string) => `algorithm-unsupported ${name}`;

  it('as a merchant key, SM2 or elliptic curve', async () => {
    for (const key of [sm2PrivateKey, ecPem]) {
      const found = await problems({ 'apiclient_key.pem': key });
      assert.deepEqual(found, [rsaOnly('apiclient_key.pem'), 'key-mismatch apiclient_key.pem']);
    }
  });

  it('as a whole SM2 merchant, key and certificate', async () => {
    const found = await problems({ 'apiclient_key.pem': sm2PrivateKey, 'apiclient_cert.pem': sm2Certificate });
    assert.deepEqual(found, [rsaOnly('apiclient_key.pem')]);
  });

  it('as a platform certificate or public key, and as a retired key', async () => {
    assert.deepEqual(await problems({ [platformName]: sm2Certificate }, '1'), [
      rsaOnly(platformName),
      'merchant-mismatch apiclient_cert.pem',
      `platform-certificate-unusable ${platformName}`,
    ]);
    for (const key of [sm2PublicKey, toSpkiPem(ecPublic)]) {
      assert.deepEqual(await problems({ 'pub_key.pem': key }), [rsaOnly('pub_key.pem')]);
    }
    assert.deepEqual(await problems({ 'retired/a.pem': ecPem }), [rsaOnly('retired/a.pem')]);
  });

  it('beside a trust bundle of SM2 nothing throws', async () => {
    const context = await load(withFiles(files, { 'trust.pem': sm2Certificate }));
    assert.equal(context.problems.length, 0);
    assert.ok(context.warnings(merchant.notBefore).some(({ code }) => code === 'platform-certificate-untrusted'));
  });

  it('in a message that does not show the key', async () => {
    const { problems: found } = await load(withFiles(files, { 'apiclient_key.pem': sm2PrivateKey }));
    assert.equal(found[0]?.message, 'apiclient_key.pem holds a key of type unknown, not RSA');
  });
});

describe('the size of an RSA key', () => {
  it('is at least 2048 bits, in every role', async () => {
    const certificate = await authority.issue({ ...platform!, commonName: 'Tenpay.com sign', keyPair: small });
    const pem = toPkcs8Pem(small.privateKey);
    assert.deepEqual(await problems({ [platformName]: certificate.certificate }), [`key-too-small ${platformName}`]);
    assert.deepEqual(await problems({ 'pub_key.pem': toSpkiPem(small.publicKey) }), ['key-too-small pub_key.pem']);
    assert.deepEqual(await problems({ 'retired/a.pem': pem }), ['key-too-small retired/a.pem']);
    assert.deepEqual(await problems({ ...bare, merchant_serial: '5A', 'apiclient_key.pem': pem }), [
      'key-too-small apiclient_key.pem',
    ]);
  });

  it('is at most 8192 bits', async () => {
    // No such private key is needed to say so: a public key is its modulus.
    assert.deepEqual(await problems({ 'pub_key.pem': makeRsaPublicKey(8192) }), []);
    assert.deepEqual(await problems({ 'pub_key.pem': makeRsaPublicKey(8200) }), ['key-too-large pub_key.pem']);
  });
});

describe('the merchant certificate', () => {
  it('belongs to the key', async () => {
    const key = toPkcs8Pem(other.privateKey);
    assert.deepEqual(await problems({ 'apiclient_key.pem': key }), ['key-mismatch apiclient_key.pem']);
  });

  it('names the merchant as its common name, exactly', async () => {
    assert.deepEqual(await problems({}, '190000000'), ['merchant-mismatch apiclient_cert.pem']);
  });

  it('has the serial number given beside it', async () => {
    assert.deepEqual(await problems({ merchant_serial: '5A' }), ['merchant-serial-mismatch merchant_serial']);
  });
});

describe('a platform key', () => {
  const own = ['platform-key-is-merchant'];

  it('is not the merchant certificate', async () => {
    assert.deepEqual(await problems({ [platformName]: merchant.certificate }), [`${own[0]} ${platformName}`]);
  });

  it('is not an older certificate of the merchant, with another key', async () => {
    const older = await authority.issue({ ...merchant, commonName: merchantId, keyPair: other });
    assert.deepEqual(await problems({ [platformName]: older.certificate }), [`${own[0]} ${platformName}`]);
  });

  it('is not a key that the merchant has retired', async () => {
    const retired = { 'retired/old.pem': toPkcs8Pem(other.privateKey) };
    const renamed = await authority.issue({ ...merchant, commonName: 'Tenpay.com sign', keyPair: other });
    assert.deepEqual(await problems({ ...retired, [platformName]: renamed.certificate }), [
      `${own[0]} ${platformName}`,
    ]);
    assert.deepEqual(await problems({ ...retired, 'pub_key.pem': toSpkiPem(other.publicKey) }), [
      `${own[0]} pub_key.pem`,
    ]);
  });

  it('is not the merchant’s key under another name', async () => {
    const renamed = await authority.issue({ ...merchant, commonName: 'Tenpay.com sign', keyPair: merchant });
    assert.deepEqual(await problems({ [platformName]: renamed.certificate }), [`${own[0]} ${platformName}`]);
    assert.deepEqual(await problems({ 'pub_key.pem': toSpkiPem(merchant.publicKey) }), [`${own[0]} pub_key.pem`]);
  });

  it('is the only one of its serial number, in any form', async () => {
    const same = await authority.issue({ ...platform!, commonName: 'Tenpay.com sign', keyPair: other });
    assert.deepEqual(await problems({ 'wechatpay_zz.pem': same.certificate }), ['serial-conflict wechatpay_zz.pem']);
  });
});

describe('material with several mistakes', () => {
  it('is refused with all of them, and can do nothing', async () => {
    const context = await load(
      withFiles(files, { 'apiclient_key.pem': '', apiv3_key: 'short', pub_key_id: undefined }),
    );
    assert.deepEqual(
      context.problems.map(({ code }) => code),
      ['part-empty', 'apiv3-key-length', 'material-missing'],
    );
    assert.deepEqual(
      [context.keys, context.sign, context.verify, context.capabilities(merchant.notBefore).size],
      [[], undefined, undefined, 0],
    );
  });
});

/** SPKI of an odd modulus of that many bits. */
function makeRsaPublicKey(bits: number): string {
  const n = Buffer.alloc(bits / 8, 0xff).toString('base64url');
  return toSpkiPem(createPublicKey({ key: { kty: 'RSA', n, e: 'AQAB' }, format: 'jwk' }));
}
