// From files to operations: what a first start can do, which facts are shown, and when an APIv3 key counts as proven.
import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { describe, it } from 'node:test';
import { checkValue, formerCheckValue } from '../../../src/crypto/check-value.ts';
import { aesKey } from '../../../src/crypto/cipher.ts';
import { wechatpay } from '../../../src/providers/wechatpay/provider.ts';
import { encryptResource, rotateApiV3Key, startWechatpayGateway, toPkcs8Pem } from '../../../src/testing/index.ts';
import { flatten } from '../../support/flatten.ts';
import {
  load,
  loadFit,
  makeMaterial,
  merchantId,
  now,
  refusal,
  warningsOf,
  withFiles,
} from '../../support/wechatpay.ts';

const material = await makeMaterial({ publicKey: true, platformCertificates: 1 });
const { files, merchant, apiV3Key, platformKeys } = material;
const [platform, publicKey] = platformKeys;
const moment = { now, nonce: 'nonce' };

describe('a first start with neither platform certificate nor public key', async () => {
  const context = await loadFit(
    withFiles(new Map(), {
      'apiclient_key.pem': files.get('apiclient_key.pem'),
      merchant_serial: merchant.serialNumber,
    }),
  );

  it('signs and authorizes', async () => {
    assert.equal((await context.sign(Buffer.from('x'))).keyId, merchant.serialNumber);
    const { headers } = await context.authorize({ method: 'GET', url: '/v3/certificates' }, moment);
    assert.ok(headers['Authorization']);
    assert.deepEqual([...context.capabilities(now)], ['sign']);
  });

  it('refuses to verify and encrypt with no-platform-key, to decrypt with no-apiv3-key', async () => {
    const received = { kind: 'message', message: Buffer.from('x'), signature: 'AAAA', keyId: '5A' } as const;
    await assert.rejects(context.verify(received, now), refusal('no-platform-key'));
    await assert.rejects(context.encrypt(Buffer.from('x'), now), refusal('no-platform-key'));
    const sealed = { algorithm: 'AEAD_AES_256_GCM', ciphertext: 'AAAA', nonce: '', associatedData: '' };
    await assert.rejects(context.decrypt(sealed), refusal('no-apiv3-key'));
    assert.equal(context.isProven, undefined);
  });
});

describe('the facts of a context', () => {
  it('name every key by role, id, algorithm and validity', async () => {
    const { keys } = await loadFit(rotateApiV3Key(material).files);
    assert.deepEqual(
      keys.map(({ role }) => role),
      ['merchant', 'platform', 'public-key', 'apiv3', 'apiv3-previous'],
    );
    const [own, theirs, pub, current] = keys;
    assert.deepEqual(
      [own?.keyId, own?.notAfter, own?.algorithm],
      [merchant.serialNumber, merchant.notAfter, 'RSA-2048'],
    );
    assert.deepEqual([theirs?.keyId, theirs?.notAfter], [platform!.keyId, platform!.issued!.notAfter]);
    assert.deepEqual([pub?.keyId, pub?.notAfter], [publicKey!.keyId, undefined]);
    assert.match(current?.fingerprint ?? '', /^[0-9a-f]{8}$/);
  });

  it('hold no key and no secret, however they are printed', async () => {
    const { keys } = await loadFit(files);
    const printed = inspect(keys, { depth: null }) + JSON.stringify(keys);
    assert.ok(!printed.includes(apiV3Key) && !printed.includes('KeyObject') && !printed.includes('publicKey'));
  });

  it('are equal for equal material', async () => {
    assert.deepEqual((await load(files)).keys, (await load(files)).keys);
  });

  it('say that an expired merchant certificate cannot sign, which does not stop it', async () => {
    const context = await loadFit(files);
    assert.equal(context.capabilities(new Date(merchant.notAfter.getTime() - 1)).has('sign'), true);
    assert.equal(context.capabilities(merchant.notAfter).has('sign'), false);
    assert.ok(await context.sign(Buffer.from('x')));
  });
});

