// Certificates and their names in another's place: refused where the set cannot work, warned about and never preferred where it is odd.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { findAll } from '../../src/cli/inspect/inspect.ts';
import { buildProvider } from '../../src/running/build.ts';
import { before, describe, it, type TestContext } from 'node:test';
import { holderOf, isPlatformOfWechat } from '../../src/providers/shared/holder.ts';
import { readCertificates } from '../../src/crypto/containers.ts';
import { wechatpayV2 } from '../../src/providers/wechatpay-v2/provider.ts';
import { createAuthority, type Issued, type KeyPair, toPkcs8Pem, toSpkiPem } from '../../src/testing/index.ts';
import {
  appId,
  load as loadAlipay,
  makeMaterial as makeAlipay,
  problemsOf as alipayProblems,
} from '../support/alipay.ts';
import { filesOf, makeDirectory } from '../support/directories.ts';
import { keyPairs } from '../support/key-pairs.ts';
import { load, loadFit, makeMaterial, merchantId, now, problemsOf, refusal, warningsOf, withFiles } from '../support/wechatpay.ts'; // prettier-ignore

const vectors = process.env['PAYCERT_VECTORS'] ?? join(import.meta.dirname, '../../../shared/vectors');
const pairs = await keyPairs();
const material = await makeMaterial({ publicKey: true });
const { files, merchant, authority, platformKeys } = material;
const [first] = platformKeys.map(({ issued }) => issued!);
const alipay = await makeAlipay();
const text = (bytes: Uint8Array | undefined) => Buffer.from(bytes!).toString();
const until = { notBefore: new Date('2026-01-01'), notAfter: new Date('2040-01-01') };
const issue = (by: typeof authority, commonName: string, keyPair: KeyPair): Promise<Issued> =>
  by.issue({ commonName, keyPair, ...until });
const stranger = await createAuthority({ now, commonName: 'Shop CA', organization: 'Shop', keyPair: pairs[2]! });
/** Signed by its own key, without being an authority. */
const selfSigned = async (commonName: string, keyPair: KeyPair) => {
  const own = await createAuthority({ now, commonName, organization: 'x', keyPair });
  return (await own.issue({ commonName, organization: 'x', keyPair, ...until })).certificate;
};

