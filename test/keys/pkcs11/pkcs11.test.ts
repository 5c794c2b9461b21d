// Keys that stay in a real PKCS#11 token: what they sign and open is what a key in the process does.
import assert from 'node:assert/strict';
import { constants, type KeyObject, sign, verify, X509Certificate } from 'node:crypto';
import { describe, it, type TestContext } from 'node:test';
import { sealOaep } from '../../../src/crypto/cipher.ts';
import type { CredentialConfig } from '../../../src/config/schema/credential.ts';
import { toSpkiPem } from '../../../src/testing/index.ts';
import { filesOf } from '../../support/directories.ts';
import { keyPairs, makeMaterial, merchantId } from '../../support/key-pairs.ts';
import { remoteCredential } from '../../support/remote-credential.ts';
import { signUnderRotations } from '../../support/rotation-load.ts';
import { noToken, type Pkcs11Config, SoftHsm } from '../../support/softhsm.ts';
import { withFiles } from '../../support/wechatpay.ts';

const limit = { timeout: 300_000, skip: noToken };
// None of them is of what makeMaterial makes here.
const [own, , , , , , other, , partner] = await keyPairs();
assert.ok(own && other && partner);
const pss = { pss: { appId: 'app-1' } };
const wechatpay = { wechatpay: { merchantId } };
const partners = { 'public_key.pem': toSpkiPem(partner.publicKey) };
const referring = (reference: string) => filesOf({ ...partners, 'private_key.pem': reference });

async function start(t: TestContext, provider: CredentialConfig['provider'] = pss, more: Partial<Pkcs11Config> = {}) {
  const token = await SoftHsm.start(t);
  return { token, ...(await remoteCredential(t, provider, { pkcs11: token.config(more) })) };
}

const isPss = (signature: Uint8Array, text: string, key: KeyObject) =>
  verify('sha256', Buffer.from(text), { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }, signature);

