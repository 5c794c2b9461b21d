// Incidents of others in which half of a rotation was read: each is a guarantee here.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { wechatpay } from '../../src/providers/wechatpay/provider.ts';
import { readPaths } from '../../src/sources/read-files.ts';
import { createSecretVolume, type Files } from '../../src/testing/secret-volume.ts';
import type { WechatpayMaterial } from '../../src/testing/wechatpay-material.ts';
import { writeInPlace } from '../../src/testing/write-in-place.ts';
import { filesOf, makeDirectory } from '../support/directories.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { makeMaterial, merchantId } from '../support/key-pairs.ts';
import { Reloading } from '../support/reloading.ts';

const clock = new FakeClock();
const provider = wechatpay({ merchantId });
let old: WechatpayMaterial;
let young: WechatpayMaterial;

before(async () => {
  old = await makeMaterial(clock.now(), 0);
  // Turned so that no merchant key of one is a platform key of the other: that is refused too.
  young = await makeMaterial(clock.now(), 3);
});

/** Everything signed must verify with the certificate that the key id names. */
async function signsSoundly(loop: Reloading): Promise<string> {
  const { keyId } = await loop.current.sign(Buffer.from('m'));
  assert.ok([old, young].some(({ merchant }) => merchant.serialNumber === keyId));
  assert.equal(keyId, loop.signsWith);
  return keyId;
}

describe('torn reads', () => {
  it('ENOENT mid-swap (envoy#39498): a reader between publish and cleanup finds a whole set', async (t) => {
    const directory = await makeDirectory(t);
    const volume = await createSecretVolume(directory, filesOf({ key: '1', gone: 'x' }));
    const prepared = await volume.prepare(filesOf({ key: '2' }));
    const reading = readPaths([directory]);
    await prepared.publish();
    const during = readPaths([directory]);
    await prepared.cleanup();
    for (const { data, isAtomic } of await Promise.all([reading, during, readPaths([directory])])) {
      assert.ok(isAtomic && ['gone,key', 'key'].includes([...data.keys()].sort().join()));
    }
  });

  it('half-written pair (spiffe-helper#422): key and certificate of two rotations never sign together', async (t) => {
    const loop = new Reloading(t, { provider, clock: new FakeClock() });
    const present = async (files: Files) => {
      loop.source.content = files;
      await loop.look();
    };
    await present(old.files);
    const half = new Map(old.files).set('apiclient_key.pem', young.files.get('apiclient_key.pem')!);
    await present(half);
    assert.equal(loop.rejection, 'key-mismatch');
    assert.equal(await signsSoundly(loop), old.merchant.serialNumber);
    await present(young.files);
    assert.equal(await signsSoundly(loop), young.merchant.serialNumber);
    assert.equal(loop.entry.rejection, undefined);
  });

  it('in-place truncation: no step of a writer that is not atomic breaks what is current', async (t) => {
    const directory = await makeDirectory(t);
    for (const [name, bytes] of old.files) await writeFile(join(directory, name), bytes);
    const loop = new Reloading(t, { provider, clock: new FakeClock() });
    const present = async () => {
      loop.source.content = (await readPaths([directory])).data;
      await loop.look();
    };
    await present();
    const merchant = ['apiclient_key.pem', 'apiclient_cert.pem', 'apiv3_key'];
    const files: Files = new Map(merchant.map((name) => [name, young.files.get(name)!]));
    const codes = new Set<string | undefined>();
    const steps = writeInPlace(directory, files);
    while ((await steps.next()).done !== true) {
      await present();
      await signsSoundly(loop);
      codes.add(loop.rejection);
    }
    assert.equal(await signsSoundly(loop), young.merchant.serialNumber);
    assert.ok(codes.has('key-mismatch') && codes.has('apiv3-key-length'), [...codes].join());
  });
});