describe('a platform certificate of WeChat Pay', () => {
  const name = 'wechatpay_x.pem';
  const odd: Record<string, string> = {};
  before(async () => {
    odd['Alipay’s certificate'] = alipay.alipayKeys[0]!.issued.certificate;
    odd['an application’s of Alipay'] = alipay.app.certificate;
    odd['an authority of Alipay'] = text(alipay.files.get('alipayRootCert.crt'));
    odd['an authority of WeChat Pay'] = authority.certificate;
    odd['another merchant’s'] = (await issue(authority, '1900009999', pairs[3]!)).certificate;
    odd['another merchant’s, of an unknown authority'] = (await issue(stranger, '1900009999', pairs[3]!)).certificate;
    odd['a web server’s'] = (await issue(stranger, 'shop.example', pairs[3]!)).certificate;
    odd['one of nobody'] = (await issue(stranger, 'Platform', pairs[3]!)).certificate;
  });

  it('is none of somebody else’s, whoever that is', async () => {
    for (const [what, certificate] of Object.entries(odd))
      assert.deepEqual(
        await problemsOf(withFiles(files, { [name]: certificate })),
        [`platform-certificate-unusable ${name}`],
        what,
      );
  });

  it('is named for what it is in the refusal', async () => {
    for (const [what, words] of [
      ['an application’s of Alipay', /is the certificate of the application 2021000000000001 at Alipay/],
      ['Alipay’s certificate', /is Alipay’s own certificate/],
      ['another merchant’s', /is the certificate of the merchant 1900009999/],
      ['a web server’s', /neither its name nor its issuer’s is one of Tenpay\.com/],
    ] as const) {
      const [problem] = (await load(withFiles(files, { [name]: odd[what] }))).problems;
      assert.match(problem?.message ?? '', words);
    }
  });

  it('is accepted as WeChat Pay has issued it, whatever its authority is called', async () => {
    for (const by of [stranger, await createAuthority({ now, commonName: 'Tenpay.com User CA', keyPair: pairs[2]! })]) {
      const { certificate } = await issue(by, 'Tenpay.com sign', pairs[3]!);
      assert.deepEqual(warningsOf(await loadFit(withFiles(files, { [name]: certificate }))), []);
    }
  });

  it('that is Tenpay’s under another name loads with a warning, and is named only where there is no other', async () => {
    const unusual = await authority.issue({ commonName: 'Tenpay.com next', keyPair: pairs[3]!, ...until });
    const both = await loadFit(withFiles(files, { [name]: unusual.certificate }));
    assert.deepEqual(warningsOf(both), [`material-unusual ${name}`]);
    const request = { method: 'GET', url: '/' };
    const named = async ({ authorize }: typeof both) =>
      (await authorize(request, { now, nonce: 'a' })).headers['Wechatpay-Serial'];
    assert.notEqual(await named(both), unusual.serialNumber);
    assert.notEqual((await both.encrypt(Buffer.from('x'), now)).keyId, unusual.serialNumber);
    const others = Object.fromEntries([...files.keys()].filter((key) => /^(?:wechatpay_|pub_)/.test(key)).map((key) => [key, undefined])); // prettier-ignore
    assert.equal(await named(await loadFit(withFiles(files, { ...others, [name]: unusual.certificate }))), unusual.serialNumber); // prettier-ignore
  });

  it('that is self-signed is refused, or warned about where it has WeChat Pay’s name', async () => {
    const shop = await selfSigned('shop.example', pairs[3]!);
    assert.deepEqual(await problemsOf(withFiles(files, { [name]: shop })), [`platform-certificate-unusable ${name}`]);
    const tenpay = await selfSigned('Tenpay.com root', pairs[3]!);
    assert.deepEqual(await problemsOf(withFiles(files, { [name]: tenpay })), [`platform-certificate-unusable ${name}`]);
    const sign = await selfSigned('Tenpay.com sign', pairs[3]!);
    assert.deepEqual(warningsOf(await loadFit(withFiles(files, { [name]: sign }))), [`material-unusual ${name}`]);
  });

  it('of every public sample is known as one', { skip: !hasVectors() && 'no vectors here' }, () => {
    for (const file of [
      'yansongda-pay/wechat_callback_plaintext_cert.pem',
      'wechatpay-java/decrypted_platform_cert_5DEA10EF.pem',
    ]) {
      const [certificate] = readCertificates(readFileSync(join(vectors, file)), file);
      assert.ok(isPlatformOfWechat(certificate));
    }
    for (const [file, holder] of [
      ['yansongda-pay/wechat_merchant_cert.pem', 'the certificate of the merchant 1600314068 of WeChat Pay'],
      ['alipay-sdk-nodejs/alipayCertPublicKey_RSA2.pem', 'Alipay’s own certificate'],
      ['gopay/alipayPublicCert.pem', 'Alipay’s own certificate'],
      ['gopay/appPublicCert.pem', 'the certificate of the application 2021000122672388 at Alipay'],
    ] as const) {
      const [certificate] = readCertificates(readFileSync(join(vectors, file)), file);
      assert.equal(holderOf(certificate), holder, file);
    }
  });
});

function hasVectors(): boolean {
  try {
    return readFileSync(join(vectors, 'README.md')).byteLength > 0;
  } catch {
    return false;
  }
}

describe('merchant_serial', () => {
  const keyOnly = { 'apiclient_cert.pem': undefined };

  it('is not that of a platform certificate, of a retired one or of an authority, whatever its form', async () => {
    const retired = await issue(authority, merchantId, pairs[3]!);
    const others = {
      'retired/old.pem': `${toPkcs8Pem(retired.privateKey)}${retired.certificate}`,
      'trust.pem': authority.certificate,
    };
    const [ca] = readCertificates(Buffer.from(authority.certificate), 'trust.pem');
    for (const serial of [
      first!.serialNumber,
      `0x00${first!.serialNumber.toLowerCase()}`,
      retired.serialNumber,
      ca.serialNumber,
    ])
      // prettier-ignore
      assert.deepEqual(await problemsOf(withFiles(files, { ...keyOnly, ...others, merchant_serial: serial })), [
        'merchant-serial-mismatch merchant_serial',
      ]);
  });

  it('is one’s own where the certificate of the key is among the retired ones', async () => {
    const same = `${toPkcs8Pem(merchant.privateKey)}${merchant.certificate}`;
    const changes = { ...keyOnly, 'retired/same.pem': same, merchant_serial: merchant.serialNumber };
    assert.deepEqual(await problemsOf(withFiles(files, changes)), []);
  });

  it('beside a certificate of another serial number is refused with that number', async () => {
    const { problems } = await load(withFiles(files, { merchant_serial: first!.serialNumber }));
    assert.equal(problems.length, 1);
    assert.match(problems[0]!.message, new RegExp(`is not the serial number of apiclient_cert\\.pem, ${merchant.serialNumber}; it is`)); // prettier-ignore
  });
});

