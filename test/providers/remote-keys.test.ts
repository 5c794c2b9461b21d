// Keys that stay elsewhere, as platforms see them: what works, what does not with its reason, and what nobody was asked about.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sealOaep } from '../../src/crypto/cipher.ts';
import { localKey, type PrivateKey } from '../../src/crypto/private-key.ts';
import { PaycertError } from '../../src/errors.ts';
import { alipay } from '../../src/providers/alipay/provider.ts';
import { mtls } from '../../src/providers/mtls/provider.ts';
import { pss } from '../../src/providers/pss/provider.ts';
import { wechatpay } from '../../src/providers/wechatpay/provider.ts';
import { wechatpayV2 } from '../../src/providers/wechatpay-v2/provider.ts';
import { flatten } from '../support/flatten.ts';
import { keyPairs, makeMaterial, merchantId } from '../support/key-pairs.ts';
import { now, refusal, withFiles } from '../support/wechatpay.ts';

const reference = 'hashivault://pay?version=1';
const [root, merchant, partner] = await keyPairs();
assert.ok(root && merchant && partner);

/** As a key service gives one: it signs, and nothing else. */
const elsewhere = ({ publicKey, sign }: PrivateKey): PrivateKey => ({ publicKey, sign });
const remote = elsewhere(localKey(merchant.privateKey));
const { files } = await makeMaterial(now);
const referring = withFiles(files, { 'apiclient_key.pem': reference });
const filesOf = (texts: Readonly<Record<string, string>>) =>
  new Map(Object.entries(texts).map(([name, text]) => [name, Buffer.from(text)]));
const field = sealOaep(merchant.publicKey, Buffer.from('张三')).toString('base64');
const said = (errors: readonly PaycertError[]) => errors.map(({ code, field = '-' }) => `${code} ${field}`);

describe('WeChat Pay with a key elsewhere', () => {
  const keys = new Map([['apiclient_key.pem', remote]]);

  it('signs, opens notifications, and warns that it opens no fields', async () => {
    const { problems, warnings, capabilities } = flatten(await wechatpay({ merchantId }).load(referring, keys));
    assert.deepEqual(problems, []);
    assert.ok(said(warnings(now)).includes('key-elsewhere apiclient_key.pem'));
    assert.deepEqual([...capabilities(now)].sort(), ['decrypt', 'sign', 'verify']);
  });

  it('names the reason when a field is to be opened', async () => {
    const { decrypt } = flatten(await wechatpay({ merchantId }).load(referring, keys));
    await assert.rejects(decrypt!({ ciphertext: field }), refusal('no-field-key'));
  });

  it('opens fields with a retired key that is here', async () => {
    const retired = withFiles(referring, {
      'retired/old.pem': Buffer.from(files.get('apiclient_key.pem')!).toString(),
    });
    const { decrypt } = flatten(await wechatpay({ merchantId }).load(retired, keys));
    const { plaintext } = await decrypt!({ ciphertext: field });
    assert.equal(Buffer.from(plaintext).toString(), '张三');
  });

  it('takes a retired key by reference, with its certificate behind it', async () => {
    const certificate = Buffer.from(files.get('apiclient_cert.pem')!).toString();
    const retired = withFiles(referring, { 'retired/old.pem': `${reference}\n${certificate}` });
    const both = new Map([...keys, ['retired/old.pem', remote] as const]);
    const context = flatten(await wechatpay({ merchantId }).load(retired, both));
    assert.deepEqual(context.problems, []);
    assert.ok(context.keys.some(({ role }) => role === 'merchant-retired'));
  });

  it('has the problem of a key that cannot be resolved, and no other because of it', async () => {
    const why = new PaycertError('key-missing', 'there is none', { field: 'apiclient_key.pem' });
    const { problems } = flatten(
      await wechatpay({ merchantId }).load(referring, new Map([['apiclient_key.pem', why]])),
    );
    assert.deepEqual(problems, [why]);
  });
});

describe('a reference', () => {
  it('of which nobody was asked is not checked here, whatever the platform', async () => {
    const v3 = await wechatpay({ merchantId }).load(referring);
    const key = filesOf({ 'app_private_key.txt': reference });
    const app = await alipay({ appId: '2021000000000001', mode: 'key' }).load(key);
    const partners = await pss({ appId: 'app-1' }).load(filesOf({ 'private_key.pem': reference }));
    for (const { set } of [v3, app, partners])
      assert.deepEqual([...new Set(set.problems.map(({ code }) => code))], ['not-checked-here']);
  });

  it('that says what it may not is refused also where nobody is asked', async () => {
    const { set } = await pss({ appId: 'app-1' }).load(
      filesOf({ 'private_key.pem': 'hashivault://host:1/pay?version=1' }),
    );
    assert.deepEqual(said(set.problems), ['key-reference-refused private_key.pem']);
  });

  it('signs for Alipay and for partners', async () => {
    const app = await alipay({ appId: '2021000000000001', mode: 'key' }).load(
      filesOf({ 'app_private_key.txt': reference }),
      new Map([['app_private_key.txt', remote]]),
    );
    const own = await pss({ appId: 'app-1' }).load(
      filesOf({ 'private_key.pem': reference }),
      new Map([['private_key.pem', remote]]),
    );
    for (const { set, operations } of [app, own]) {
      assert.deepEqual(set.problems, []);
      const { signature } = await operations.sign!(Buffer.from('x'));
      assert.ok(set.signer?.suite?.verify(merchant.publicKey, Buffer.from('x'), signature));
    }
  });

  it('is refused where TLS needs the key, and says so', async () => {
    const { set } = await mtls({}).load(filesOf({ 'tls.key': reference, 'tls.crt': Buffer.from(files.get('apiclient_cert.pem')!).toString() })); // prettier-ignore
    assert.deepEqual(said(set.problems), ['key-must-be-local tls.key']);
  });

  it('leaves WeChat Pay v2 its signatures, and takes the client certificate, with a warning', async () => {
    const parts = withFiles(referring, { apiv2_key: 'k'.repeat(16) + '0123456789abcdef' });
    const { set, tls, operations } = await wechatpayV2({ merchantId }).load(parts);
    assert.deepEqual([set.problems, said(set.warnings(now))], [[], ['key-elsewhere apiclient_key.pem']]);
    assert.deepEqual([tls, operations.authorize !== undefined], [undefined, true]);
  });
});
