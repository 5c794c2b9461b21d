// A sidecar whose keys stay in AWS KMS, end to end: it signs over its socket, follows the reference in a mounted file under load, and says so while KMS is away.
import assert from 'node:assert/strict';
import { type KeyObject, verify } from 'node:crypto';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { createSecretVolume } from '../../src/testing/secret-volume.ts';
import { keyId, noLocalKms, region, useLocalKms } from '../support/local-kms.ts';
import { paycert } from '../support/paycert.ts';
import { signUnderRotations } from '../support/rotation-load.ts';
import { call, configuration, credential, makeDirectory, makeMaterial, startSidecar } from '../support/sidecar.ts';

const limit = { timeout: 300_000, skip: noLocalKms };
const materials = await Promise.all([0, 1].map((rotation) => makeMaterial(rotation)));
const [first, second] = materials;
assert.ok(first && second);
const kms = useLocalKms(async () => ({
  rsa: Object.fromEntries(materials.map(({ merchant }, index) => [keyId(index + 1), { key: merchant.privateKey }])),
}));

/** What a Secret holds: the reference in place of the key, and its certificate. */
const sets = materials.map(
  ({ files }, index): ReadonlyMap<string, Uint8Array> =>
    new Map([...files, ['apiclient_key.pem', Buffer.from(`awskms:///${keyId(index + 1)}\n`)]]),
);
const keys: ReadonlyMap<string, KeyObject> = new Map(
  materials.map(({ merchant }) => [merchant.serialNumber, merchant.publicKey]),
);

interface Signed {
  readonly signature: string;
  readonly keyId: string;
}

async function start(t: TestContext) {
  const directory = await makeDirectory(t);
  const volume = await createSecretVolume(join(directory, 'far'), sets[0]!);
  await createSecretVolume(join(directory, 'near'), second!.files);
  const accessKey = { idFile: join(directory, 'id'), secretFile: join(directory, 'secret') };
  await writeFile(accessKey.idFile, 'AKIDEXAMPLE\n');
  await writeFile(accessKey.secretFile, 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY\n');
  await chmod(accessKey.secretFile, 0o600);
  const awskms = { region, address: kms().url, auth: { accessKey } };
  const sidecar = await startSidecar(
    t,
    directory,
    configuration(
      directory,
      ['far', 'near'].map((name) => credential({ name, path: join(directory, name), more: '    required: true\n' })),
      `keyServices: ${JSON.stringify({ awskms })}\n`,
    ),
    { waitFor: ['far', 'near'] },
  );
  const ask = (name: string, message: string) =>
    call(sidecar.socket, `/v1/credentials/${name}/sign`, { body: { message } });
  const sign = async (message: string, name = 'far') => {
    const { status, content } = await ask(name, message);
    assert.equal(status, 200, content);
    const signed = JSON.parse(content) as Signed;
    return { keyId: signed.keyId, signature: Buffer.from(signed.signature, 'base64') };
  };
  return { volume, sidecar, ask, sign };
}

describe('a sidecar with AWS KMS', () => {
  it(
    'follows its reference through rotations under load: none fails, none is signed by another key',
    limit,
    async (t) => {
      const { volume, sidecar, sign } = await start(t);
      let generation = 1;
      const generationOf = async () => {
        const { content } = await call(sidecar.socket, '/v1/credentials/far');
        return (JSON.parse(content) as { generation: number }).generation;
      };
      const rotate = async (swap: number) => {
        generation += 1;
        await volume.write(sets[swap % 2]!);
        // Not by the log, which counts lines that say the same again.
        while ((await generationOf()) !== generation);
      };
      await signUnderRotations(t, { callers: 8, swaps: 10, sign, keys, rotate });
      assert.ok(!sidecar.lines.some(({ event }) => event === 'rejected'));
      assert.ok(!sidecar.stdout.includes('wJalrXUtnFEMI'));
      sidecar.child.kill('SIGTERM');
      assert.equal(await sidecar.ended, 0);
    },
  );

  it(
    'says while KMS is away that nothing is signed, rejects what is new, and keeps the last good set',
    limit,
    async (t) => {
      const { volume, sidecar, ask, sign } = await start(t);
      const status = async () => (await paycert(['status', '--socket', sidecar.socket])).stdout;
      await sign('before');
      assert.doesNotMatch(await status(), /does not sign/);
      await kms().stop();
      const refused = await ask('far', 'during');
      assert.deepEqual(
        [refused.status, (JSON.parse(refused.content) as { title: string }).title],
        [503, 'key-service-unavailable'],
      );
      // A key in the process signs on, and the pod stays in service: restarting it would help nobody.
      const near = await sign('near', 'near');
      assert.ok(verify('sha256', Buffer.from('near'), second.merchant.publicKey, near.signature));
      assert.equal((await call(sidecar.admin, '/readyz')).status, 200);
      const during = await status();
      assert.match(during, /^elsewhere: far: the key of apiclient_key\.pem is awskms:\/\/\/[0-9a-f-]+$/m);
      assert.match(during, /^does not sign: .*: since 20.+ \(key-service-(?:unavailable|timeout)\)\. /m);
      const rejected = sidecar.event('rejected', { credential: 'far' });
      await volume.write(sets[1]!);
      assert.match(String((await rejected)['code']), /^(origin-unreachable|key-service-timeout)$/);
      // What was rejected is tried again by itself: first the last good set signs, then the new one.
      const swapped = sidecar.event('swapped', { credential: 'far', generation: 2 });
      await kms().restart();
      assert.ok(keys.has((await sign('after')).keyId));
      assert.doesNotMatch(await status(), /does not sign/);
      await swapped;
      assert.equal((await sign('new')).keyId, second.merchant.serialNumber);
    },
  );
});
