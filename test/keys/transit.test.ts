// Keys that stay in a real transit engine: what they sign is what a key in the process signs, and no failure of the engine signs anything wrong.
import assert from 'node:assert/strict';
import { constants, type KeyObject, sign, verify } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { inspect } from 'node:util';
import type { CredentialConfig } from '../../src/config/schema/credential.ts';
import type { KeyServicesConfig } from '../../src/config/schema/key-services.ts';
import { PaycertError } from '../../src/errors.ts';
import { startPaycert } from '../../src/index.ts';
import { createSecretVolume, startWechatpayGateway, toSpkiPem } from '../../src/testing/index.ts';
import { noBao, useBao } from '../support/bao.ts';
import { makeDirectory } from '../support/directories.ts';
import { freePort } from '../support/free-port.ts';
import { keyPairs, makeMaterial, merchantId } from '../support/key-pairs.ts';
import { ownFiles, serialsOf } from '../support/listing.ts';
import { Recorder } from '../support/recorder.ts';
import { RecordingProxy } from '../support/recording-proxy.ts';
import { remoteCredential } from '../support/remote-credential.ts';
import { importKey } from '../support/transit.ts';
import { signUnderRotations } from '../support/rotation-load.ts';
import { withFiles } from '../support/wechatpay.ts';

const limit = { timeout: 300_000, skip: noBao };
const bao = useBao(async (started) => {
  await started.owner('POST', 'sys/mounts/transit', { type: 'transit' });
});
const [own, other, partner] = await keyPairs();
assert.ok(own && other && partner);
const pss = { pss: { appId: 'app-1' } };
const wechatpay = { wechatpay: { merchantId } };

let names = 0;
const newName = () => `key-${String(names++)}`;

async function imported(...keys: KeyObject[]): Promise<string> {
  const name = newName();
  for (const [index, key] of keys.entries())
    await importKey(bao(), name, key, index === 0 ? 'import' : 'import_version');
  return name;
}

type Transit = NonNullable<KeyServicesConfig['hashivault']>;
const start = async (t: TestContext, provider: CredentialConfig['provider'] = pss, more: Partial<Transit> = {}) => {
  const auth = more.auth ?? { token: { tokenFile: await bao().tokenFile() } };
  return remoteCredential(t, provider, { hashivault: { address: bao().url, ...more, auth } });
};

const partners = { 'public_key.pem': toSpkiPem(partner.publicKey) };
const filesOf = (texts: Readonly<Record<string, string>>) =>
  new Map(Object.entries(texts).map(([name, text]) => [name, Buffer.from(text)]));
const referring = (name: string, version = 1) =>
  filesOf({ ...partners, 'private_key.pem': `hashivault://${name}?version=${String(version)}` });

const isPss = (signature: Uint8Array, text: string, key: KeyObject) =>
  verify('sha256', Buffer.from(text), { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }, signature);
const codeIs = (code: string) => (error: unknown) => error instanceof PaycertError && error.code === code;

/** What WeChat Pay’s merchant holds, with the key in transit. */
async function wechatFiles() {
  const material = await makeMaterial(new Date());
  const { files, merchant } = material;
  const name = await imported(merchant.privateKey);
  return {
    material,
    files,
    merchant,
    remote: withFiles(files, { 'apiclient_key.pem': `hashivault://${name}?version=1` }),
  };
}