describe('WeChat Pay’s public key', () => {
  it('has no id that is made of a serial number', async () => {
    for (const serial of [first!.serialNumber, merchant.serialNumber])
      assert.deepEqual(await problemsOf(withFiles(files, { pub_key_id: `PUB_KEY_ID_${serial}` })), [
        'public-key-id-malformed pub_key_id',
      ]);
    const changes = { 'apiclient_cert.pem': undefined, merchant_serial: '5A01', pub_key_id: 'PUB_KEY_ID_5A01' };
    assert.deepEqual(await problemsOf(withFiles(files, changes)), ['public-key-id-malformed pub_key_id']);
  });

  it('that is a platform certificate’s loads with a warning, and is never preferred to the certificate', async () => {
    const copied = withFiles(files, { 'pub_key.pem': toSpkiPem(first!.publicKey) });
    const context = await loadFit(copied, { responseKey: 'publicKey' });
    assert.deepEqual(warningsOf(context), ['material-unusual pub_key.pem']);
    assert.doesNotMatch((await context.encrypt(Buffer.from('x'), now)).keyId, /^PUB_KEY_ID_/);
  });
});

describe('the merchant certificate', () => {
  it('that is self-signed loads with a warning, for both versions of WeChat Pay', async () => {
    const authorityOfItself = (await createAuthority({ now, commonName: merchantId, keyPair: pairs[4]! })).certificate;
    for (const own of [await selfSigned(merchantId, pairs[4]!), authorityOfItself]) {
      const pair = { 'apiclient_key.pem': toPkcs8Pem(pairs[4]!.privateKey), 'apiclient_cert.pem': own };
      assert.deepEqual(warningsOf(await load(withFiles(files, pair))), ['material-unusual apiclient_cert.pem']);
      const v2 = await wechatpayV2({ merchantId }).load(filesOf({ ...pair, apiv2_key: 'k'.repeat(32) }));
      assert.deepEqual(warningsOf(v2.set), ['material-unusual apiclient_cert.pem']);
    }
    assert.deepEqual(warningsOf(await loadFit(files)), []);
  });
});

describe('authorize', () => {
  it('names no key of the merchant’s own as the platform’s, in the words of encrypt', async () => {
    const old = await issue(authority, merchantId, pairs[3]!);
    const retired = { 'retired/old.pem': `${toPkcs8Pem(old.privateKey)}${old.certificate}` };
    const { authorize, encrypt } = await loadFit(withFiles(files, retired));
    const [moment, request] = [
      { now, nonce: 'a' },
      { method: 'GET', url: '/' },
    ];
    for (const serial of [merchant.serialNumber, `0x0${merchant.serialNumber.toLowerCase()}`, old.serialNumber]) {
      await assert.rejects(() => encrypt(Buffer.from('x'), now, serial), refusal('key-unknown'));
      for (const given of [{ encryptionKeyId: serial }, { headers: { 'wechatpay-serial': serial } }])
        await assert.rejects(() => authorize({ ...request, ...given }, moment), {
          ...refusal('key-unknown'),
          message: 'no platform key has this id',
        });
    }
    const gone = await authorize({ ...request, encryptionKeyId: '5A99' }, moment);
    assert.equal(gone.headers['Wechatpay-Serial'], '5A99');
  });

  it('names none that merchant_serial says is the merchant’s', async () => {
    const keyOnly = withFiles(files, { 'apiclient_cert.pem': undefined, merchant_serial: merchant.serialNumber });
    const { authorize } = await loadFit(keyOnly);
    const request = { method: 'GET', url: '/', encryptionKeyId: merchant.serialNumber };
    await assert.rejects(() => authorize(request, { now, nonce: 'a' }), refusal('key-unknown'));
  });
});

