// docs/keys.md as somebody follows it: its commands make keys, its policy lets them sign, and its references name them.
import assert from 'node:assert/strict';
import { createPublicKey, verify } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import type { KeyServicesConfig } from '../../src/config/schema/key-services.ts';
import { isKeyReference, readKeyReference } from '../../src/crypto/key-reference.ts';
import { codeBlocks } from '../agreement/documents.ts';
import { noBao, useBao } from '../support/bao.ts';
import { makeDirectory } from '../support/directories.ts';
import { blocksOf, openShell, ownersShell } from '../support/documented-shell.ts';
import { makeMaterial, merchantId } from '../support/key-pairs.ts';
import { keyId, noLocalKms, useLocalKms } from '../support/local-kms.ts';
import { remoteCredential } from '../support/remote-credential.ts';
import { noToken, SoftHsm } from '../support/softhsm.ts';
import { withFiles } from '../support/wechatpay.ts';

const page = 'docs/keys.md';
const timeout = 900_000;
const bao = useBao();
const { files, merchant } = await makeMaterial(new Date());
const kms = useLocalKms(async () => ({
  rsa: { [keyId(1)]: { key: merchant.privateKey } },
  aliases: { 'alias/pay': keyId(1) },
}));
const wechatpay = { wechatpay: { merchantId } };
const apiclientKey = files.get('apiclient_key.pem')!;

const referring = (reference: string) => withFiles(files, { 'apiclient_key.pem': reference });
/** Each line of the blocks under a heading, but not of those in a language. */
const references = (title: string): string[] =>
  blocksOf(page, title, 'text').flatMap((text) => text.trim().split('\n'));

/** What the block under a heading says of a service, and what is different here. */
function service(title: string | undefined, name: keyof KeyServicesConfig, here: object): KeyServicesConfig {
  const text = title === undefined ? codeBlocks(page)[0]?.text : blocksOf(page, title, 'yaml part')[0];
  const { keyServices } = parse(text ?? '') as { readonly keyServices: KeyServicesConfig };
  return { [name]: { ...keyServices[name], ...here } };
}

async function transit() {
  const tokenFile = await bao().tokenFile(['documented']);
  return service(undefined, 'hashivault', { address: bao().url, tls: undefined, auth: { token: { tokenFile } } });
}

describe('the page of keys', () => {
  it(
    'makes a key in transit and the next version of it, and its policy lets both sign',
    { timeout, skip: noBao },
    async (t) => {
      const { shell } = await ownersShell(bao());
      const [make = ''] = blocksOf(page, 'A key, and its certificate', 'sh');
      const { stdout, stderr } = await shell(make);
      assert.doesNotMatch(stderr, /WARNING/);
      const [policy] = blocksOf(page, 'Policy', 'hcl');
      await bao().owner('PUT', 'sys/policies/acl/documented', { policy });
      const [first] = /-----BEGIN PUBLIC KEY-----[^]+?-----END PUBLIC KEY-----/.exec(stdout) ?? [];
      const [reference = ''] = references('The reference');
      const credential = await remoteCredential(
        t,
        { alipay: { appId: '2021000000000001', mode: 'key' } },
        await transit(),
      );
      for (const version of [1, 2]) {
        const text = reference.replace(/version=\d+/, `version=${String(version)}`);
        assert.equal(await credential.load(new Map([['app_private_key.pem', Buffer.from(text)]])), undefined);
        const { signature } = await credential.sign('x');
        assert.equal(verify('sha256', Buffer.from('x'), createPublicKey(first ?? ''), signature), version === 1);
      }
      assert.equal(
        (await credential.load(new Map([['app_private_key.pem', Buffer.from(reference)]])))?.code,
        'key-missing',
      );
    },
  );

  it(
    'brings a key that a platform has certified into transit, and the policy for it lets it sign',
    { timeout, skip: noBao },
    async (t) => {
      const { folder, shell } = await ownersShell(bao());
      await shell('bao secrets list | grep -q ^transit/ || bao secrets enable transit');
      await writeFile(join(folder, 'apiclient_key.pem'), apiclientKey);
      const [, bring = ''] = blocksOf(page, 'A key, and its certificate', 'sh');
      await shell(bring);
      const [policy = ''] = blocksOf(page, 'Policy', 'hcl');
      await bao().owner('PUT', 'sys/policies/acl/documented', { policy: policy.replaceAll('/pay', '/merchant') });
      const credential = await remoteCredential(t, wechatpay, await transit());
      assert.equal(await credential.load(referring('hashivault://merchant?version=1')), undefined);
      const { signature } = await credential.sign('x');
      assert.ok(verify('sha256', Buffer.from('x'), merchant.publicKey, signature));
    },
  );

  it('names an alias of AWS KMS, with its block but for who we are', { timeout, skip: noLocalKms }, async (t) => {
    const directory = await makeDirectory(t);
    const accessKey = { idFile: join(directory, 'id'), secretFile: join(directory, 'secret') };
    await writeFile(accessKey.idFile, 'AKIDEXAMPLE');
    await writeFile(accessKey.secretFile, 'secret');
    const credential = await remoteCredential(
      t,
      wechatpay,
      service('AWS KMS', 'awskms', { address: kms().url, auth: { accessKey } }),
    );
    const alias = references('AWS KMS').find((reference) => reference.includes('///alias/'));
    assert.equal(await credential.load(referring(alias ?? '')), undefined);
    const { signature } = await credential.sign('x');
    assert.ok(verify('sha256', Buffer.from('x'), merchant.publicKey, signature));
  });

  it('makes a token to try it with, and both references there name its key', { timeout, skip: noToken }, async (t) => {
    const { folder, shell } = openShell(await makeDirectory(t));
    await writeFile(join(folder, 'apiclient_key.pem'), apiclientKey);
    await shell(blocksOf(page, 'A token to try it with', 'sh')[0] ?? '');
    const { module } = (await SoftHsm.start(t)).config();
    const credential = await remoteCredential(
      t,
      wechatpay,
      service('PKCS#11 tokens', 'pkcs11', {
        module,
        environment: { SOFTHSM2_CONF: join(folder, 'softhsm2.conf') },
        tokens: [{ label: 'pay', pinFile: join(folder, 'pin') }],
      }),
    );
    const both = references('PKCS#11 tokens');
    assert.equal(both.length, 2);
    for (const reference of both) {
      assert.equal(await credential.load(referring(reference)), undefined, reference);
      const { signature } = await credential.sign('x');
      assert.ok(verify('sha256', Buffer.from('x'), merchant.publicKey, signature));
    }
  });

  it('has no reference that is none', () => {
    const lines = codeBlocks(page).filter(({ info }) => info === 'text').flatMap(({ text }) => text.trim().split('\n')); // prettier-ignore
    assert.ok(lines.length >= 7);
    for (const line of lines) {
      assert.ok(isKeyReference(Buffer.from(line)), line);
      assert.ok(readKeyReference(Buffer.from(line), 'private_key.pem'), line);
    }
  });
});
