// Keys that stay in Aliyun KMS: each request is signed as ACS3 has it, and what comes back is what a key in the process signs.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { inspect } from 'node:util';
import { constants, sign } from 'node:crypto';
import type { KeyServicesConfig } from '../../src/config/schema/key-services.ts';
import { sealOaep } from '../../src/crypto/cipher.ts';
import { rsaPss } from '../../src/crypto/suites.ts';
import { PaycertError } from '../../src/errors.ts';
import { acs3Of } from '../../src/running/aliyun-kms.ts';
import { AliyunKmsDouble } from '../support/aliyun-kms.ts';
import { makeDirectory } from '../support/directories.ts';
import { makeMaterial, merchantId } from '../support/key-pairs.ts';
import { issue, makeAuthority, pem } from '../support/mtls.ts';
import { remoteCredential } from '../support/remote-credential.ts';
import { signUnderRotations } from '../support/rotation-load.ts';
import { withFiles } from '../support/wechatpay.ts';

const materials = await Promise.all([0, 1].map((rotation) => makeMaterial(new Date(), rotation)));
const [one, two] = materials.map(({ merchant }) => merchant);
assert.ok(one && two);
const versions = ['key-1/version-1', 'key-1/version-2'] as const;
const keys = new Map([
  [versions[0], one.privateKey],
  [versions[1], two.privateKey],
  ['key-2/version-1', one.privateKey],
]);

type Aliyun = NonNullable<KeyServicesConfig['aliyunkms']>;

async function start(t: TestContext, more: Partial<Aliyun> = {}) {
  const double = await AliyunKmsDouble.start(t, keys);
  const directory = await makeDirectory(t);
  const [idFile, secretFile] = [join(directory, 'id'), join(directory, 'secret')];
  await writeFile(idFile, 'LTAIexample1\n');
  await writeFile(secretFile, 'secretOfExample1\n');
  const auth = { accessKey: { idFile, secretFile } };
  const aliyunkms = { region: 'cn-hangzhou', address: double.url, auth, ...more };
  const credential = await remoteCredential(t, { wechatpay: { merchantId } }, { aliyunkms });
  return { double, idFile, ...credential };
}

const referring = (key: string, which = 0) =>
  withFiles(materials[which]!.files, { 'apiclient_key.pem': `aliyunkms://${key}`, 'pub_key.pem': undefined, 'pub_key_id': undefined }); // prettier-ignore
const isOf = ({ signature }: { readonly signature: Uint8Array }, text: string, { privateKey }: typeof one) =>
  sign('sha256', Buffer.from(text), privateKey).equals(signature);
const codeIs = (code: string) => (error: unknown) => error instanceof PaycertError && error.code === code;

describe('a request to Aliyun KMS', () => {
  const file = join(process.env['PAYCERT_VECTORS'] ?? '', 'aliyun-docs/vectors.json');

  it(
    'is signed as the worked example of Aliyun has it',
    { skip: !existsSync(file) && 'PAYCERT_VECTORS names no folder with aliyun-docs' },
    async () => {
      const { vectors } = JSON.parse(readFileSync(file, 'utf8')) as { vectors: readonly Vector[] };
      const { inputs, expected } = vectors.find(({ kind }) => kind === 'acs3-hmac-sha256')!;
      const { headers } = inputs;
      const clock = { now: () => new Date(headers['x-acs-date']!), sleep: async () => undefined };
      const acs3 = acs3Of({ clock }, () => headers['x-acs-signature-nonce']!);
      const signed = await acs3(
        {
          url: `https://${headers['host']!}/?${new URLSearchParams(inputs.query).toString()}`,
          action: headers['x-acs-action']!,
          headers: { 'x-acs-version': headers['x-acs-version']! },
        },
        { id: inputs.access_key_id, secret: inputs.access_key_secret },
      );
      assert.equal(signed.headers['Authorization'], expected.authorization);
    },
  );
});

interface Vector {
  readonly kind: string;
  readonly inputs: {
    readonly headers: Readonly<Record<string, string>>;
    readonly query: Readonly<Record<string, string>>;
    readonly access_key_id: string;
    readonly access_key_secret: string;
  };
  readonly expected: { readonly authorization: string };
}