describe('Alipay’s certificates', () => {
  const [ownName, rootName] = [`appCertPublicKey_${appId}.crt`, 'alipayRootCert.crt'];
  const alipayName = [...alipay.files.keys()].find((name) => name.startsWith('alipayCert'))!;
  const root = text(alipay.files.get(rootName));
  const leaf = alipay.alipayKeys[0]!.issued.certificate;
  const other = () => issue(alipay.authority, '2088000000000001-2021000000000002', pairs[3]!);
  const problems = (changes: Readonly<Record<string, string | undefined>>) =>
    alipayProblems(withFiles(alipay.files, changes));

  it('stand in the place of Alipay’s own only where they are Alipay’s own', async () => {
    for (const certificate of [
      root,
      (await other()).certificate,
      authority.certificate,
      first!.certificate,
      merchant.certificate,
    ])
      // prettier-ignore
      assert.deepEqual(await problems({ [alipayName]: certificate }), [`certificate-misplaced ${alipayName}`]);
    assert.deepEqual(await problems({ [alipayName]: alipay.app.certificate }), [
      `platform-key-is-merchant ${alipayName}`,
    ]);
  });

  it('are refused in an additional file as well, with whose they are', async () => {
    const extra = { 'alipayCertPublicKey_RSA2_x.crt': (await other()).certificate };
    const { problems: found } = await loadAlipay(withFiles(alipay.files, extra));
    assert.match(found[0]?.message ?? '', /_x\.crt is the certificate of the application 2021000000000002 at Alipay/);
    assert.deepEqual(await problems({ 'alipayCertPublicKey_RSA2_x.crt': root }), [
      'certificate-misplaced alipayCertPublicKey_RSA2_x.crt',
    ]);
  });

  it('are roots only where they are authorities of Alipay, signed by themselves', async () => {
    const ownRoot = await createAuthority({ now, commonName: 'own', organization: 'x', keyPair: alipay.app });
    for (const certificate of [
      leaf,
      alipay.app.certificate,
      (await other()).certificate,
      authority.certificate,
      first!.certificate,
      stranger.certificate,
      ownRoot.certificate,
      `${root}${leaf}`,
      `${root}${authority.certificate}`,
    ])
      assert.deepEqual(await problems({ [rootName]: certificate }), [`certificate-misplaced ${rootName}`]);
    assert.deepEqual(await problems({}), []);
  });

  it('stand in the place of the application’s only where they can be an application’s', async () => {
    for (const certificate of [leaf, root, first!.certificate, merchant.certificate]) {
      const found = await problems({ [ownName]: certificate });
      assert.ok(found.includes(`certificate-misplaced ${ownName}`), found.join());
    }
  });

  it('that nobody known has issued load with a warning in the place of Alipay’s own', async () => {
    for (const { certificate } of [
      await issue(stranger, 'shop.example', pairs[3]!),
      { certificate: await selfSigned('shop.example', pairs[3]!) },
    ])
      // prettier-ignore
      assert.deepEqual(warningsOf(await loadAlipay(withFiles(alipay.files, { [alipayName]: certificate }))), [
        `platform-certificate-untrusted ${alipayName}`,
      ]);
  });

  it('of every public sample stand in their own place', { skip: !hasVectors() && 'no vectors here' }, async () => {
    const sample = (file: string) => readFileSync(join(vectors, file), 'utf8');
    const misplacedIn = async (changes: Readonly<Record<string, string>>) =>
      (await problems(changes)).filter((problem) => problem.startsWith('certificate-misplaced'));
    for (const file of [
      'alipay-sdk-nodejs/alipayCertPublicKey_RSA2.pem',
      'gopay/alipayPublicCert.pem',
      'yansongda-pay/alipay_public_cert.pem',
    ])
      // prettier-ignore
      assert.deepEqual(await misplacedIn({ [alipayName]: sample(file) }), [], file);
    for (const file of [
      'alipay-sdk-nodejs/appCertPublicKey_2021001161683774.pem',
      'gopay/appPublicCert.pem',
      'alipay-sdk-java/appCertPublicKey_2021003126695331.pem',
    ])
      // prettier-ignore
      assert.deepEqual(await misplacedIn({ [ownName]: sample(file) }), [], file);
    for (const file of ['alipay-sdk-nodejs/alipayRootCert.pem', 'gopay/alipayRootCert.pem'])
      assert.deepEqual(await misplacedIn({ [rootName]: sample(file) }), [], file);
  });
});