describe('an APIv3 key', () => {
  const answer = (key: string) =>
    JSON.stringify({
      data: [
        {
          serial_no: '5A',
          encrypt_certificate: encryptResource('PEM', { apiV3Key: key, associatedData: 'certificate' }),
        },
      ],
    });
  const sealed = (key: string) => {
    const { associated_data: associatedData, ...resource } = encryptResource('text', { apiV3Key: key });
    return { ...resource, associatedData };
  };

  it('is unproven without anything that proves it, and nobody is warned', async () => {
    const context = await loadFit(files);
    assert.deepEqual([context.isProven?.(), warningsOf(context)], [false, []]);
  });

  it('is proven by a saved list of certificates that it opens', async () => {
    const context = await loadFit(withFiles(files, { 'certificates.json': answer(apiV3Key) }));
    assert.deepEqual([context.isProven?.(), warningsOf(context)], [true, []]);
  });

  it('is proven by the list as a gateway answers it', async () => {
    await using gateway = await startWechatpayGateway({ now: () => now });
    gateway.admit(material);
    const url = `${gateway.url}/v3/certificates`;
    const { headers } = await (await loadFit(files)).authorize({ method: 'GET', url }, moment);
    const saved = await (await fetch(url, { headers })).text();
    const context = await loadFit(withFiles(files, { 'certificates.json': saved }));
    assert.equal(context.isProven?.(), true);
  });

  it('that does not open the saved list is a warning, not a refusal', async () => {
    const context = await loadFit(withFiles(files, { 'certificates.json': answer('x'.repeat(32)) }));
    assert.deepEqual([context.isProven?.(), warningsOf(context)], [false, ['apiv3-key-unproven apiv3_key']]);
  });

  it('is neither proven nor doubted by a saved answer that holds no certificate', async () => {
    for (const text of ['{"data":[]}', 'cut off', '[]']) {
      const context = await loadFit(withFiles(files, { 'certificates.json': text }));
      assert.deepEqual([context.isProven?.(), warningsOf(context)], [false, []], text);
    }
  });

  it('is proven by the first successful decryption, which ends the warning', async () => {
    const context = await loadFit(withFiles(files, { 'certificates.json': answer('x'.repeat(32)) }));
    await assert.rejects(context.decrypt(sealed('y'.repeat(32))), refusal('decryption-failed'));
    assert.deepEqual([context.isProven?.(), warningsOf(context)], [false, ['apiv3-key-unproven apiv3_key']]);
    await context.decrypt(sealed(apiV3Key));
    assert.deepEqual([context.isProven?.(), warningsOf(context)], [true, []]);
  });

  it('stays proven over later loads of one provider, and for no other provider', async () => {
    const provider = wechatpay({ merchantId });
    const first = flatten(await provider.load(files));
    assert.equal((await first.decrypt?.(sealed(apiV3Key)))?.role, 'apiv3');
    assert.equal((await provider.load(files)).set.isProven?.(), true);
    assert.equal((await wechatpay({ merchantId }).load(files)).set.isProven?.(), false);
  });

  it('is not proven by what the previous key opens', async () => {
    const rotated = rotateApiV3Key(material);
    const context = await loadFit(rotated.files);
    assert.equal((await context.decrypt(sealed(apiV3Key))).role, 'apiv3-previous');
    assert.equal(context.isProven?.(), false);
  });
});

describe('a provider', () => {
  it('is identified by its merchant, and sends a user agent of its own where the caller gives none', async () => {
    assert.deepEqual(
      [wechatpay({ merchantId }).id, wechatpay({ merchantId }).identity],
      ['wechatpay', `wechatpay/${merchantId}`],
    );
    const { authorize } = await loadFit(files);
    const agentOf = async (headers: Record<string, string>) =>
      Object.entries((await authorize({ method: 'GET', url: '/', headers }, moment)).headers)
        .filter(([name]) => name.toLowerCase() === 'user-agent')
        .map(([, value]) => value);
    assert.deepEqual([await agentOf({}), await agentOf({ 'user-agent': 'shop/2' })], [['paycert'], ['shop/2']]);
  });

  it('refuses in messages that hold no value of the material', async () => {
    const canary = 'canary0123456789';
    const changed = withFiles(files, {
      'apiclient_key.pem': `-----BEGIN ${canary}-----\n${canary}\n-----END ${canary}-----`,
      'apiclient_cert.pem': toPkcs8Pem(merchant.privateKey),
      merchant_serial: canary,
      apiv3_key: canary,
      pub_key_id: canary,
      'pub_key.pem': canary,
      'wechatpay_1.pem': canary,
      'trust.pem': canary,
    });
    const { problems } = await load(changed);
    assert.equal(problems.length, 8);
    const key = aesKey(Buffer.from(apiV3Key));
    const checkValues = [await checkValue(key), formerCheckValue(key)];
    for (const problem of problems) {
      assert.ok(!inspect(problem, { depth: null }).includes(canary), problem.message);
      assert.ok(!checkValues.some((value) => problem.message.includes(value)));
    }
  });
});
