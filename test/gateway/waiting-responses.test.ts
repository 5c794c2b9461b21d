// A response of WeChat Pay under a serial number that nobody knows waits for the one list that is asked for, and for nothing else.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { before, describe, it, type TestContext } from 'node:test';
import { startWechatpayGateway } from '../../src/testing/wechatpay-gateway.ts';
import { type PlatformKey, rotatePlatform, type WechatpayMaterial } from '../../src/testing/wechatpay-material.ts';
import { hour } from '../support/downloading.ts';
import { Listing, ownFiles } from '../support/listing.ts';
import { makeMaterial, now } from '../support/wechatpay.ts';

const never = new AbortController().signal;

/** A host that takes every connection and says nothing. */
async function startSilent(t: TestContext): Promise<string> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => void sockets.push(socket.on('error', () => undefined)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}

describe('a response under a serial number that nobody knows', { timeout: 900_000 }, () => {
  let material: WechatpayMaterial;
  let after: WechatpayMaterial;
  let added: PlatformKey;
  before(async () => {
    material = await makeMaterial();
    after = await rotatePlatform(material, { now });
    const key = after.platformKeys.at(-1);
    assert.ok(key);
    added = key;
  });

  /** The platform signs with a new certificate; the list that this process has is the one before. */
  async function startBehind(t: TestContext) {
    const listing = new Listing(t, ownFiles(material));
    const platform = await startWechatpayGateway({ now: () => listing.clock.now() });
    t.after(() => platform.close());
    platform.admit(material);
    const listed = listing.recorder.next('swapped', ({ generation }) => generation === 2);
    listing.start(t, platform.url);
    await listed;
    platform.setPlatformKeys(material.merchantId, after.platformKeys);
    const learn = (keyId = added.keyId, gone = never) => listing.certificates.learn('shop', keyId, gone);
    return { listing, platform, learn };
  }

  it('waits while the list is asked for and loaded, as all of them do, and verifies then', async (t) => {
    const { listing, learn } = await startBehind(t);
    assert.equal(await learn(), false, 'nobody asks for it');
    assert.equal(await listing.verify(added), 'key-id-unknown');
    assert.deepEqual(await Promise.all([learn(), learn(added.keyId, AbortSignal.abort()), learn()]), [true, false, true]); // prettier-ignore
    assert.equal(await listing.verify(added), added.keyId);
    assert.equal(listing.downloads, 2);
    assert.equal(await listing.certificates.learn('other', added.keyId, never), false);
  });

  it('waits for the loading of a list that has come already', async (t) => {
    const { listing, learn } = await startBehind(t);
    const asked = listing.recorder.next('certificates-listed');
    assert.equal(await listing.verify(added), 'key-id-unknown');
    await asked;
    assert.equal(await learn(), true);
    assert.equal(await listing.verify(added), added.keyId);
  });

  it('waits for the first list of a start', async (t) => {
    const listing = new Listing(t, ownFiles(material));
    const platform = await startWechatpayGateway({ now: () => listing.clock.now() });
    t.after(() => platform.close());
    platform.admit(material);
    await listing.swapped(() => void listing.start(t, platform.url));
    const [key] = material.platformKeys;
    assert.ok(key);
    assert.equal(await listing.verify(key), 'no-platform-key');
    assert.equal(await listing.certificates.learn('shop', key.keyId, never), true);
    assert.equal(await listing.verify(key), key.keyId);
  });

  it('waits for no list that does not name it, and not again while that is remembered', async (t) => {
    const { listing, platform, learn } = await startBehind(t);
    platform.setPlatformKeys(material.merchantId, material.platformKeys);
    assert.equal(await listing.verify(added), 'key-id-unknown');
    assert.equal(await learn(), false);
    assert.equal(await listing.verify(added), 'key-id-unknown');
    assert.equal(await learn(), false, 'nothing is asked');
    assert.equal(listing.downloads, 2);
  });

  it('waits for nothing where it names a public key', async (t) => {
    const { listing, learn } = await startBehind(t);
    const asked = listing.recorder.next('certificates-listed');
    assert.equal(await listing.verify(added), 'key-id-unknown');
    assert.equal(await learn(`PUB_KEY_ID_${'0'.repeat(30)}`), false);
    assert.equal(listing.downloads, 1, 'the list is still asked for');
    await asked;
  });

  it('waits no longer than the question takes that fails', async (t) => {
    const { listing, platform, learn } = await startBehind(t);
    await platform.close();
    assert.equal(await listing.verify(added), 'key-id-unknown');
    assert.equal(await learn(), false);
    assert.equal(listing.state?.outcome, 'failed');
  });

  it('waits five seconds at most for a platform that is silent', async (t) => {
    const listing = new Listing(t, ownFiles(material));
    const silent = await startSilent(t);
    await listing.swapped(() => void listing.start(t, silent));
    const waited = listing.certificates.learn('shop', added.keyId, never);
    listing.clock.advance(5000);
    assert.equal(await waited, false);
  });

  it('waits for nobody once the credential is no longer followed', async (t) => {
    const listing = new Listing(t, ownFiles(material));
    const silent = await startSilent(t);
    const swapped = listing.recorder.next('swapped');
    const stop = listing.start(t, silent);
    await swapped;
    const waited = listing.certificates.learn('shop', added.keyId, never);
    await stop();
    assert.equal(await waited, false);
    assert.equal(await listing.certificates.learn('shop', added.keyId, never), false);
  });

  it('is asked for in public-key mode once a day, and waits for that alone', async (t) => {
    const publicOnly = await makeMaterial({ platformCertificates: 0, publicKey: true });
    const listing = new Listing(t, publicOnly.files);
    const platform = await startWechatpayGateway({ now: () => listing.clock.now() });
    t.after(() => platform.close());
    platform.admit(publicOnly);
    assert.equal(await listing.asked(() => void listing.start(t, platform.url)), 'absent');
    const learn = () => listing.certificates.learn('shop', added.keyId, never);
    assert.equal(await listing.verify(added), 'key-id-unknown');
    assert.equal(await learn(), false);
    assert.equal(listing.downloads, 2);
    listing.clock.advance(hour);
    assert.equal(await listing.verify(added), 'key-id-unknown');
    assert.equal(await learn(), false);
    assert.equal(listing.downloads, 2);
  });
});