describe('a key that stays in Aliyun KMS', () => {
  it('signs PKCS#1 v1.5 to the byte as the key in the process does, for a digest alone', async (t) => {
    const { double, ...credential } = await start(t);
    assert.equal(await credential.load(referring(versions[0])), undefined);
    for (const text of ['', 'GET\n/v3/certificates\n1554208460\nnonce\n\n', '名'.repeat(10_000)])
      assert.ok(isOf(await credential.sign(text), text, one));
    assert.deepEqual(
      double.asked.map(({ Action, KeyId, KeyVersionId, Digest = '' }) => [Action, KeyId, KeyVersionId, Buffer.from(Digest, 'base64').length]), // prettier-ignore
      [
        ['GetPublicKey', 'key-1', 'version-1', 0],
        ['DescribeKey', 'key-1', undefined, 0],
        ...Array.from({ length: 4 }, () => ['AsymmetricSign', 'key-1', 'version-1', 32]),
      ],
    );
  });

  it('is asked for PSS by its name, and trusted where Aliyun’s own command verifies: with a salt of 32 bytes', async (t) => {
    const { double, keyServices } = await start(t);
    const found = await keyServices.resolve(referring(versions[0]), t.signal);
    const key = found.get('apiclient_key.pem');
    assert.ok(key !== undefined && !(key instanceof PaycertError));
    const text = Buffer.from('this is message\n');
    const directory = await makeDirectory(t);
    const [publicKey, signature, message] = ['rsa_publickey.pub', 'rsa_pss_signature.bin', 'message-file.txt'];
    await writeFile(join(directory, publicKey), one.publicKey.export({ type: 'spki', format: 'pem' }));
    await writeFile(join(directory, message), text);
    /** As https://help.aliyun.com/document_detail/148146.html has somebody verify what KMS signed. */
    const command = ['dgst', '-verify', publicKey, '-sha256', '-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:-1', '-signature', signature, message]; // prettier-ignore
    for (const [saltLength, isGood] of [
      [32, true],
      [0, false],
      [20, false],
      [222, false],
    ] as const) {
      const padding = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength };
      const bytes: Buffer = sign('sha256', text, { key: one.privateKey, ...padding });
      double.instead = (action, { KeyId, KeyVersionId, Algorithm }) => {
        assert.deepEqual([action, Algorithm], ['AsymmetricSign', 'RSA_PSS_SHA_256']);
        return { status: 200, content: { KeyId, KeyVersionId, Value: bytes.toString('base64') } };
      };
      await writeFile(join(directory, signature), bytes);
      assert.equal(spawnSync('openssl', command, { cwd: directory }).status === 0, isGood);
      if (isGood) assert.deepEqual(Buffer.from(await key.sign(rsaPss, text)), bytes);
      else await assert.rejects(key.sign(rsaPss, text), codeIs('key-service-wrong'));
    }
  });

  it('is a version of a key: the next one signs when the material says so, and under load none fails', async (t) => {
    const credential = await start(t);
    const sets = versions.map((version, index) => referring(version, index));
    const known = new Map(materials.map(({ merchant }) => [merchant.serialNumber, merchant.publicKey]));
    assert.equal(await credential.load(sets[0]!), undefined);
    const rotate = async (swap: number) => assert.equal(await credential.load(sets[swap % 2]!), undefined);
    await signUnderRotations(t, { callers: 8, swaps: 10, sign: credential.sign, keys: known, rotate });
    assert.deepEqual(
      credential.recorder.of('remote-signed').filter(({ outcome }) => outcome !== 'ok'),
      [],
    );
  });

  it('that is not there, not the one of the certificate, or one of SM2 is rejected with the reason', async (t) => {
    const { double, ...credential } = await start(t);
    const missing = await credential.load(referring('key-1/version-9'));
    assert.deepEqual([missing?.code, /no such key or version/.test(missing?.message ?? '')], ['key-missing', true]);
    assert.doesNotMatch(missing?.message ?? '', /SECRET/);
    assert.equal((await credential.load(referring(versions[1])))?.code, 'key-mismatch');
    const point = `3059301306072a8648ce3d020106082a811ccf5501822d034200${'04'.padEnd(130, '1')}`;
    const PublicKey = `-----BEGIN PUBLIC KEY-----\n${Buffer.from(point, 'hex').toString('base64')}\n-----END PUBLIC KEY-----\n`;
    double.instead = () => ({ status: 200, content: { PublicKey } });
    const sm2 = await credential.load(referring(versions[0]));
    assert.deepEqual([sm2?.code, /signs with SM2DSA/.test(sm2?.message ?? '')], ['key-missing', true]);
  });

  it('of another version than was asked for signs nothing', async (t) => {
    const { double, ...credential } = await start(t);
    await credential.load(referring(versions[0]));
    const Value = sign('sha256', Buffer.from('x'), one.privateKey).toString('base64');
    double.instead = () => ({ status: 200, content: { KeyVersionId: 'version-2', Value } });
    await assert.rejects(credential.sign('x'), codeIs('key-service-wrong'));
  });

  it('whose account is limited signs slower, and fails at its deadline as that', async (t) => {
    const { double, ...credential } = await start(t, { deadline: '4s' });
    await credential.load(referring(versions[0]));
    let left = 2;
    const limited = { status: 400, content: { Code: 'Throttling.User' } };
    double.instead = () => (left-- > 0 ? limited : undefined);
    assert.ok(isOf(await credential.sign('x'), 'x', one));
    assert.equal(credential.recorder.of('key-service-throttled').length, 2);
    double.instead = () => limited;
    await assert.rejects(credential.sign('x'), codeIs('key-service-throttled'));
    assert.deepEqual(credential.recorder.of('key-service-changed'), []);
  });
});