describe('a key that stays in a token', () => {
  it('signs PKCS#1 v1.5 to the byte as the key in the process does', limit, async (t) => {
    const { files, merchant } = await makeMaterial(new Date());
    const { token, load, sign: ask } = await start(t, wechatpay);
    const reference = await token.import(merchant.privateKey);
    assert.equal(await load(withFiles(files, { 'apiclient_key.pem': reference })), undefined);
    for (const text of ['', 'a', 'GET\n/v3/certificates\n1554208460\nnonce\n\n', '名'.repeat(10_000)]) {
      const { signature } = await ask(text);
      assert.deepEqual(Buffer.from(signature), sign('sha256', Buffer.from(text), merchant.privateKey));
    }
  });

  it('signs PSS with a salt of exactly 32 bytes', limit, async (t) => {
    const { token, load, sign: ask } = await start(t);
    assert.equal(await load(referring(await token.import(own.privateKey))), undefined);
    assert.ok(isPss((await ask('text')).signature, 'text', own.publicKey));
  });

  it('is found by its id, by its label, or by both, and is never one of several', limit, async (t) => {
    const { token, load, sign: ask } = await start(t);
    const one = await token.import(own.privateKey, 'same');
    await token.import(other.privateKey, 'same');
    assert.match((await load(referring(one)))?.message ?? '', /the token has several: name it by object and id$/);
    for (const [reference, key] of [
      ['pkcs11:token=pay;id=%00%01', own],
      ['pkcs11:token=pay;object=same;id=%00%02', other],
    ] as const) {
      assert.equal(await load(referring(reference)), undefined);
      assert.ok(isPss((await ask('x')).signature, 'x', key.publicKey));
    }
  });

  it(
    'has its public half from its certificate, or from itself, where the token has no public key',
    limit,
    async (t) => {
      const { files, merchant } = await makeMaterial(new Date());
      const { token, load } = await start(t, wechatpay);
      const remote = withFiles(files, { 'apiclient_key.pem': await token.import(merchant.privateKey) });
      await token.tool('--delete-object', '--type', 'pubkey', '--id', '0001');
      assert.equal(await load(remote), undefined);
      const certificate = new X509Certificate(Buffer.from(files.get('apiclient_cert.pem')!)).raw;
      await token.write('cert', certificate, '0001');
      assert.equal(await load(withFiles(remote, { extra: 'x' })), undefined);
    },
  );

  it(
    'that is not there, of no RSA, or in a token that is not configured is rejected with the reason',
    limit,
    async (t) => {
      const { token, load } = await start(t);
      await token.import(own.privateKey);
      assert.equal((await load(referring('pkcs11:token=pay;object=nobody')))?.code, 'key-missing');
      await token.tool('--keypairgen', '--key-type', 'EC:prime256v1', '--label', 'curve', '--id', 'ec');
      assert.equal((await load(referring('pkcs11:token=pay;object=curve')))?.code, 'key-missing');
      await token.addToken('others');
      const others = await load(referring('pkcs11:token=others;object=key-0'));
      assert.deepEqual([others?.code, others?.field], ['key-service-missing', 'private_key.pem']);
    },
  );

  it('whose certificate is about another key is rejected, and the last good set signs on', limit, async (t) => {
    const { files, merchant } = await makeMaterial(new Date());
    const { token, load, sign: ask } = await start(t, wechatpay);
    await load(withFiles(files, { 'apiclient_key.pem': await token.import(merchant.privateKey) }));
    const stranger = withFiles(files, { 'apiclient_key.pem': await token.import(other.privateKey) });
    assert.equal((await load(stranger))?.code, 'key-mismatch');
    assert.equal((await ask('x')).keyId, merchant.serialNumber);
  });

  it('opens the fields of WeChat Pay, and says of others what a key in the process says', limit, async (t) => {
    const { files, merchant } = await makeMaterial(new Date());
    const { token, load, decrypt, recorder } = await start(t, wechatpay);
    const remote = withFiles(files, { 'apiclient_key.pem': await token.import(merchant.privateKey) });
    assert.equal(await load(remote), undefined);
    const seal = (key: KeyObject, text: string) => sealOaep(key, Buffer.from(text)).toString('base64');
    for (const text of ['张三', '', 'x'.repeat(200)])
      assert.equal(Buffer.from((await decrypt(seal(merchant.publicKey, text))).plaintext).toString(), text);
    const foreign = [seal(other.publicKey, 'x'), Buffer.alloc(256, 7).toString('base64'), 'AAAA'];
    for (const ciphertext of foreign) await assert.rejects(decrypt(ciphertext), { code: 'decryption-failed' });
    const remoteOutcomes = recorder.of('remote-signed').map(({ use, outcome }) => `${use} ${outcome}`);
    assert.deepEqual(new Set(remoteOutcomes), new Set(['sign ok', 'decrypt ok']));
  });

  it('under rotations never fails to sign, and never signs as another than it says', limit, async (t) => {
    const materials = await Promise.all([0, 1].map((rotation) => makeMaterial(new Date(), rotation)));
    const { token, load, sign: ask, recorder } = await start(t, wechatpay);
    const sets: ReadonlyMap<string, Uint8Array>[] = [];
    for (const { files, merchant } of materials) {
      const reference = await token.import(merchant.privateKey);
      sets.push(withFiles(files, { 'apiclient_key.pem': reference, 'pub_key.pem': undefined, 'pub_key_id': undefined })); // prettier-ignore
    }
    const keys = new Map(materials.map(({ merchant }) => [merchant.serialNumber, merchant.publicKey]));
    assert.equal(await load(sets[0]!), undefined);
    const rotate = async (swap: number) => assert.equal(await load(sets[swap % 2]!), undefined);
    await signUnderRotations(t, { sign: ask, keys, rotate });
    assert.deepEqual(
      recorder.of('remote-signed').filter(({ outcome }) => outcome !== 'ok'),
      [],
    );
  });
});
