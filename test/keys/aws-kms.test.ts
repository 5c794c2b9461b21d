// Keys that stay in a real local-kms: what they sign is what a key in the process signs, and no failure of the service signs anything wrong.
import assert from 'node:assert/strict';
import { constants, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { describe, it, type TestContext } from 'node:test';
import { inspect } from 'node:util';
import type { KeyServicesConfig } from '../../src/config/schema/key-services.ts';
import { sealOaep } from '../../src/crypto/cipher.ts';
import { rsaPss } from '../../src/crypto/suites.ts';
import { PaycertError } from '../../src/errors.ts';
import { makeDirectory } from '../support/directories.ts';
import { keyPairs, makeMaterial, merchantId } from '../support/key-pairs.ts';
import { arnOf, keyId, noLocalKms, region, useLocalKms } from '../support/local-kms.ts';
import { issue, makeAuthority, pem } from '../support/mtls.ts';
import { RecordingProxy } from '../support/recording-proxy.ts';
import { remoteCredential } from '../support/remote-credential.ts';
import { signUnderRotations } from '../support/rotation-load.ts';
import { withFiles } from '../support/wechatpay.ts';

const limit = { timeout: 300_000, skip: noLocalKms };
const [, , stranger] = await keyPairs();
assert.ok(stranger);
const materials = await Promise.all([0, 1].map((rotation) => makeMaterial(new Date(), rotation)));
const [one, two] = materials.map(({ merchant }) => merchant);
assert.ok(one && two);
const [decrypting, curve, symmetric, twin] = [keyId(20), keyId(21), keyId(22), keyId(23)];
const kms = useLocalKms(async () => ({
  rsa: {
    [keyId(1)]: { key: one.privateKey },
    [keyId(2)]: { key: two.privateKey },
    [decrypting]: { key: stranger.privateKey, usage: 'ENCRYPT_DECRYPT' },
    [twin]: { key: one.privateKey, usage: 'ENCRYPT_DECRYPT' },
  },
  ecc: { [curve]: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey },
  aes: { [symmetric]: randomBytes(32).toString('hex') },
  aliases: { 'alias/pay': keyId(1), 'alias/moving': keyId(1) },
}));
const wechatpay = { wechatpay: { merchantId } };
const secret = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';

type Aws = NonNullable<KeyServicesConfig['awskms']>;

/** Files with an access key, as a mount has them. */
async function accessKey(t: TestContext) {
  const directory = await makeDirectory(t);
  const [idFile, secretFile] = [join(directory, 'id'), join(directory, 'secret')];
  await writeFile(idFile, 'AKIDEXAMPLE\n');
  await writeFile(secretFile, `${secret}\n`);
  return { idFile, secretFile };
}

const start = async (t: TestContext, more: Partial<Aws> = {}) => {
  const auth = more.auth ?? { accessKey: await accessKey(t) };
  return remoteCredential(t, wechatpay, { awskms: { region, address: kms().url, ...more, auth } });
};

/** What the merchant holds of the first or the second rotation, with a reference to that key. */
const referring = (key: string, which = 0) =>
  withFiles(materials[which]!.files, { 'apiclient_key.pem': `awskms:///${key}`, 'pub_key.pem': undefined, 'pub_key_id': undefined }); // prettier-ignore
const isOf = ({ signature }: { readonly signature: Uint8Array }, text: string, { privateKey }: typeof one) =>
  sign('sha256', Buffer.from(text), privateKey).equals(signature);
const codeIs = (code: string) => (error: unknown) => error instanceof PaycertError && error.code === code;

describe('a key that stays in AWS KMS', () => {
  it('signs PKCS#1 v1.5 to the byte as the key in the process does', limit, async (t) => {
    const credential = await start(t);
    assert.equal(await credential.load(referring(keyId(1))), undefined);
    for (const text of ['', 'a', 'GET\n/v3/certificates\n1554208460\nnonce\n\n', '名'.repeat(10_000)])
      assert.ok(isOf(await credential.sign(text), text, one));
  });

  it('is asked for PSS by its name, and trusted with a salt of exactly 32 bytes, as AWS has it', limit, async (t) => {
    const proxy = await RecordingProxy.start(t, kms().url);
    const credential = await start(t, { address: proxy.url });
    const found = await credential.keyServices.resolve(referring(keyId(1)), t.signal);
    const key = found.get('apiclient_key.pem');
    assert.ok(key !== undefined && !(key instanceof PaycertError));
    // The one that runs here pads with the longest salt, so it is also what another padding looks like.
    await assert.rejects(key.sign(rsaPss, Buffer.from('x')), codeIs('key-service-wrong'));
    assert.equal((JSON.parse(proxy.bodies.at(-1) ?? '') as { SigningAlgorithm: string }).SigningAlgorithm, 'RSASSA_PSS_SHA_256'); // prettier-ignore
    const padding = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
    const signature = sign('sha256', Buffer.from('x'), { key: one.privateKey, ...padding });
    proxy.instead = () => ({ status: 200, body: JSON.stringify({ Signature: signature.toString('base64') }) });
    assert.deepEqual(Buffer.from(await key.sign(rsaPss, Buffer.from('x'))), signature);
  });

  it('is named by its id, its alias, or the ARN of either', limit, async (t) => {
    const credential = await start(t);
    for (const name of [keyId(1), 'alias/pay', arnOf(keyId(1)), 'arn:aws:kms:eu-west-1:111122223333:alias/pay']) {
      assert.equal(await credential.load(referring(name)), undefined, name);
      assert.ok(isOf(await credential.sign(name), name, one));
    }
  });

  it('by an alias is the key that the alias named when the set was loaded, and no other later', limit, async (t) => {
    const credential = await start(t);
    assert.equal(await credential.load(referring('alias/moving')), undefined);
    await kms().owner('UpdateAlias', { AliasName: 'alias/moving', TargetKeyId: keyId(2) });
    assert.ok(isOf(await credential.sign('x'), 'x', one));
    const later = await start(t);
    assert.equal((await later.load(referring('alias/moving')))?.code, 'key-mismatch');
    assert.equal(await later.load(referring('alias/moving', 1)), undefined);
    assert.ok(isOf(await later.sign('x'), 'x', two));
  });

  it('that is not there, elsewhere, no RSA key, or does not sign is rejected with the reason', limit, async (t) => {
    const credential = await start(t);
    for (const [name, code, why] of [
      [keyId(99), 'key-missing', /no such key in that region/],
      [
        `arn:aws:kms:us-east-1:111122223333:key/${keyId(1)}`,
        'key-missing',
        /in us-east-1, and keyServices\.awskms is in eu-west-1/,
      ],
      [decrypting, 'key-missing', /either signs or decrypts/],
      [curve, 'algorithm-unsupported', /not RSA/],
      [symmetric, 'origin-refused', /UnsupportedOperation/],
    ] as const) {
      // prettier-ignore
      const error = await credential.load(referring(name));
      assert.deepEqual([error?.code, why.test(error?.message ?? '')], [code, true], error?.message);
    }
  });

  it('that is not the one of the certificate is rejected, and the last good set signs on', limit, async (t) => {
    const credential = await start(t);
    await credential.load(referring(keyId(1)));
    assert.equal((await credential.load(referring(keyId(2))))?.code, 'key-mismatch');
    assert.equal((await credential.sign('x')).keyId, one.serialNumber);
  });

  it('is asked for a digest, and for nothing of the message; each request is signed', limit, async (t) => {
    const proxy = await RecordingProxy.start(t, kms().url);
    const credential = await start(t, { address: proxy.url });
    await credential.load(referring(keyId(1)));
    await credential.sign('SECRET-MESSAGE');
    const bodies = proxy.bodies.map((body) => JSON.parse(body) as Readonly<Record<string, string>>);
    assert.deepEqual(
      bodies.map(({ KeyId, MessageType, SigningAlgorithm, Message = '' }) => [KeyId, MessageType, SigningAlgorithm, Buffer.from(Message, 'base64').length]), // prettier-ignore
      [
        [keyId(1), undefined, undefined, 0],
        ...[0, 1].map(() => [arnOf(keyId(1)), 'DIGEST', 'RSASSA_PKCS1_V1_5_SHA_256', 32]),
      ],
    );
    assert.ok(!proxy.bodies.some((body) => body.includes('SECRET') || body.includes(Buffer.from('SECRET-MESSAGE').toString('base64')))); // prettier-ignore
    for (const { authorization, 'x-amz-target': target } of proxy.headers) {
      assert.match(String(authorization), /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-west-1\/kms\/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature=[0-9a-f]{64}$/); // prettier-ignore
      assert.match(String(target), /^TrentService\.(GetPublicKey|Sign)$/);
    }
  });
});

describe('fields of WeChat Pay with AWS KMS', () => {
  const sealed = (text: string, { publicKey } = one) => sealOaep(publicKey, Buffer.from(text)).toString('base64');
  const withTwin = (files = referring(keyId(1)), id = twin) =>
    withFiles(files, { 'retired/fields.pem': `awskms:///${id}` });

  it('open with a key that decrypts, beside the one that signs: the same key, brought in twice', limit, async (t) => {
    const proxy = await RecordingProxy.start(t, kms().url);
    const credential = await start(t, { address: proxy.url });
    assert.equal(await credential.load(withTwin()), undefined);
    for (const text of ['张三', '', 'x'.repeat(200)])
      assert.equal(Buffer.from((await credential.decrypt(sealed(text))).plaintext).toString(), text);
    assert.ok(isOf(await credential.sign('x'), 'x', one));
    assert.deepEqual(
      new Set(credential.recorder.of('remote-signed').map(({ use, outcome }) => `${use} ${outcome}`)),
      new Set(['sign ok', 'decrypt ok']),
    );
    const asked = JSON.parse(proxy.bodies.find((body) => body.includes('CiphertextBlob')) ?? '{}') as object;
    assert.deepEqual({ ...asked, CiphertextBlob: '' }, { KeyId: arnOf(twin), CiphertextBlob: '', EncryptionAlgorithm: 'RSAES_OAEP_SHA_1' }); // prettier-ignore
  });

  it('that were made for another key are nobody’s failure, and cost no breaker', limit, async (t) => {
    const credential = await start(t);
    assert.equal(await credential.load(withTwin()), undefined);
    const foreign = [sealed('x', two), Buffer.alloc(256, 7).toString('base64'), 'AAAA'];
    for (const ciphertext of [...foreign, ...Array<string>(12).fill(foreign[0]!)])
      await assert.rejects(credential.decrypt(ciphertext), codeIs('decryption-failed'));
    assert.deepEqual(credential.recorder.of('key-service-changed'), []);
  });

  it('of a key that is disabled say so, and open again when it is not', limit, async (t) => {
    const credential = await start(t);
    assert.equal(await credential.load(withTwin()), undefined);
    await kms().owner('DisableKey', { KeyId: twin });
    await assert.rejects(credential.decrypt(sealed('x')), codeIs('key-service-refused'));
    await kms().owner('EnableKey', { KeyId: twin });
    assert.equal(Buffer.from((await credential.decrypt(sealed('x'))).plaintext).toString(), 'x');
  });

  it(
    'stay closed with the key that signs alone: the reason is said when it is loaded, and to who asks',
    limit,
    async (t) => {
      const credential = await start(t);
      assert.equal(await credential.load(referring(keyId(1))), undefined);
      const warned = credential
        .entry()
        .snapshot?.context.set.warnings(new Date())
        .filter(({ code }) => code === 'key-elsewhere');
      assert.match(
        warned?.[0]?.message ?? '',
        /^apiclient_key\.pem .*fields that are encrypted for it cannot be decrypted/,
      );
      await assert.rejects(credential.decrypt(sealed('x')), codeIs('no-field-key'));
      // With its twin there is nothing to warn of.
      assert.equal(await credential.load(withTwin()), undefined);
      assert.deepEqual(credential.entry().snapshot?.context.set.warnings(new Date()).filter(({ code }) => code === 'key-elsewhere'), []); // prettier-ignore
    },
  );

  it(
    'need a key that decrypts; one that stands where a key signs is rejected, with where it belongs',
    limit,
    async (t) => {
      const credential = await start(t);
      const error = await credential.load(referring(twin));
      assert.deepEqual([error?.code, error?.field], ['key-missing', 'apiclient_key.pem']);
      assert.match(
        error?.message ?? '',
        /either signs or decrypts: put one here that signs, and this one into retired\//,
      );
    },
  );
});

describe('signatures of AWS KMS', () => {
  it('under rotations never fail, and are never of another key than they say', limit, async (t) => {
    const sets = [referring(keyId(1)), referring(keyId(2), 1)];
    const keys = new Map(materials.map(({ merchant }) => [merchant.serialNumber, merchant.publicKey]));
    const credential = await start(t);
    assert.equal(await credential.load(sets[0]!), undefined);
    const rotate = async (swap: number) => assert.equal(await credential.load(sets[swap % 2]!), undefined);
    await signUnderRotations(t, { sign: credential.sign, keys, rotate });
    assert.deepEqual(
      credential.recorder.of('remote-signed').filter(({ outcome }) => outcome !== 'ok'),
      [],
    );
  });

  it('by an impostor are discarded: nobody gets what does not verify', limit, async (t) => {
    const proxy = await RecordingProxy.start(t, kms().url);
    const credential = await start(t, { address: proxy.url });
    await credential.load(referring(keyId(1)));
    const forged = sign('sha256', Buffer.from('x'), two.privateKey).toString('base64');
    for (const body of [{ Signature: forged }, {}, []]) {
      proxy.instead = () => ({ status: 200, body: JSON.stringify(body) });
      await assert.rejects(credential.sign('x'), codeIs('key-service-wrong'));
    }
  });

  it('that are throttled are sent again, slower, and are all there in the end', limit, async (t) => {
    const proxy = await RecordingProxy.start(t, kms().url);
    const credential = await start(t, { address: proxy.url, deadline: '30s' });
    await credential.load(referring(keyId(1)));
    let throttled = 0;
    const body = JSON.stringify({ __type: 'ThrottlingException', message: 'You have exceeded the rate' });
    proxy.instead = () => (throttled++ < 20 ? { status: 400, body } : undefined);
    const texts = Array.from({ length: 32 }, (_, index) => `text ${String(index)}`);
    const all = await Promise.all(texts.map((text) => credential.sign(text)));
    assert.ok(all.every((signed, index) => isOf(signed, texts[index]!, one)));
    assert.equal(credential.recorder.of('key-service-throttled').length, 20);
    assert.deepEqual(credential.recorder.of('key-service-changed'), []);
  });

  it('that are throttled until their deadline fail as that, and open no breaker', limit, async (t) => {
    const proxy = await RecordingProxy.start(t, kms().url);
    const credential = await start(t, { address: proxy.url, deadline: '2s' });
    await credential.load(referring(keyId(1)));
    const body = JSON.stringify({ __type: 'com.amazonaws.kms#ThrottlingException' });
    proxy.instead = () => ({ status: 400, body });
    for (let n = 0; n < 3; n++) await assert.rejects(credential.sign('x'), codeIs('key-service-throttled'));
    assert.deepEqual(credential.recorder.of('key-service-changed'), []);
    assert.equal(credential.recorder.of('remote-signed').at(-1)?.outcome, 'throttled');
  });

  it('of a key that is disabled are refused for it, and for no other key', limit, async (t) => {
    const [first, second] = [await start(t), await start(t)];
    assert.equal(await first.load(referring(keyId(1))), undefined);
    assert.equal(await second.load(referring(keyId(2), 1)), undefined);
    await kms().owner('DisableKey', { KeyId: keyId(2) });
    await assert.rejects(second.sign('x'), /disabled, not ready, or waits for its deletion \(400 DisabledException\)$/);
    assert.ok(isOf(await first.sign('x'), 'x', one));
    await kms().owner('EnableKey', { KeyId: keyId(2) });
    assert.ok(isOf(await second.sign('x'), 'x', two));
  });

  it('end while the service is away, and are made again when it is back', limit, async (t) => {
    const credential = await start(t);
    await credential.load(referring(keyId(1)));
    await kms().stop();
    await assert.rejects(credential.sign('x'), codeIs('key-service-unavailable'));
    await kms().restart();
    assert.ok(isOf(await credential.sign('x'), 'x', one));
    assert.deepEqual(credential.recorder.of('rejected'), []);
  });
});

describe('who we are to AWS', () => {
  const sts = { status: 200, body: '' };
  const lent = (id: string, seconds = 3600) =>
    JSON.stringify({
      AssumeRoleWithWebIdentityResponse: {
        AssumeRoleWithWebIdentityResult: {
          Credentials: { AccessKeyId: id, SecretAccessKey: secret, SessionToken: 'SESSION', Expiration: Date.now() / 1000 + seconds }, // prettier-ignore
        },
      },
    });

  /** STS is the double of a proxy, in front of a KMS that checks no signature. */
  async function identified(t: TestContext) {
    const proxy = await RecordingProxy.start(t, kms().url);
    const directory = await makeDirectory(t);
    const tokenFile = join(directory, 'token');
    await writeFile(tokenFile, 'header.first.signature');
    const roleArn = 'arn:aws:iam::111122223333:role/shop';
    const stsProxy = await RecordingProxy.start(t, kms().url);
    stsProxy.instead = () => ({ ...sts, body: lent('ASIAFIRST') });
    const auth = { webIdentity: { roleArn, tokenFile, address: stsProxy.url } };
    return { proxy, stsProxy, tokenFile, credential: await start(t, { address: proxy.url, auth }) };
  }

  it('is the role of our pod: one exchange of its token for all signatures', limit, async (t) => {
    const { proxy, stsProxy, credential } = await identified(t);
    assert.equal(await credential.load(referring(keyId(1))), undefined);
    await Promise.all(Array.from({ length: 8 }, (_, index) => credential.sign(String(index))));
    assert.equal(stsProxy.exchanges.length, 1);
    for (const { authorization, 'x-amz-security-token': token } of proxy.headers) {
      assert.match(String(authorization), /Credential=ASIAFIRST\/.*SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target/); // prettier-ignore
      assert.equal(token, 'SESSION');
    }
  });

  it('is asked for again where it is taken no more, with the token that the file has then', limit, async (t) => {
    const { proxy, stsProxy, tokenFile, credential } = await identified(t);
    await credential.load(referring(keyId(1)));
    await writeFile(tokenFile, 'header.second.signature');
    let refused = 0;
    stsProxy.instead = () => ({ ...sts, body: lent('ASIASECOND') });
    proxy.instead = () =>
      refused++ === 0 ? { status: 400, body: JSON.stringify({ __type: 'ExpiredTokenException' }) } : undefined;
    assert.ok(isOf(await credential.sign('x'), 'x', one));
    assert.match(String(proxy.headers.at(-1)?.['authorization']), /Credential=ASIASECOND/);
    assert.equal(stsProxy.exchanges.length, 2);
  });

  it('is given to an STS with a CA of its own, and to nobody else who stands there', limit, async (t) => {
    const [authority, impostor] = [await makeAuthority(0), await makeAuthority(1)];
    const directory = await makeDirectory(t);
    const { certificate, privateKey } = await issue(authority, 'sts.test', { hostNames: ['localhost'] });
    const given: string[] = [];
    const server = createHttpsServer({ cert: certificate, key: pem(privateKey) }, (request, response) => {
      void textOf(request).then((body) => {
        given.push(new URLSearchParams(body).get('WebIdentityToken') ?? '');
        response.writeHead(200, { 'Content-Type': 'application/json' }).end(lent('ASIAHTTPS'));
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => (server.closeAllConnections(), server.close()));
    const { port } = server.address() as AddressInfo;
    const [tokenFile, caFile] = [join(directory, 'token'), join(directory, 'ca.pem')];
    await writeFile(tokenFile, 'header.first.signature');
    const proxy = await RecordingProxy.start(t, kms().url);
    const roleArn = 'arn:aws:iam::111122223333:role/shop';
    const webIdentity = { roleArn, tokenFile, caFile, address: `https://localhost:${String(port)}` };
    await writeFile(caFile, '');
    const empty = await (await start(t, { address: proxy.url, auth: { webIdentity } })).load(referring(keyId(1)));
    assert.match(String(empty?.message), /: keyServices\.awskms\.auth\.webIdentity\.caFile: /);
    await writeFile(caFile, impostor.certificate);
    const refused = await (await start(t, { address: proxy.url, auth: { webIdentity } })).load(referring(keyId(1)));
    assert.deepEqual([refused?.code, given], ['origin-unreachable', []]);
    await writeFile(caFile, authority.certificate);
    const credential = await start(t, { address: proxy.url, auth: { webIdentity } });
    assert.equal(await credential.load(referring(keyId(1))), undefined);
    assert.ok(isOf(await credential.sign('x'), 'x', one));
    assert.deepEqual(given, ['header.first.signature']);
    assert.match(String(proxy.headers.at(-1)?.['authorization']), /Credential=ASIAHTTPS\//);
  });

  it('that is refused says so, with the file and the role, and signs nothing', limit, async (t) => {
    const { stsProxy, credential } = await identified(t);
    stsProxy.instead = () => ({ status: 400, body: JSON.stringify({ Error: { Code: 'InvalidIdentityToken', Message: 'SECRET' } }) }); // prettier-ignore
    const error = await credential.load(referring(keyId(1)));
    assert.equal(error?.code, 'origin-unauthenticated');
    assert.match(error.message, /assume the role arn:aws:iam::111122223333:role\/shop with the token in .*\/token: /);
    assert.doesNotMatch(error.message, /SECRET/);
  });

  it('is read again from its files, after a refusal at once', limit, async (t) => {
    const proxy = await RecordingProxy.start(t, kms().url);
    const files = await accessKey(t);
    const credential = await start(t, { address: proxy.url, auth: { accessKey: files } });
    await credential.load(referring(keyId(1)));
    await writeFile(files.idFile, 'AKIDSECOND');
    let refused = 0;
    proxy.instead = () =>
      refused++ === 0 ? { status: 400, body: JSON.stringify({ __type: 'UnrecognizedClientException' }) } : undefined;
    assert.ok(isOf(await credential.sign('x'), 'x', one));
    assert.match(String(proxy.headers.at(-1)?.['authorization']), /Credential=AKIDSECOND/);
  });

  it(
    'whose files are away, or hold nothing, says so under their field, before and while it signs',
    limit,
    async (t) => {
      const proxy = await RecordingProxy.start(t, kms().url);
      const refuse = () => ({ status: 400, body: JSON.stringify({ __type: 'UnrecognizedClientException' }) });
      const files = await accessKey(t);
      const credential = await start(t, { address: proxy.url, auth: { accessKey: files } });
      const at = `keyServices.awskms.auth.accessKey.secretFile: ${files.secretFile}`;
      for (const [make, code, says] of [
        [() => rm(files.secretFile), 'source-unreadable', `${at} cannot be read (ENOENT)`],
        [
          () => writeFile(files.secretFile, '\n'),
          'source-unreadable',
          `${at} is empty: it holds no secret of an access key`,
        ],
      ] as const) {
        await writeFile(files.secretFile, `${secret}\n`);
        proxy.instead = () => undefined;
        assert.equal(await credential.load(referring(keyId(1))), undefined);
        await make();
        // What is in memory is refused, so that the files are read again.
        proxy.instead = refuse;
        const error = await credential.sign('x').then(() => undefined, (thrown: unknown) => thrown as PaycertError); // prettier-ignore
        assert.deepEqual([error?.code, error?.kind], ['key-service-file-unusable', 'not-ready'], error?.message);
        assert.ok(error?.message.startsWith(says), error?.message);
        assert.match(error?.hint ?? '', /the file/);
        const unloaded = await (await start(t, { auth: { accessKey: files } })).load(referring(keyId(1)));
        assert.deepEqual([unloaded?.code, unloaded?.field], [code, 'apiclient_key.pem']);
        assert.ok(unloaded?.message.startsWith(`apiclient_key.pem: ${says}`), unloaded?.message);
      }
    },
  );

  it('is shown by nothing that prints a service, a key or an error', limit, async (t) => {
    const credential = await start(t);
    await credential.load(referring(keyId(1)));
    const error = await credential.load(referring(keyId(99)));
    for (const thing of [credential, credential.keyServices, credential.entry(), error, credential.recorder.events])
      assert.ok(!inspect(thing, { depth: 20, showHidden: true }).includes(secret));
  });
});
