// What a sidecar reports to the view of a fleet: which snapshot it has and why not a newer one, and nothing that is derived from a secret but that id.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readSighting } from '../../src/operator/fleet/read-sighting.ts';
import { describeForFleet } from '../../src/store/sighting.ts';
import { withExpiredCertificate } from '../../src/testing/spoiled-material.ts';
import { loadStore, makeMaterial, start } from '../support/api-server.ts';

const material = await makeMaterial();

describe('describeForFleet', () => {
  it('has the snapshot, the key that signs and why newer material is not current', async () => {
    const { store, load } = await loadStore({ shop: { files: material.files }, empty: {} });
    await load('shop', await withExpiredCertificate(material, { now: start }));
    store.update('shop', (entry) => ({
      ...entry,
      frozenPaths: ['/etc/paycert/shop'],
      follows: { name: 'wechat-main' },
    }));
    const [shop, empty] = describeForFleet('1.0.0', store.entries()).credentials;
    assert.deepEqual(shop, {
      name: 'shop',
      resource: 'wechat-main',
      snapshotId: store.current('shop').snapshotId,
      loadedAt: start.toISOString(),
      keyId: material.merchant.serialNumber,
      rejection: 'certificate-expired',
      frozen: true,
    });
    assert.deepEqual(empty, { name: 'empty' });
  });

  it('has no fingerprint, path or id of a symmetric key, and is what a reader takes', async () => {
    const { store } = await loadStore({ shop: { files: material.files } });
    const text = JSON.stringify(describeForFleet('1.0.0', store.entries()));
    for (const { role, keyId, fingerprint } of store.current('shop').context.set.keys) {
      assert.ok(!text.includes(fingerprint), role);
      if (role === 'apiv3') assert.ok(!text.includes(keyId));
    }
    assert.equal(readSighting(Buffer.from(text)).credentials.length, 1);
  });
});
