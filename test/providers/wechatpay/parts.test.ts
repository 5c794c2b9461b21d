// Material is read by the names WeChat Pay gives its files, from whatever people made of their contents.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import forge from 'node-forge';
import { aesKey } from '../../../src/crypto/cipher.ts';
import { PaycertError } from '../../../src/errors.ts';
import { readParts } from '../../../src/providers/wechatpay/parts.ts';
import { generateKeyPair, rotateApiV3Key, toPkcs1Pem, toPkcs8Pem } from '../../../src/testing/index.ts';
import { makeMaterial, merchantId, withFiles } from '../../support/wechatpay.ts';

const material = rotateApiV3Key(await makeMaterial({ publicKey: true }));
const { files, merchant, authority } = material;
const [first, second] = material.platformKeys.map(({ issued }) => issued!);
const retiredPair = await generateKeyPair();
const retired = await authority.issue({ ...merchant, commonName: merchantId, keyPair: retiredPair });

type Changes = Parameters<typeof withFiles>[1];
const read = async (changes: Changes = {}) => {
  const { parts, problems } = await readParts(withFiles(files, changes), merchantId);
  return { parts, problems: problems.map(({ code, field = '-' }) => `${code} ${field}`) };
};

function makePkcs12(password = merchantId): Buffer {
  const key = forge.pki.privateKeyFromPem(toPkcs1Pem(merchant.privateKey));
  const certificate = forge.pki.certificateFromPem(merchant.certificate);
  const pfx = forge.pkcs12.toPkcs12Asn1(key, [certificate], password, { algorithm: '3des' });
  return Buffer.from(forge.asn1.toDer(pfx).getBytes(), 'latin1');
}
const p12 = makePkcs12();

describe('platform certificates by the dozen', () => {
  it('are refused by their number, in one file or in many: each would be compared with all of trust.pem', async () => {
    const pem = first!.certificate;
    const several = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`platform/${index}.pem`, pem]));
    const room = 64 - (await read()).parts.platformCertificates.length;
    assert.deepEqual((await read(several(room))).problems, []);
    assert.deepEqual((await read(several(room + 1))).problems, ['certificates-too-many platform/']);
    const one = { 'wechatpay_many.pem': Buffer.from(`${pem}\n`.repeat(room + 1)) };
    assert.deepEqual((await read(one)).problems, ['certificates-too-many platform/']);
  });
});

describe('the default names', () => {
  it('are found, and nothing else is missed', async () => {
    const { parts, problems } = await read({
      'trust.pem': authority.certificate,
      'retired/2025.pem': toPkcs8Pem(retiredPair.privateKey),
      'certificates.json': '{"data":[]}',
    });
    assert.deepEqual(problems, []);
    assert.ok(parts.privateKey?.publicKey.equals(merchant.publicKey));
    assert.equal(parts.certificate?.serialNumber, merchant.serialNumber);
    assert.ok(parts.apiV3Key?.equals(aesKey(Buffer.from(material.apiV3Key))));
    assert.ok(parts.previousApiV3Key?.equals(aesKey(Buffer.from(material.previousApiV3Key!))));
    assert.deepEqual(
      parts.platformCertificates.map(({ certificate }) => certificate.serialNumber).sort(),
      [first!.serialNumber, second!.serialNumber].sort(),
    );
    assert.ok(parts.publicKey?.equals(material.platformKeys[2]!.publicKey));
    assert.equal(parts.publicKeyId, material.platformKeys[2]!.keyId);
    assert.ok(parts.retired[0]?.privateKey.publicKey.equals(retiredPair.publicKey));
    assert.deepEqual([parts.trust.length, parts.certificatesResponse], [1, '{"data":[]}']);
  });

  it('include platform/*.pem, and a bundle of several platform certificates', async () => {
    const { parts } = await readParts(
      withFiles(new Map(), {
        'platform/a.pem': first!.certificate + second!.certificate,
        'wechatpay_.pem': first!.certificate,
      }),
      merchantId,
    );
    assert.deepEqual(
      parts.platformCertificates.map(({ name }) => name),
      ['platform/a.pem', 'platform/a.pem', 'wechatpay_.pem'],
    );
  });

  it('of other files are ignored, whatever they hold', async () => {
    const junk = Buffer.from([0xff, 0x00]);
    const { parts, problems } = await read({
      'README.md': junk,
      '..data': junk,
      'wechatpay_1.pem.bak': junk,
      'platform/deep/a.pem': junk,
      'retired/notes.txt': junk,
      'my_apiclient_key.pem': junk,
    });
    assert.deepEqual([problems, parts.platformCertificates.length, parts.retired.length], [[], 2, 0]);
  });

  it('that are absent are absent parts', async () => {
    const { parts, problems } = await readParts(new Map(), merchantId);
    assert.deepEqual(
      [parts, problems],
      [{ platformCertificates: [], announcedEnds: new Map(), retired: [], trust: [] }, []],
    );
  });
});