describe('a key that stays in transit', () => {
  it('signs PKCS#1 v1.5 to the byte as the key in the process does', limit, async (t) => {
    const { files, merchant, remote } = await wechatFiles();
    const credential = await start(t, wechatpay);
    assert.equal(await credential.load(remote), undefined);
    for (const text of ['', 'a', 'GET\n/v3/certificates\n1554208460\nnonce\n\n', '名'.repeat(10_000)]) {
      const { signature } = await credential.sign(text);
      assert.deepEqual(Buffer.from(signature), sign('sha256', Buffer.from(text), merchant.privateKey));
    }
    assert.ok(files.has('apiclient_key.pem'));
  });

  it('asks WeChat Pay for the certificates that it signs with', limit, async (t) => {
    const { material, remote } = await wechatFiles();
    const platform = await startWechatpayGateway();
    t.after(() => platform.close());
    platform.admit(material);
    const path = join(await makeDirectory(t), 'keys');
    await createSecretVolume(path, ownFiles({ files: remote }));
    const recorder = new Recorder();
    const swapped = recorder.next('swapped', ({ generation }) => generation === 2);
    const gateway = { double: platform.url };
    const source = { files: { path } };
    const shop: CredentialConfig = { name: 'shop', provider: wechatpay, source, platformCertificates: 'download', gateway }; // prettier-ignore
    const auth = { token: { tokenFile: await bao().tokenFile() } };
    const keyServices = { hashivault: { address: bao().url, auth } };
    await using paycert = await startPaycert([shop], { keyServices, observe: recorder.observe });
    await swapped;
    const { keys } = paycert.current('shop').context.set;
    assert.deepEqual(keys.flatMap(({ role, keyId }) => (role === 'platform' ? [keyId] : [])).sort(), serialsOf(material)); // prettier-ignore
    assert.deepEqual([platform.counts.accepted, platform.counts.refused], [1, 0]);
  });

  it('signs PSS with a salt of exactly 32 bytes, which its own default is not', limit, async (t) => {
    const credential = await start(t);
    assert.equal(await credential.load(referring(await imported(own.privateKey))), undefined);
    const { signature } = await credential.sign('text');
    assert.ok(isPss(signature, 'text', own.publicKey));
  });

  it('makes the set that the key itself makes: one snapshot id wherever it is', limit, async (t) => {
    const { files, remote } = await wechatFiles();
    const [there, here] = [await start(t, wechatpay), await start(t, wechatpay)];
    assert.equal(await there.load(remote), undefined);
    assert.equal((await here.load(files))?.code, undefined);
    assert.equal(there.entry().snapshot?.snapshotId, here.entry().snapshot?.snapshotId);
  });

  it('that is not the one of the certificate is rejected, and the last good set signs on', limit, async (t) => {
    const { merchant, remote } = await wechatFiles();
    const credential = await start(t, wechatpay);
    await credential.load(remote);
    const stranger = `hashivault://${await imported(own.privateKey)}?version=1`;
    assert.equal((await credential.load(withFiles(remote, { 'apiclient_key.pem': stranger })))?.code, 'key-mismatch');
    assert.equal((await credential.sign('x')).keyId, merchant.serialNumber);
  });

  it('is a version of a key: the next one signs when the material says so, and not before', limit, async (t) => {
    const name = await imported(own.privateKey, other.privateKey);
    const credential = await start(t);
    await credential.load(referring(name, 1));
    assert.ok(isPss((await credential.sign('x')).signature, 'x', own.publicKey));
    await credential.load(referring(name, 2));
    assert.ok(isPss((await credential.sign('x')).signature, 'x', other.publicKey));
  });

  it('that is not there, not yet, not allowed or no RSA key is rejected with the reason', limit, async (t) => {
    const name = await imported(own.privateKey);
    const credential = await start(t);
    assert.equal((await credential.load(referring('nobody')))?.code, 'key-missing');
    const later = await credential.load(referring(name, 2));
    assert.deepEqual([later?.code, /has no such version/.test(later?.message ?? '')], ['key-missing', true]);
    const [curve, symmetric] = [newName(), newName()];
    await bao().owner('POST', `transit/keys/${curve}`, { type: 'ed25519' });
    await bao().owner('POST', `transit/keys/${symmetric}`);
    for (const one of [curve, symmetric])
      assert.ok(['key-missing', 'algorithm-unsupported'].includes((await credential.load(referring(one)))?.code ?? ''));
    await bao().policy('nothing', { 'secret/data/other': ['read'] });
    const stranger = await start(t, pss, { auth: { token: { tokenFile: await bao().tokenFile(['nothing']) } } });
    const refused = await stranger.load(referring(name));
    assert.equal(refused?.code, 'origin-forbidden');
    assert.match(refused.message, new RegExp(`transit/keys/${name} \\(403\\)`));
  });

  it('needs no more than the policy of docs/keys.md', limit, async (t) => {
    const name = await imported(own.privateKey);
    await bao().policy(name, { [`transit/keys/${name}`]: ['read'], [`transit/sign/${name}/sha2-256`]: ['update'] });
    const appRole = await bao().appRole(name, { token_ttl: '1h' });
    const credential = await start(t, pss, { auth: { appRole } });
    assert.equal(await credential.load(referring(name)), undefined);
    assert.ok(isPss((await credential.sign('x')).signature, 'x', own.publicKey));
  });

  it('sends a digest, and nothing of the message or of the other parts', limit, async (t) => {
    const proxy = await RecordingProxy.start(t, bao().url);
    const credential = await start(t, pss, { address: proxy.url });
    await credential.load(referring(await imported(own.privateKey)));
    await credential.sign('SECRET-MESSAGE');
    assert.equal(proxy.count(/^GET \/v1\/transit\/keys\/key-\d+ 200$/), 1);
    assert.equal(proxy.count(/^POST \/v1\/transit\/sign\/key-\d+\/sha2-256 200$/), 2);
    assert.ok(!proxy.bodies.some((body) => body.includes(Buffer.from('SECRET-MESSAGE').toString('base64'))));
    assert.ok(!proxy.bodies.some((body) => body.includes('SECRET-MESSAGE')));
  });
});

