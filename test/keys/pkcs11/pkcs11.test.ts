// Keys that stay in a real PKCS#11 token: what they sign and open is what a key in the process does.
import assert from 'node:assert/strict';
import { constants, type KeyObject, sign, verify } from 'node:crypto';
import { describe, it, type TestContext } from 'node:test';
import type { CredentialConfig } from '../../../src/config/schema/credential.ts';
import { toSpkiPem } from '../../../src/testing/index.ts';
import { filesOf } from '../../support/directories.ts';
import { keyPairs, makeMaterial, merchantId } from '../../support/key-pairs.ts';
import { remoteCredential } from '../../support/remote-credential.ts';
import { noToken, type Pkcs11Config, SoftHsm } from '../../support/softhsm.ts';
import { withFiles } from '../../support/wechatpay.ts';

const limit = { timeout: 120_000, skip: noToken };
const [own, other, partner] = await keyPairs();
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
});