describe('an authority in a platform file', () => {
  it('behind the certificate it issued is not a platform certificate', async () => {
    const { parts } = await read({
      [`wechatpay_${first!.serialNumber}.pem`]: first!.certificate + authority.certificate,
    });
    assert.equal(parts.platformCertificates.length, 2);
  });
});

describe('apiclient_cert.p12', () => {
  const withoutPem = { 'apiclient_key.pem': undefined, 'apiclient_cert.pem': undefined };

  it('fills key and certificate, with the merchant id as its password', async () => {
    const { parts, problems } = await read({ ...withoutPem, 'apiclient_cert.p12': p12 });
    assert.deepEqual(problems, []);
    assert.ok(parts.privateKey?.publicKey.equals(merchant.publicKey));
    assert.equal(parts.certificate?.serialNumber, merchant.serialNumber);
  });

  it('fills only what the PEM files leave out', async () => {
    const other = toPkcs8Pem(retiredPair.privateKey);
    const { parts } = await read({ ...withoutPem, 'apiclient_key.pem': other, 'apiclient_cert.p12': p12 });
    assert.ok(parts.privateKey?.publicKey.equals(retiredPair.publicKey));
    assert.equal(parts.certificate?.serialNumber, merchant.serialNumber);
  });

  it('is not opened beside PEM files or key and serial number, however damaged', async () => {
    const damaged = { 'apiclient_cert.p12': 'damaged' };
    assert.deepEqual((await read(damaged)).problems, []);
    const serial = { ...damaged, 'apiclient_cert.pem': undefined, merchant_serial: merchant.serialNumber };
    assert.deepEqual((await read(serial)).problems, []);
  });

  it('opens with the password in apiclient_cert.p12.password, whose line end does not count', async () => {
    const content = { 'apiclient_cert.p12': makePkcs12('canary'), 'apiclient_cert.p12.password': 'canary\n' };
    assert.deepEqual((await read({ ...withoutPem, ...content })).problems, []);
  });

  it('with another password or damaged is the problem, in its own name', async () => {
    const wrong = { ...withoutPem, 'apiclient_cert.p12': p12, 'apiclient_cert.p12.password': 'wrong' };
    assert.deepEqual((await read(wrong)).problems, ['pkcs12-password apiclient_cert.p12']);
    const cut = { ...withoutPem, 'apiclient_cert.p12': p12.subarray(0, 1000) };
    assert.deepEqual((await read(cut)).problems, ['pkcs12-malformed apiclient_cert.p12']);
  });
});

describe('the APIv3 key', () => {
  it('loads with a line end, spaces or a byte order mark', async () => {
    const expected = aesKey(Buffer.from(material.apiV3Key));
    for (const text of [
      `${material.apiV3Key}\n`,
      `${material.apiV3Key}\r\n`,
      ` ${material.apiV3Key} `,
      `\ufeff${material.apiV3Key}`,
    ]) {
      assert.ok((await read({ apiv3_key: text })).parts.apiV3Key?.equals(expected));
    }
  });

  it('of any other length is apiv3-key-length, current or previous', async () => {
    for (const text of [
      '',
      '\n',
      material.apiV3Key.slice(1),
      `${material.apiV3Key}x`,
      Buffer.from(material.apiV3Key).toString('hex'),
    ]) {
      const { problems, parts } = await read({ apiv3_key: text, 'apiv3_key.previous': text });
      assert.deepEqual(problems, ['apiv3-key-length apiv3_key', 'apiv3-key-length apiv3_key.previous']);
      assert.equal(parts.apiV3Key, undefined);
    }
  });
});