describe('signatures of transit', () => {
  it('that are asked for together share requests', limit, async (t) => {
    const proxy = await RecordingProxy.start(t, bao().url);
    const credential = await start(t, pss, { address: proxy.url });
    await credential.load(referring(await imported(own.privateKey)));
    const before = proxy.count(/sign/);
    const texts = Array.from({ length: 64 }, (_, index) => `text ${String(index)}`);
    const all = await Promise.all(texts.map((text) => credential.sign(text)));
    assert.ok(all.every(({ signature }, index) => isPss(signature, texts[index]!, own.publicKey)));
    assert.equal(proxy.count(/sign/) - before, 4);
  });

  it('hold no turn of the pool: local keys wait for nothing here', limit, async (t) => {
    // Its limiter has no turns at all, see remoteCredential.
    const credential = await start(t);
    await credential.load(referring(await imported(own.privateKey)));
    assert.ok((await credential.sign('x')).signature.length > 0);
  });

  it('under rotations never fail, and are never of another key than they say', limit, async (t) => {
    const materials = await Promise.all([0, 1].map((rotation) => makeMaterial(new Date(), rotation)));
    const name = await imported(...materials.map(({ merchant }) => merchant.privateKey));
    const sets = materials.map(
      ({ files }, index) =>
      withFiles(files, { 'apiclient_key.pem': `hashivault://${name}?version=${String(index + 1)}`, 'pub_key.pem': undefined, 'pub_key_id': undefined }), // prettier-ignore
    );
    const keys = new Map(materials.map(({ merchant }) => [merchant.serialNumber, merchant.publicKey]));
    const credential = await start(t, wechatpay);
    assert.equal(await credential.load(sets[0]!), undefined);
    const rotate = async (swap: number) => assert.equal(await credential.load(sets[swap % 2]!), undefined);
    await signUnderRotations(t, { sign: credential.sign, keys, rotate });
    assert.deepEqual(
      credential.recorder.of('remote-signed').filter(({ outcome }) => outcome !== 'ok'),
      [],
    );
  });

  it('by an impostor are discarded: nobody gets what does not verify', limit, async (t) => {
    const proxy = await RecordingProxy.start(t, bao().url);
    const credential = await start(t, pss, { address: proxy.url });
    await credential.load(referring(await imported(own.privateKey)));
    const forged = (prefix: string) =>
      `${prefix}${sign('sha256', Buffer.from('x'), other.privateKey).toString('base64')}`;
    for (const signature of [forged('vault:v1:'), forged('vault:v2:'), 'nonsense']) {
      const body = JSON.stringify({ data: { batch_results: [{ signature }] } });
      proxy.instead = (path) => (path.includes('/sign/') ? { status: 200, body } : undefined);
      await assert.rejects(credential.sign('x'), codeIs('key-service-wrong'));
    }
  });

  it('that fail for one key are nobody else’s failure', limit, async (t) => {
    const proxy = await RecordingProxy.start(t, bao().url);
    const [broken, sound] = [await imported(own.privateKey), await imported(other.privateKey)];
    const tokenFile = await bao().tokenFile();
    const credential = await start(t, wechatpay, { address: proxy.url, auth: { token: { tokenFile } } });
    const [one, two] = await Promise.all(
      [broken, sound].map(async (name) => {
        const remote = await credential.keyServices.resolve(referring(name), new AbortController().signal);
        const key = remote.get('private_key.pem');
        assert.ok(key && !(key instanceof PaycertError));
        return key;
      }),
    );
    const { rsaPss } = await import('../../src/crypto/suites.ts');
    proxy.instead = (path) =>
      path.includes(`/sign/${broken}/`) ? { status: 500, body: '{"errors":["1 error"]}' } : undefined;
    for (let n = 0; n < 20; n++)
      await assert.rejects(one!.sign(rsaPss, Buffer.from('x')), codeIs('key-service-unavailable'));
    assert.ok(isPss(await two!.sign(rsaPss, Buffer.from('x')), 'x', other.publicKey));
    assert.deepEqual(credential.recorder.of('key-service-changed'), []);
  });
});

