// The throw-away identity as a file: what `paycert proxy identity` wrote is taken, and no other private key.
import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import { PaycertError } from '../../../src/errors.ts';
import { identityOf, identityText, parseIdentity, publicFilesOf } from '../../../src/server/proxy/identity.ts';
import { generateKeyPair, toPkcs8Pem } from '../../../src/testing/key-pair.ts';

const { privateKey } = await generateKeyPair();
const text = identityText(identityOf(privateKey));
const read = (content: string) => parseIdentity(Buffer.from(content), '/identity');

describe('a throw-away identity', () => {
  it('is the same each time its file is read, and another for each key', async () => {
    const files = publicFilesOf(read(text));
    assert.deepEqual(publicFilesOf(identityOf(privateKey)), files);
    const another = publicFilesOf(identityOf((await generateKeyPair()).privateKey));
    for (const [name, content] of files) assert.notEqual(another.get(name), content, name);
  });

  it('is called as WeChat Pay calls its public keys, and gives nothing of its private half away', () => {
    const files = publicFilesOf(read(text));
    assert.match(files.get('pub_key_id') ?? '', /^PUB_KEY_ID_00\d{30}$/);
    const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
    assert.equal(files.get('alipay_public_key'), spki.toString('base64'));
    assert.deepEqual(createPublicKey(files.get('pub_key.pem') ?? '').export({ type: 'spki', format: 'der' }), spki);
    assert.ok(![...files.values()].some((content) => content.includes('PRIVATE')));
  });

  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const small = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
  const mark = text.slice(0, text.indexOf('-----'));
  for (const [what, content] of Object.entries({
    'a private key that may be a merchant’s': toPkcs8Pem(privateKey),
    'nothing': '',
    'its public half': publicFilesOf(identityOf(privateKey)).get('pub_key.pem') ?? '',
    'one that is cut off': text.slice(0, 500),
    'its first line alone': mark,
    'a key of another kind': mark + toPkcs8Pem(ec),
    'a key that is too small': mark + toPkcs8Pem(small),
  }))
    it(`is not ${what}, which is refused by the field and the path`, () => {
      assert.throws(
        () => read(content),
        (error) =>
          error instanceof PaycertError &&
          error.code === 'config-invalid' &&
          error.field === 'proxy.identityFile' &&
          error.message.startsWith('/identity '),
      );
    }); // prettier-ignore
});