describe('merchant_serial', () => {
  it('may be shown only as WeChat Pay issues it, and where no other part holds the same', async () => {
    const serial = '5157F09EFDC096DE15EBE81A47057A7232F1B8E1';
    const shown = async (files: Readonly<Record<string, string>>) => (await read(files)).parts.publicSerial;
    assert.equal(await shown({ merchant_serial: `${serial}\n` }), serial);
    assert.equal(await shown({ merchant_serial: `serial=${serial.toLowerCase()}` }), serial);
    // An APIv3 key of hexadecimal digits under the wrong name.
    for (const key of ['0123456789abcdef0123456789abcdef', 'cafe', serial.slice(2)])
      assert.equal(await shown({ merchant_serial: key }), undefined, key);
    assert.equal(await shown({ merchant_serial: serial, token: serial }), undefined);
  });

  it('loads in any form of hexadecimal, and is in wire form', async () => {
    for (const text of ['0abc12', '0ABC12\n', 'abc12', '0x0ABC12', '0a:bc:12', 'serial=0ABC12', '000ABC12']) {
      assert.equal((await read({ merchant_serial: text })).parts.merchantSerial, '0ABC12', text);
    }
  });

  it('that is empty, decimal, too long or a word is merchant-serial-malformed', async () => {
    const decimal = BigInt(`0x${merchant.serialNumber}`).toString();
    for (const text of ['', ' ', decimal, 'F'.repeat(41), 'serial', 'PUB_KEY_ID_1']) {
      assert.deepEqual(
        (await read({ merchant_serial: text })).problems,
        ['merchant-serial-malformed merchant_serial'],
        text,
      );
    }
  });
});

describe('pub_key_id', () => {
  it('is taken as it is, and is not a serial number', async () => {
    assert.equal((await read({ pub_key_id: 'PUB_KEY_ID_0119\n' })).parts.publicKeyId, 'PUB_KEY_ID_0119');
    for (const text of ['', '0119', 'pub_key_id_0119', 'PUB_KEY_ID_', 'PUB_KEY_ID_01 19', merchant.serialNumber]) {
      assert.deepEqual((await read({ pub_key_id: text })).problems, ['public-key-id-malformed pub_key_id'], text);
    }
  });
});

describe('a retired key', () => {
  it('loads alone, and with its certificate wherever that stands', async () => {
    const key = toPkcs8Pem(retiredPair.privateKey);
    for (const text of [
      key + retired.certificate,
      retired.certificate + key,
      key + authority.certificate + retired.certificate,
    ]) {
      const { parts, problems } = await read({ 'retired/a.pem': text });
      assert.deepEqual(problems, []);
      assert.ok(parts.retired[0]!.privateKey.publicKey.equals(retiredPair.publicKey));
      assert.equal(parts.retired[0]?.certificate?.serialNumber, retired.serialNumber);
    }
    assert.equal((await read({ 'retired/a.pem': key })).parts.retired[0]?.certificate, undefined);
  });

  it('beside the certificate of another key is key-mismatch', async () => {
    const text = toPkcs8Pem(retiredPair.privateKey) + merchant.certificate;
    assert.deepEqual((await read({ 'retired/a.pem': text })).problems, ['key-mismatch retired/a.pem']);
  });
});

describe('files of any content', () => {
  it('are read or become problems that name their file; nothing throws', async () => {
    const names = [
      'apiclient_key.pem',
      'apiclient_cert.p12',
      'merchant_serial',
      'apiv3_key',
      'wechatpay_1.pem',
      'pub_key.pem',
      'pub_key_id',
      'retired/1.pem',
      'trust.pem',
      'certificates.json',
    ];
    const content = fc.oneof(
      fc.uint8Array({ maxLength: 64 }),
      fc.constantFrom(...files.values()),
      fc.nat(1000).map((at) => p12.subarray(0, at)),
    );
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.constantFrom(...names), content), async (data) => {
        const { problems } = await readParts(new Map(Object.entries(data)), merchantId);
        for (const problem of problems) {
          assert.ok(problem instanceof PaycertError && problem.kind === 'material');
          assert.ok(problem.field !== undefined && problem.message.startsWith(problem.field));
        }
      }),
      { numRuns: 60 },
    );
  });
});