describe('fields of WeChat Pay with Aliyun KMS', () => {
  const sealed = (text: string, { publicKey } = one) => sealOaep(publicKey, Buffer.from(text)).toString('base64');
  const both = withFiles(referring(versions[0]), { 'retired/fields.pem': 'aliyunkms://key-2/version-1' });

  it('open with a key that decrypts, beside the one that signs', async (t) => {
    const { double, ...credential } = await start(t);
    double.decrypting.add('key-2');
    assert.equal(await credential.load(both), undefined);
    for (const text of ['张三', '', 'x'.repeat(200)])
      assert.equal(Buffer.from((await credential.decrypt(sealed(text))).plaintext).toString(), text);
    assert.ok(isOf(await credential.sign('x'), 'x', one));
    await assert.rejects(credential.decrypt(sealed('x', two)), codeIs('decryption-failed'));
    const failure = { status: 503, content: { Code: 'ServiceUnavailable' } };
    double.instead = (action) => (action === 'AsymmetricDecrypt' ? failure : undefined);
    await assert.rejects(credential.decrypt(sealed('x')), codeIs('key-service-unavailable'));
  });

  it('need one: what it is made for decides, and nobody has to be allowed to ask that of a key that signs', async (t) => {
    const { double, ...credential } = await start(t);
    double.decrypting.add('key-2');
    const misplaced = await credential.load(referring('key-2/version-1'));
    assert.deepEqual(
      [misplaced?.code, /either signs or decrypts/.test(misplaced?.message ?? '')],
      ['key-missing', true],
    );
    const forbidden = { status: 403, content: { Code: 'Forbidden.NoPermission' } };
    double.instead = (action) => (action === 'DescribeKey' ? forbidden : undefined);
    assert.equal(await credential.load(both), undefined);
    assert.ok(isOf(await credential.sign('x'), 'x', one));
    await assert.rejects(credential.decrypt(sealed('x')), codeIs('no-field-key'));
  });
});

