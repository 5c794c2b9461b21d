// A sidecar whose keys stay in a PKCS#11 token, end to end: it signs, opens and rotates over its socket, and a module that hangs stops no other credential.
import assert from 'node:assert/strict';
import { privateDecrypt, publicEncrypt, verify } from 'node:crypto';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createSecretVolume } from '../../src/testing/secret-volume.ts';
import { call, configuration, credential, makeDirectory, makeMaterial, startSidecar } from '../support/sidecar.ts';
import { noToken, rightPin, SoftHsm } from '../support/softhsm.ts';

const limit = { timeout: 300_000, skip: noToken };

interface Signed {
  readonly signature: string;
  readonly keyId: string;
}

describe('a sidecar with a token', () => {
  it('signs and opens with it, follows a rotation, and lives through a module that hangs', limit, async (t) => {
    const directory = await makeDirectory(t);
    const token = await SoftHsm.start(t);
    const materials = await Promise.all([0, 1].map((rotation) => makeMaterial(rotation)));
    const [first, second] = materials;
    assert.ok(first && second);
    const sets: ReadonlyMap<string, Uint8Array>[] = [];
    for (const { files, merchant } of materials)
      sets.push(new Map([...files, ['apiclient_key.pem', Buffer.from(await token.import(merchant.privateKey))]]));
    const volume = await createSecretVolume(join(directory, 'far'), sets[0]!);
    await createSecretVolume(join(directory, 'near'), first.files);
    const pkcs11 = { ...token.config(), deadline: '5s' };
    const sidecar = await startSidecar(
      t,
      directory,
      configuration(
        directory,
        ['far', 'near'].map((name) => credential({ name, path: join(directory, name) })),
        `keyServices: ${JSON.stringify({ pkcs11 })}\n`,
      ),
      { waitFor: ['far', 'near'] },
    );
    const ask = (name: string, operation: string, body: object) =>
      call(sidecar.socket, `/v1/credentials/${name}/${operation}`, { body });
    const signs = async (name: string, { merchant }: typeof first, message: string) => {
      const { status, content } = await ask(name, 'sign', { message });
      assert.equal(status, 200, content);
      const { signature, keyId } = JSON.parse(content) as Signed;
      assert.equal(keyId, merchant.serialNumber);
      assert.ok(verify('sha256', Buffer.from(message), merchant.publicKey, Buffer.from(signature, 'base64')));
    };
    await signs('far', first, 'a');
    const ciphertext = publicEncrypt({ key: first.merchant.publicKey, oaepHash: 'sha1' }, Buffer.from('张三'));
    assert.equal(privateDecrypt({ key: first.merchant.privateKey, oaepHash: 'sha1' }, ciphertext).toString(), '张三');
    const opened = await ask('far', 'decrypt', { ciphertext: ciphertext.toString('base64') });
    assert.equal(opened.status, 200, opened.content);

    const swapped = sidecar.event('swapped', { credential: 'far', generation: 2 });
    await volume.write(sets[1]!);
    await swapped;
    await signs('far', second, 'b');

    const pid = Number(sidecar.lines.find(({ event }) => event === 'key-process-started')?.['pid']);
    process.kill(pid, 'SIGSTOP');
    const ended = sidecar.event('key-process-ended', {});
    const hanging = ask('far', 'sign', { message: 'c' });
    for (let n = 0; n < 20; n++) await signs('near', first, `near ${String(n)}`);
    assert.equal((await hanging).status, 503);
    await ended;
    // The next process starts meanwhile: on a busy machine that takes longer than a caller waits.
    while ((await ask('far', 'sign', { message: 'd' })).status === 503);
    await signs('far', second, 'e');
    assert.ok(!sidecar.stdout.includes(rightPin));

    sidecar.child.kill('SIGTERM');
    assert.equal(await sidecar.ended, 0);
  });
});
