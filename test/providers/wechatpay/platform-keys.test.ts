// Platform keys are found by id in any form, chosen by lifetime and configuration, and stop counting when they expire.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Issued } from '../../../src/testing/index.ts';
import type { PlatformKey } from '../../../src/providers/shared/facts.ts';
import { PlatformKeys } from '../../../src/providers/wechatpay/platform-keys.ts';
import { generateKeyPair } from '../../../src/testing/index.ts';
import { load, loadFit, makeMaterial, now, warningsOf, withFiles } from '../../support/wechatpay.ts';

const { publicKey } = await generateKeyPair();
const day = 86_400_000;
const days = (count: number): Date => new Date(now.getTime() + count * day);
const key = (keyId: string, notBefore: number, notAfter: number): PlatformKey => ({
  role: 'platform',
  keyId,
  algorithm: 'RSA-2048',
  fingerprint: keyId,
  notBefore: days(notBefore),
  notAfter: days(notAfter),
  publicKey,
  name: `wechatpay_${keyId}.pem`,
});
const pubKey: PlatformKey = {
  role: 'public-key',
  keyId: 'PUB_KEY_ID_0119ab',
  algorithm: 'RSA-2048',
  fingerprint: '',
  publicKey,
  name: 'pub_key.pem',
};

describe('a platform key is found', () => {
  const keys = new PlatformKeys([key('0ABC12', -1, 10), pubKey]);

  it('by its serial number in any form', () => {
    for (const id of ['0ABC12', 'ABC12', '0abc12', '000abc12', '0x0ABC12', '0a:bc:12']) {
      assert.equal(keys.find(id, now)?.keyId, '0ABC12', id);
    }
  });

  it('by any leading zeros and case of its serial number', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^0{0,3}[1-9A-F][0-9A-F]{0,36}$/), fc.nat(4), (serial, zeros) => {
        const one = new PlatformKeys([key(serial, -1, 10)]);
        assert.ok(one.find('0'.repeat(zeros) + serial.toLowerCase(), now));
      }),
    );
  });

  it('by a public key id only when it is exactly that', () => {
    assert.equal(keys.find('PUB_KEY_ID_0119ab', now), pubKey);
    const upper = new PlatformKeys([{ ...pubKey, keyId: 'PUB_KEY_ID_0119' }]);
    for (const id of [
      'pub_key_id_0119',
      '0xPUB_KEY_ID_0119',
      '00PUB_KEY_ID_0119',
      ' PUB_KEY_ID_0119',
      'PUB_KEY_ID_119',
      '0119',
    ]) {
      assert.equal(upper.find(id, now), undefined, id);
    }
  });

  it('until it expires, not at that instant', () => {
    assert.ok(keys.find('0ABC12', new Date(days(10).getTime() - 1)));
    assert.equal(keys.find('0ABC12', days(10)), undefined);
    assert.ok(keys.find('PUB_KEY_ID_0119ab', days(100_000)));
    assert.deepEqual(keys.alive(days(10)), [pubKey]);
  });
});

describe('the preferred platform key', () => {
  it('is the certificate that lives longest, whatever the order', () => {
    const [short, long] = [key('01', -2, 10), key('02', -3, 20)];
    for (const order of [
      [short, long],
      [long, short],
    ]) {
      assert.equal(new PlatformKeys(order).preferred(false, now), long);
    }
    assert.equal(new PlatformKeys([short, long]).preferred(false, days(15)), long);
    assert.equal(new PlatformKeys([short, long]).preferred(false, days(20)), undefined);
  });

  it('is not a certificate that has yet to begin, while another is valid', () => {
    const [valid, next] = [key('01', -2, 10), key('02', 1, 20)];
    const keys = new PlatformKeys([next, valid]);
    assert.equal(keys.preferred(false, now), valid);
    assert.equal(keys.preferred(false, days(1)), next);
    assert.equal(new PlatformKeys([next]).preferred(false, now), next);
    assert.equal(keys.find('02', now), next);
  });

  it('is the public key where that is preferred, and otherwise what there is', () => {
    const certificate = key('01', -2, 10);
    assert.equal(new PlatformKeys([certificate, pubKey]).preferred(true, now), pubKey);
    assert.equal(new PlatformKeys([certificate, pubKey]).preferred(false, now), certificate);
    assert.equal(new PlatformKeys([certificate]).preferred(true, now), certificate);
    assert.equal(new PlatformKeys([pubKey]).preferred(false, now), pubKey);
    assert.equal(new PlatformKeys([certificate, pubKey]).preferred(false, days(10)), pubKey);
    assert.equal(new PlatformKeys([]).preferred(false, now), undefined);
  });

  it('is the same at each time, whatever it was asked for before', () => {
    const all = [key('A1', -1, 3), key('A2', 1, 4), key('A3', 2, 2.5), pubKey, { ...key('A4', 3, 9), isUnusual: true }];
    const asked = new PlatformKeys(all);
    const times = fc.array(fc.tuple(fc.boolean(), fc.integer({ min: -4, max: 20 })), { minLength: 2 });
    fc.assert(
      fc.property(times, (questions) => {
        for (const [isPublic, half] of questions) {
          const at = days(half / 2);
          assert.equal(asked.preferred(isPublic, at), new PlatformKeys(all).preferred(isPublic, at));
          const before = new Date(at.getTime() - 1);
          assert.equal(asked.preferred(isPublic, before), new PlatformKeys(all).preferred(isPublic, before));
        }
      }),
    );
  });
});

describe('of two certificates with one serial number', () => {
  it('the one that lives longer counts', () => {
    const [short, long] = [key('0A', -1, 10), key('0a', -1, 20)];
    for (const order of [
      [short, long],
      [long, short],
    ])
      assert.deepEqual(new PlatformKeys(order).all, [long]);
  });
});

describe('warnings', async () => {
  const { files, platformKeys, authority } = await makeMaterial();
  const [old, young] = platformKeys.map(({ issued }) => issued!) as [Issued, Issued];
  const nameOf = ({ serialNumber }: Issued): string => `wechatpay_${serialNumber}.pem`;

  it('are none for sound material', async () => {
    const context = await load(withFiles(files, { 'trust.pem': authority.certificate }));
    assert.deepEqual(warningsOf(context), []);
  });

  it('name a certificate that has expired, from that instant on', async () => {
    const context = await loadFit(files);
    assert.deepEqual(warningsOf(context, new Date(old.notAfter.getTime() - 1)), []);
    assert.deepEqual(warningsOf(context, old.notAfter), [`platform-certificate-expired ${nameOf(old)}`]);
    assert.equal(context.capabilities(old.notAfter).has('verify'), true);
    assert.equal(context.capabilities(young.notAfter).has('verify'), false);
  });

  it('name a duplicate, which is merged', async () => {
    const context = await loadFit(withFiles(files, { 'platform/again.pem': old.certificate }));
    assert.deepEqual(warningsOf(context), [`platform-certificate-duplicate ${nameOf(old)}`]);
    assert.equal(context.keys.filter(({ role }) => role === 'platform').length, 2);
  });

  it('name what is outside the trust bundle, which is used all the same', async () => {
    const stranger = await makeMaterial({ platformCertificates: 0 });
    const context = await loadFit(withFiles(files, { 'trust.pem': stranger.authority.certificate }));
    assert.deepEqual(
      warningsOf(context).sort(),
      [old, young].map((issued) => `platform-certificate-untrusted ${nameOf(issued)}`).sort(),
    );
    assert.equal(context.capabilities(now).has('verify'), true);
  });
});