describe('who we are to Aliyun', () => {
  it('is the role of our pod, exchanged again with the token that the file has then', async (t) => {
    const sts = await AliyunKmsDouble.start(t, keys);
    const tokenFile = join(await makeDirectory(t), 'token');
    await writeFile(tokenFile, 'first.token.x\n');
    const names = { roleArn: 'acs:ram::1:role/shop', providerArn: 'acs:ram::1:oidc-provider/c1' };
    const { double, ...credential } = await start(t, { auth: { rrsa: { ...names, tokenFile, address: sts.url } } });
    // One cloud: what STS lends, KMS knows.
    double.secrets.set('STS.lent1', 'secretOfSTS.lent1').set('STS.lent2', 'secretOfSTS.lent2');
    assert.equal(await credential.load(referring(versions[0])), undefined);
    await credential.sign('x');
    assert.deepEqual(
      sts.exchanges.map(({ RoleArn, OIDCProviderArn, OIDCToken }) => [RoleArn, OIDCProviderArn, OIDCToken]),
      [[names.roleArn, names.providerArn, 'first.token.x']],
    );
    await writeFile(tokenFile, 'second.token.x\n');
    double.secrets.delete('STS.lent1');
    assert.ok(isOf(await credential.sign('x'), 'x', one));
    assert.deepEqual(
      sts.exchanges.map(({ OIDCToken }) => OIDCToken),
      ['first.token.x', 'second.token.x'],
    );
  });

  it('is asked for of an STS whose CA is its own, which is trusted there alone', async (t) => {
    const [authority, impostor] = await Promise.all([makeAuthority(0), makeAuthority(1)]);
    const { certificate, privateKey } = await issue(authority, 'sts.test', { hostNames: ['localhost'] });
    const tls = { cert: certificate, key: pem(privateKey) };
    const sts = await AliyunKmsDouble.start(t, keys, tls);
    const directory = await makeDirectory(t);
    const [tokenFile, caFile] = [join(directory, 'token'), join(directory, 'ca.pem')];
    await writeFile(tokenFile, 'first.token.x\n');
    const names = { roleArn: 'acs:ram::1:role/shop', providerArn: 'acs:ram::1:oidc-provider/c1' };
    const auth = { rrsa: { ...names, tokenFile, caFile, address: sts.url } };
    await writeFile(caFile, '');
    const empty = await (await start(t, { auth })).load(referring(versions[0]));
    assert.match(String(empty?.message), /: keyServices\.aliyunkms\.auth\.rrsa\.caFile: /);
    await writeFile(caFile, impostor.certificate);
    const refused = await (await start(t, { auth })).load(referring(versions[0]));
    assert.deepEqual([refused?.code, sts.exchanges], ['origin-unreachable', []]);

    await writeFile(caFile, authority.certificate);
    const { double, ...credential } = await start(t, { auth });
    double.secrets.set('STS.lent1', 'secretOfSTS.lent1');
    assert.equal(await credential.load(referring(versions[0])), undefined);
    assert.ok(isOf(await credential.sign('x'), 'x', one));
    assert.deepEqual(
      sts.exchanges.map(({ OIDCToken }) => OIDCToken),
      ['first.token.x'],
    );

    // KMS itself, with a certificate of that CA: no CA that it was told vouches for it.
    const kms = await AliyunKmsDouble.start(t, keys, tls);
    const elsewhere = await (await start(t, { auth, address: kms.url })).load(referring(versions[0]));
    assert.deepEqual([elsewhere?.code, sts.exchanges.length, kms.asked], ['origin-unreachable', 2, []]);
  });

  it('is read again from its files after a refusal, and shown by nothing', async (t) => {
    const { double, idFile, ...credential } = await start(t);
    assert.equal(await credential.load(referring(versions[0])), undefined);
    await writeFile(idFile, 'LTAIexample2');
    double.secrets.set('LTAIexample2', 'secretOfExample1').delete('LTAIexample1');
    assert.ok(isOf(await credential.sign('x'), 'x', one));
    await writeFile(idFile, 'LTAInobody01');
    double.secrets.clear();
    await assert.rejects(credential.sign('x'), codeIs('key-service-refused'));
    for (const thing of [credential, credential.keyServices, credential.entry(), credential.recorder.events])
      assert.ok(!inspect(thing, { depth: 20, showHidden: true }).includes('secretOfExample1'));
  });
});

it('values that Aliyun KMS wrapped open with their key and their context, each for itself', async (t) => {
  const { keyServices } = await start(t);
  const wrap = (key: string, context: string) =>
    `aliyun-kms:${Buffer.from(JSON.stringify([key, context, Buffer.from('SECRET').toString('base64')])).toString('base64')}`;
  const opener = keyServices.opener({ aliyunkms: { key: 'key-9' } }, { credential: 'shop' });
  const bound = '{"credential":"shop"}';
  const values = [wrap('key-9', bound), wrap('key-9', '{"credential":"other"}'), wrap('key-8', bound)];
  assert.ok(values.every((value) => opener.isWrapped(value)));
  const opened = await opener.open(values, t.signal);
  assert.deepEqual(
    opened.map((found) => (found instanceof PaycertError ? found.code : Buffer.from(found).toString())),
    ['SECRET', 'unwrap-refused', 'unwrap-refused'],
  );
});
