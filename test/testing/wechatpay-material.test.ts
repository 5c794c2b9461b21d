// Material is whole and consistent after every rotation, and spoiled in exactly one way by each spoiler.
import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import { generateKeyPair } from '../../src/testing/key-pair.ts';
import type { Files } from '../../src/testing/secret-volume.ts';
import { withExpiredCertificate, withHalfWrittenFile, withMismatchedPair } from '../../src/testing/spoiled-material.ts';
import {
  createWechatpayMaterial,
  rotateApiV3Key,
  rotateMerchant,
  rotatePlatform,
} from '../../src/testing/wechatpay-material.ts';

const now = new Date('2026-03-01T00:00:00Z');
const keyPairs = await Promise.all([1, 2, 3, 4].map(() => generateKeyPair(1024)));
const spare = await generateKeyPair(1024);
const material = await createWechatpayMaterial({ merchantId: '1900000001', now, publicKey: true, keyPairs });

const text = (files: Files, name: string): string => Buffer.from(files.get(name) ?? assert.fail(name)).toString();
const leafOf = (files: Files): X509Certificate => new X509Certificate(text(files, 'apiclient_cert.pem'));
const pairMatches = (files: Files): boolean =>
  leafOf(files).checkPrivateKey(createPrivateKey(text(files, 'apiclient_key.pem')));
const changedNames = (before: Files, after: Files): string[] =>
  [...new Set([...before.keys(), ...after.keys()])].filter(
    (name) => !before.has(name) || !after.has(name) || text(before, name) !== text(after, name),
  );

describe('the material of a merchant', () => {
  it('holds every file under the name that the merchant platform gives it', () => {
    const platform = material.platformKeys.flatMap(({ issued }) => issued ?? []);
    assert.equal(platform.length, 2);
    assert.deepEqual(
      [...material.files.keys()].sort(),
      [
        'apiclient_cert.pem',
        'apiclient_key.pem',
        'apiv3_key',
        'pub_key.pem',
        'pub_key_id',
        ...platform.map(({ serialNumber }) => `wechatpay_${serialNumber}.pem`),
      ].sort(),
    );
    assert.match(text(material.files, 'apiv3_key'), /^[0-9A-Za-z]{32}$/);
    assert.match(text(material.files, 'pub_key_id'), /^PUB_KEY_ID_\d+$/);
    assert.ok(createPublicKey(text(material.files, 'pub_key.pem')).equals(material.platformKeys[2]!.publicKey));
  });

  it('has a merchant certificate of the merchant id and platform certificates of Tenpay', () => {
    assert.ok(pairMatches(material.files));
    assert.equal(leafOf(material.files).toLegacyObject().subject.CN, '1900000001');
    for (const { keyId, issued } of material.platformKeys.slice(0, 2)) {
      const certificate = new X509Certificate(text(material.files, `wechatpay_${keyId}.pem`));
      assert.equal(certificate.serialNumber, keyId);
      assert.equal(certificate.toLegacyObject().subject.CN, 'Tenpay.com sign');
      assert.ok(certificate.checkPrivateKey(issued!.privateKey) && certificate.validToDate > new Date('2031-01-01'));
    }
  });

  it('uses the key pairs it is given, in order', () => {
    const used = [material.merchant, ...material.platformKeys].map(({ privateKey }) => privateKey);
    assert.deepEqual(
      used,
      keyPairs.map(({ privateKey }) => privateKey),
    );
  });
});

describe('a rotation', () => {
  it('of the merchant changes key and certificate together and nothing else', async () => {
    const rotated = await rotateMerchant(material, { now, keyPair: spare });
    assert.deepEqual(changedNames(material.files, rotated.files), ['apiclient_key.pem', 'apiclient_cert.pem']);
    assert.ok(pairMatches(rotated.files));
    assert.notEqual(rotated.merchant.serialNumber, material.merchant.serialNumber);
  });

  it('of the APIv3 key keeps the previous one beside it', () => {
    const rotated = rotateApiV3Key(material);
    assert.deepEqual(changedNames(material.files, rotated.files), ['apiv3_key', 'apiv3_key.previous']);
    assert.equal(text(rotated.files, 'apiv3_key.previous'), material.apiV3Key);
  });

  it('of the platform adds one certificate, drops the oldest and keeps the public key', async () => {
    const rotated = await rotatePlatform(material, { now, keyPair: spare });
    const [oldest, kept, publicKey] = material.platformKeys;
    assert.deepEqual(rotated.platformKeys.map(({ keyId }) => keyId).toSpliced(1, 1), [kept!.keyId, publicKey!.keyId]);
    assert.equal(rotated.platformKeys[1]!.privateKey, spare.privateKey);
    assert.ok(!rotated.files.has(`wechatpay_${oldest!.keyId}.pem`));
  });
});

describe('spoiled material', () => {
  it('has a key that does not match its certificate', async () => {
    const files = await withMismatchedPair(material, spare);
    assert.deepEqual(changedNames(material.files, files), ['apiclient_key.pem']);
    assert.equal(pairMatches(files), false);
  });

  it('has an expired certificate that still matches its key', async () => {
    const files = await withExpiredCertificate(material, { now });
    assert.deepEqual(changedNames(material.files, files), ['apiclient_cert.pem']);
    assert.ok(pairMatches(files) && leafOf(files).validToDate < now);
  });

  it('has one file of half its length', () => {
    const files = withHalfWrittenFile(material, 'apiclient_cert.pem');
    assert.deepEqual(changedNames(material.files, files), ['apiclient_cert.pem']);
    assert.throws(() => leafOf(files));
    assert.throws(() => withHalfWrittenFile(material, 'no-such-file'), RangeError);
  });
});
