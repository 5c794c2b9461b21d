// Incidents of programs whose keys stay in an HSM or a KMS, against a real token and a real local-kms: they crash with the module, run out of sessions, or need a restart.
import assert from 'node:assert/strict';
import { constants, type KeyObject, sign, verify } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { toSpkiPem } from '../../src/testing/index.ts';
import { filesOf, makeDirectory } from '../support/directories.ts';
import { keyPairs } from '../support/key-pairs.ts';
import { keyId, noLocalKms, region, useLocalKms } from '../support/local-kms.ts';
import { remoteCredential } from '../support/remote-credential.ts';
import { noToken, type Pkcs11Config, SoftHsm } from '../support/softhsm.ts';

const [own, partner] = await keyPairs();
assert.ok(own && partner);
const limit = { timeout: 300_000, skip: noToken };

const isPss = (signature: Uint8Array, text: string, key: KeyObject) =>
  verify('sha256', Buffer.from(text), { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }, signature);

/** A credential that signs with a token. */
async function withToken(t: TestContext, more: Partial<Pkcs11Config> = {}) {
  const token = await SoftHsm.start(t);
  const credential = await remoteCredential(t, { pss: { appId: 'app-1' } }, { pkcs11: token.config(more) });
  const reference = await token.import(own!.privateKey);
  const files = filesOf({ 'public_key.pem': toSpkiPem(partner!.publicKey), 'private_key.pem': reference });
  assert.equal(await credential.load(files), undefined);
  return { token, ...credential };
}

describe('keys in a token', () => {
  it(
    'the module ended the whole program with a segmentation fault (pkcs11js#75): it ends a process of its own, and nobody notices',
    limit,
    async (t) => {
      const { recorder, sign: ask } = await withToken(t);
      const [{ pid = 0 } = {}] = recorder.of('key-process-started');
      assert.notEqual(pid, process.pid);
      const asked = Array.from({ length: 40 }, () => ask('x'));
      process.kill(pid, 'SIGSEGV');
      for (const { signature } of await Promise.all(asked)) assert.ok(isPss(signature, 'x', own.publicKey));
      assert.equal(recorder.of('key-process-ended').length, 1);
    },
  );

  it(
    'sessions were opened until there was none left (yubihsm-shell#379): two do for two hundred signatures at once, and each is used again',
    limit,
    async (t) => {
      const { recorder, sign: ask } = await withToken(t, { sessions: 2, deadline: '60s' });
      for (let round = 0; round < 3; round++) {
        const all = await Promise.all(Array.from({ length: 200 }, () => ask('x')));
        assert.ok(all.every(({ signature }) => isPss(signature, 'x', own.publicKey)));
      }
      assert.deepEqual([recorder.of('key-process-started').length, recorder.of('key-process-ended')], [1, []]);
    },
  );

  it(
    'a session that had become invalid was used for ever, until a restart (fabric#1047): another log-in replaces it',
    limit,
    async (t) => {
      const { token, recorder, sign: ask } = await withToken(t);
      await token.remove();
      await assert.rejects(ask('x'), { code: 'key-service-unavailable' });
      await token.putBack();
      // As a caller tries: it is refused at once for as long as the breaker is open.
      const again = async (): Promise<Uint8Array> =>
        ask('x').then(
          ({ signature }) => signature,
          async () => (await setImmediate(), again()),
        );
      assert.ok(isPss(await again(), 'x', own.publicKey));
      assert.deepEqual(recorder.of('rejected'), []);
    },
  );
});

describe('keys in a KMS', () => {
  const kms = useLocalKms(async () => ({ rsa: { [keyId(1)]: { key: own.privateKey } } }));

  it(
    'Alipay could not be asked with a key that stays in a KMS (alipay#247): a reference stands where the key would',
    { timeout: 300_000, skip: noLocalKms },
    async (t) => {
      const directory = await makeDirectory(t);
      const accessKey = { idFile: join(directory, 'id'), secretFile: join(directory, 'secret') };
      await writeFile(accessKey.idFile, 'AKIDEXAMPLE');
      await writeFile(accessKey.secretFile, 'secretOfExample');
      const awskms = { region, address: kms().url, auth: { accessKey } };
      const { load, sign: ask } = await remoteCredential(t, { alipay: { appId: '2021000000000001', mode: 'key' } }, { awskms }); // prettier-ignore
      const alipays = toSpkiPem(partner.publicKey);
      const files = filesOf({ app_private_key: `awskms:///${keyId(1)}`, alipay_public_key: alipays });
      assert.equal(await load(files), undefined);
      const { signature } = await ask('app_id=2021000000000001&method=alipay.trade.query');
      const expected = sign('sha256', Buffer.from('app_id=2021000000000001&method=alipay.trade.query'), own.privateKey);
      assert.deepEqual(Buffer.from(signature), expected);
    },
  );
});