describe('while transit does not sign, nothing is signed, and then it is again:', () => {
  const prepared = async (t: TestContext, more: Partial<Transit> = {}) => {
    const name = await imported(own.privateKey);
    const credential = await start(t, pss, more);
    assert.equal(await credential.load(referring(name)), undefined);
    return { ...credential, name };
  };

  /** Tries as a caller would, until it is signed. */
  const signsAgain = async ({ sign: ask, recorder }: Awaited<ReturnType<typeof prepared>>) => {
    for (;;) {
      const signed = await ask('x').catch(() => undefined);
      if (signed !== undefined) {
        assert.ok(isPss(signed.signature, 'x', own.publicKey));
        return;
      }
      if (recorder.of('key-service-changed').at(-1)?.state === 'open')
        await recorder.next('key-service-changed', ({ state }) => state !== 'open');
    }
  };

  it('a seal, and the end of it', limit, async (t) => {
    const credential = await prepared(t);
    await bao().seal();
    await assert.rejects(credential.sign('x'), /sign with hashivault:\/\/key-\d+\?version=1: Vault is sealed \(503\)$/);
    await bao().unseal();
    await signsAgain(credential);
    assert.deepEqual(credential.recorder.of('rejected'), []);
  });

  it('a restart, with callers all the while', limit, async (t) => {
    const credential = await prepared(t);
    const state = { isOver: false };
    const failures = new Set<string>();
    const caller = async () => {
      while (!state.isOver)
        await credential.sign('x').catch(async (error: unknown) => {
          failures.add((error as PaycertError).code);
          await new Promise((resolve) => setImmediate(resolve));
        });
    };
    const callers = Array.from({ length: 4 }, caller);
    const opened = credential.recorder.next('key-service-changed', ({ state: now }) => now === 'open');
    await bao().stop();
    await opened;
    const closed = credential.recorder.next('key-service-changed', ({ state: now }) => now === 'closed');
    await bao().restart();
    await closed;
    state.isOver = true;
    await Promise.all(callers);
    // For a moment after it was unsealed a node says that there is no such engine, which is a refusal.
    assert.ok(failures.has('key-service-unavailable'));
    assert.ok(
      [...failures].every((code) => /^key-service-(unavailable|refused)$/.test(code)),
      String([...failures]),
    );
    await signsAgain(credential);
  });

  it('a cut of the network', limit, async (t) => {
    const proxy = await RecordingProxy.start(t, bao().url);
    const credential = await prepared(t, { address: proxy.url });
    // One that was kept is broken: it is asked once more, on another connection, and nobody notices.
    proxy.cut();
    assert.ok(isPss((await credential.sign('x')).signature, 'x', own.publicKey));
  });

  it('a quota that is used up: all are sent again, slower, and no breaker opens', limit, async (t) => {
    const credential = await prepared(t, { deadline: '30s' });
    const quota = 'sys/quotas/rate-limit/signatures';
    await bao().owner('POST', quota, { path: 'transit/', rate: 2, interval: '1s' });
    t.after(() => bao().owner('DELETE', quota));
    // More requests than the quota of this second and of the next: up to 16 go together.
    const all = await Promise.all(Array.from({ length: 128 }, () => credential.sign('x')));
    assert.ok(all.every(({ signature }) => isPss(signature, 'x', own.publicKey)));
    assert.ok(credential.recorder.of('key-service-throttled').length > 0);
    assert.deepEqual(credential.recorder.of('key-service-changed'), []);
  });

  it('a permission that is withdrawn, and given back', limit, async (t) => {
    const name = await imported(own.privateKey);
    const rules = { [`transit/keys/${name}`]: ['read'], [`transit/sign/${name}/sha2-256`]: ['update'] };
    await bao().policy(name, rules);
    const appRole = await bao().appRole(name, { token_ttl: '1h' });
    const credential = await start(t, pss, { auth: { appRole } });
    await credential.load(referring(name));
    await bao().policy(name, { [`transit/keys/${name}`]: ['read'] });
    await assert.rejects(credential.sign('x'), /no policy of our token allows it \(403\)$/);
    await bao().policy(name, rules);
    assert.ok(isPss((await credential.sign('x')).signature, 'x', own.publicKey));
    assert.deepEqual(credential.recorder.of('key-service-changed'), []);
  });

  it('a token that is revoked is replaced by another log-in, and nothing fails', limit, async (t) => {
    const name = await imported(own.privateKey);
    await bao().policy(name, { [`transit/*`]: ['read', 'update'] });
    const appRole = await bao().appRole(name, { token_ttl: '1h' });
    const credential = await start(t, pss, { auth: { appRole } });
    await credential.load(referring(name));
    await bao().owner('PUT', 'sys/leases/revoke-prefix/auth/approle');
    assert.ok(isPss((await credential.sign('x')).signature, 'x', own.publicKey));
  });

  it(
    'a host that takes connections and says nothing: material that needs it is rejected within the deadline',
    limit,
    async (t) => {
      const silent = createServer().listen(await freePort(), '127.0.0.1');
      await once(silent, 'listening');
      silent.on('connection', (socket) => t.after(() => socket.destroy()));
      t.after(() => silent.close());
      const { port } = silent.address() as { port: number };
      const credential = await start(t, pss, { address: `http://127.0.0.1:${String(port)}`, deadline: '200ms' });
      assert.equal((await credential.load(referring('any')))?.code, 'key-service-timeout');
    },
  );
});

it('the token of a key service is shown by nothing that prints a service, a key or an error', limit, async (t) => {
  const tokenFile = await bao().tokenFile();
  const text = (await readFile(tokenFile)).toString();
  const credential = await start(t, pss, { auth: { token: { tokenFile } } });
  await credential.load(referring(await imported(own.privateKey)));
  const error = await credential.load(referring('nobody'));
  const entry = credential.entry();
  for (const thing of [credential, credential.keyServices, entry, error, credential.recorder.events])
    assert.ok(!inspect(thing, { depth: 20, showHidden: true }).includes(text));
});
