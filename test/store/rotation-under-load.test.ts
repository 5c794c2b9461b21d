// The promise of the whole: keys rotate as fast as the loop follows, and no call notices.
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { it } from 'node:test';
import { rsaPkcs1 } from '../../src/crypto/suites.ts';
import { wechatpay } from '../../src/providers/wechatpay/provider.ts';
import { createAuthority } from '../../src/testing/authority.ts';
import type { KeyPair } from '../../src/testing/key-pair.ts';
import { createSecretVolume } from '../../src/testing/secret-volume.ts';
import { createWechatpayMaterial, rotateMerchant, rotatePlatform } from '../../src/testing/wechatpay-material.ts';
import { signMessage } from '../../src/testing/wechatpay-message.ts';
import { makeDirectory } from '../support/directories.ts';
import { keyPairs, merchantId } from '../support/key-pairs.ts';
import type { Burst } from '../support/rotating-child.ts';
import { Watching } from '../support/watching.ts';

const swaps = 1000;
const callers = 32;

/** Merchant and platform rotate in turn; neither ever has a key that the other has had. */
async function makeVersions(now: Date) {
  const [root, a, b, c, d] = (await keyPairs()) as [KeyPair, KeyPair, KeyPair, KeyPair, KeyPair];
  const authority = await createAuthority({ now, keyPair: root });
  const options = { merchantId, now, authority, platformCertificates: 1, keyPairs: [a, c] };
  const first = await createWechatpayMaterial(options);
  const second = await rotateMerchant(first, { now, keyPair: b });
  const third = await rotateMerchant(await rotatePlatform(second, { now, keyPair: d }), { now, keyPair: a });
  return [first, second, third, await rotateMerchant(third, { now, keyPair: b })] as const;
}

// A minute of processor time, beside whatever else a machine does.
const limit = { timeout: 900_000 };
it('a thousand rotations under 32 callers fail no call, and the last version is current', limit, async (t) => {
  const now = new Date();
  const versions = await makeVersions(now);
  const [first] = versions;
  const certificates = new Map(versions.map(({ merchant }) => [merchant.serialNumber, merchant.publicKey]));
  const platformKeys = versions.flatMap((version) => version.platformKeys);
  const answers = platformKeys.map((platformKey) => signMessage(Buffer.from('{}'), { platformKey, now }));

  const directory = await makeDirectory(t);
  const volume = await createSecretVolume(directory, first.files);
  const watching = new Watching(t, { paths: [directory], provider: wechatpay({ merchantId }), pollMilliseconds: 1000 });
  // Each once, so that every answer is that of a current or a retired key from here on.
  for (const { files, merchant } of [...versions, first]) {
    await volume.write(files);
    await watching.untilSignsWith(merchant.serialNumber);
  }

  const state = { isRotating: true, calls: 0, failures: [] as unknown[] };
  t.after(() => (state.isRotating = false));
  const call = async (n: number): Promise<void> => {
    const message = Buffer.from(`request ${String(n)}`);
    const { signature, keyId } = await watching.current.sign(message);
    const publicKey = certificates.get(keyId);
    assert.ok(publicKey && rsaPkcs1.verify(publicKey, message, signature), `signature under ${keyId}`);
    await watching.current.verify({ kind: 'notification', ...answers[n % answers.length]! }, now);
  };
  const caller = async (): Promise<void> => {
    while (state.isRotating) await call(state.calls++).catch((error: unknown) => state.failures.push(error));
  };
  const before = watching.current.generation;
  const calling = Array.from({ length: callers }, caller);

  const writer = fork(join(import.meta.dirname, '../support/rotating-child.ts'), { serialization: 'advanced' });
  t.after(() => writer.kill());
  for (let written = 0, length = 1; written < swaps; length = (length % 7) + 1) {
    // Some of a burst are overtaken before they are read, and some are read while they are swapped away.
    const burst = Array.from({ length }, () => versions[++written % versions.length]!);
    writer.send({ directory, versions: burst.map(({ files }) => files) } satisfies Burst);
    await once(writer, 'message');
    await watching.untilSignsWith(burst.at(-1)!.merchant.serialNumber);
  }
  state.isRotating = false;
  await Promise.all(calling);

  assert.deepEqual(state.failures, []);
  for (const type of ['rejected', 'source-failed', 'internal-error', 'watch-failed'] as const) {
    assert.deepEqual(watching.recorder.of(type), [], type);
  }
  const followed = watching.current.generation - before;
  t.diagnostic(`${String(swaps)} swaps, ${String(followed)} followed, ${String(state.calls)} calls`);
  assert.ok(state.calls > 1000 && followed >= swaps / 7);
});