describe('mode of Alipay', () => {
  it('key leaves the files of certificate mode unread, and says which mode reads them', async () => {
    const provider = buildProvider({ alipay: { appId, mode: 'key' } });
    const { set } = await provider.load(alipay.files);
    const unread = [...alipay.files.keys()].filter((name) => /Cert/.test(name)).sort();
    assert.deepEqual([set.problems, set.ignored], [[], unread]);
    const [warning] = set.warnings(now);
    assert.equal(warning?.code, 'material-unusual');
    assert.match(warning.message, /alipayRootCert\.crt.*mode: key.*say `mode: certificate`/);
    const key = { alipay_public_key: toSpkiPem(alipay.alipayKeys[0]!.publicKey) };
    const both = await provider.load(withFiles(alipay.files, key));
    assert.deepEqual([both.set.warnings(now), both.set.ignored], [[], unread]);
    const broken = await provider.load(withFiles(alipay.files, { [unread[0]!]: 'see the wiki', ...key }));
    assert.deepEqual(broken.set.problems, []);
  });

  it('certificate says the same of what key mode reads', async () => {
    const { files: keyed } = await makeAlipay({ mode: 'key' });
    const { set } = await buildProvider({ alipay: { appId, mode: 'certificate' } }).load(keyed);
    assert.deepEqual(set.ignored, ['alipay_public_key']);
    assert.match(
      set.problems[0]?.message ?? '',
      /appCertPublicKey\.crt is missing.*alipay_public_key is read in `mode: key` only/,
    );
  });
});

describe('inspect', () => {
  const codes = async (t: TestContext, set: ReadonlyMap<string, Uint8Array>) => {
    const root = await makeDirectory(t);
    for (const [name, bytes] of set) await writeFile(join(root, name), bytes);
    const findings = await findAll([root], { merchantId: undefined, now });
    return findings.flatMap(({ file, problem }) => (problem ? [`${problem.code} ${basename(file)}`] : []));
  };

  it('refuses what validate refuses, whoever else’s certificate is in the place', async (t) => {
    const application = await issue(alipay.authority, '2088000000000001-2021000000000002', pairs[3]!);
    const [leaf, root] = [alipay.alipayKeys[0]!.issued.certificate, text(alipay.files.get('alipayRootCert.crt'))];
    const alipayName = [...alipay.files.keys()].find((name) => name.startsWith('alipayCert'))!;
    for (const [name, certificate] of [
      ['alipayCertPublicKey_RSA2_x.crt', root],
      [alipayName, application.certificate],
      [alipayName, alipay.app.certificate],
      ['alipayRootCert.crt', leaf],
      ['alipayRootCert.crt', alipay.app.certificate],
      ['alipayRootCert.crt', authority.certificate],
      [`appCertPublicKey_${appId}.crt`, leaf],
    ] as const) {
      const changed = withFiles(alipay.files, { [name]: certificate });
      assert.deepEqual((await codes(t, changed)).sort(), (await alipayProblems(changed)).sort(), name);
    }
    const foreign = await issue(authority, '1900009999', pairs[3]!);
    for (const certificate of [foreign.certificate, leaf, application.certificate, root]) {
      const changed = withFiles(files, { 'wechatpay_x.pem': certificate });
      assert.deepEqual(await codes(t, changed), await problemsOf(changed));
    }
  });

  it('calls an authority by the name that its file has, and by no other', async (t) => {
    const root = await makeDirectory(t);
    for (const name of ['ca.crt', 'bank.ca.crt', 'trust.pem', 'some.pem'])
      await writeFile(join(root, name), authority.certificate);
    const findings = await findAll([root], { merchantId: undefined, now });
    assert.deepEqual(
      findings.filter(({ problem }) => problem === undefined).map(({ what }) => what),
      ['CA certificate (bank.ca.crt)', 'CA certificate (ca.crt)', 'CA certificate', 'CA certificate (trust.pem)'],
    );
  });
});
