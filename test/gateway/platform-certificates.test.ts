// Platform certificates that are downloaded: they arrive before they are needed, and no failure takes away what verifies.
import assert from 'node:assert/strict';
import { before, describe, it, type TestContext } from 'node:test';
import { PaycertError } from '../../src/errors.ts';
import {
  encryptResource,
  type Gateway,
  type PlatformKey,
  rotateApiV3Key,
  rotateMerchant,
  rotatePlatform,
  signMessage,
  startWechatpayGateway,
  type WechatpayMaterial,
} from '../../src/testing/index.ts';
import { describeForFleet } from '../../src/store/sighting.ts';
import { day, hour } from '../support/downloading.ts';
import { Listing, ownFiles, serialsOf } from '../support/listing.ts';
import { startRawPlatform } from '../support/raw-platform.ts';
import { makeMaterial, now } from '../support/wechatpay.ts';

/** Its clock is the one of the test. */
async function startPlatform(t: TestContext, listing: Listing, material: WechatpayMaterial): Promise<Gateway> {
  const platform = await startWechatpayGateway({ now: () => listing.clock.now() });
  t.after(() => platform.close());
  platform.admit(material);
  return platform;
}

/** A merchant whose certificates have been downloaded once. */
async function startListed(t: TestContext, material: WechatpayMaterial) {
  const listing = new Listing(t, ownFiles(material));
  const platform = await startPlatform(t, listing, material);
  const listed = listing.recorder.next('swapped', ({ generation }) => generation === 2);
  listing.start(t, platform.url);
  await listed;
  return { listing, platform };
}

describe('platform certificates that are downloaded', { timeout: 900_000 }, () => {
  let material: WechatpayMaterial;
  let after: WechatpayMaterial;
  before(async () => {
    material = await makeMaterial();
    after = await rotatePlatform(material, { now });
  });

  it('verify though the merchant has none of them in its own material', async (t) => {
    const { listing } = await startListed(t, material);
    assert.deepEqual(listing.serials, serialsOf(material));
    assert.deepEqual(listing.state, { at: now, outcome: 'listed', listedAt: now });
    for (const key of material.platformKeys) assert.equal(await listing.verify(key), key.keyId);
  });

  it('are asked for again after six hours, and a new one is there before it signs', async (t) => {
    const { listing, platform } = await startListed(t, material);
    listing.clock.advance(5 * hour);
    platform.setPlatformKeys(material.merchantId, after.platformKeys);
    await listing.swapped(() => listing.clock.advance(hour));
    assert.deepEqual(listing.serials, serialsOf(after));
    assert.equal(listing.downloads, 2);
    const [gone] = material.platformKeys;
    assert.ok(gone && !serialsOf(after).includes(gone.keyId));
    assert.equal(await listing.verify(gone), gone.keyId, 'what is no longer listed verifies for the grace of its set');
  });

  it('are no swap where the list is the same again', async (t) => {
    const { listing } = await startListed(t, material);
    assert.equal(await listing.asked(() => listing.clock.advance(6 * hour)), 'listed');
    assert.deepEqual(listing.recorder.of('certificates-listed').map(({ isChanged }) => isChanged), [true, false]); // prettier-ignore
    assert.equal(listing.store.current('shop').generation, 2);
  });

  it('hold up no start: the merchant signs while the platform does not respond', async (t) => {
    const listing = new Listing(t, ownFiles(material));
    const silent = await startRawPlatform(t);
    await listing.swapped(() => void listing.start(t, silent.origin));
    const { context } = listing.store.current('shop');
    assert.deepEqual([...context.set.capabilities(now)].sort(), ['decrypt', 'sign']);
  });

  it('stay when the platform is away, which is said, and are asked for again with growing pauses', async (t) => {
    const { listing, platform } = await startListed(t, material);
    await platform.close();
    assert.equal(await listing.asked(() => listing.clock.advance(6 * hour)), 'gateway-unreachable');
    assert.deepEqual(listing.serials, serialsOf(material));
    assert.deepEqual([listing.state?.outcome, listing.state?.listedAt], ['failed', now]);
    for (const minutes of [1, 2, 4, 8])
      assert.equal(await listing.asked(() => listing.clock.advance(minutes * 60_000)), 'gateway-unreachable');
    assert.deepEqual(
      listing.recorder.of('certificates-listed').map(({ isNew }) => isNew),
      [true, true, false, false, false, false],
    );
  });

  it('stay when the list is empty', async (t) => {
    const { listing, platform } = await startListed(t, material);
    platform.setPlatformKeys(material.merchantId, []);
    assert.equal(await listing.asked(() => listing.clock.advance(6 * hour)), 'certificate-list-empty');
    assert.deepEqual(listing.serials, serialsOf(material));
  });

  it('stay when the console has another merchant certificate, and the code of the platform is said', async (t) => {
    const { listing, platform } = await startListed(t, material);
    platform.revoke(material.merchantId, material.merchant.serialNumber);
    assert.equal(await listing.asked(() => listing.clock.advance(6 * hour)), 'certificate-list-refused');
    assert.match(listing.state?.error?.message ?? '', /responded with 401 SIGN_ERROR$/);
    assert.deepEqual(listing.serials, serialsOf(material));
  });

  it('are asked for again at once when the console has the key by then, and it becomes current', async (t) => {
    const { listing, platform } = await startListed(t, material);
    platform.revoke(material.merchantId, material.merchant.serialNumber);
    assert.equal(await listing.asked(() => listing.clock.advance(6 * hour)), 'certificate-list-refused');
    platform.trust(material.merchantId, material.merchant);
    const [swapped] = listing.recorder.of('swapped');
    assert.ok(swapped);
    assert.equal(await listing.asked(() => listing.dependencies.observe(swapped)), 'listed');
    listing.dependencies.observe(swapped);
    listing.clock.advance(hour);
    assert.equal(listing.downloads, 3, 'what has not failed is asked for in its time');
  });

  it('are asked for again soon when the key stays elsewhere, and cannot be used now', async (t) => {
    const { listing, platform } = await startListed(t, material);
    listing.keyTrouble = new PaycertError('key-service-unavailable', 'nothing responds', {
      field: 'apiclient_key.pem',
    });
    assert.equal(await listing.asked(() => listing.clock.advance(6 * hour)), 'key-service-unavailable');
    assert.deepEqual([listing.serials, platform.counts.accepted], [serialsOf(material), 1]);
    listing.keyTrouble = undefined;
    assert.equal(await listing.asked(() => listing.clock.advance(60_000)), 'listed');
  });

  it('are asked for with new material at once, signed with its key, and stay through the change', async (t) => {
    const { listing, platform } = await startListed(t, material);
    const rotated = await rotateMerchant(material, { now });
    platform.trust(material.merchantId, rotated.merchant);
    platform.revoke(material.merchantId, material.merchant.serialNumber);
    listing.source.content = ownFiles(rotated);
    const asked = listing.recorder.next('certificates-listed');
    await listing.swapped(() => listing.source.tick());
    assert.deepEqual(listing.serials, serialsOf(material));
    assert.equal((await asked).outcome, 'listed');
    assert.equal(platform.counts.bySerial.get(rotated.merchant.serialNumber), 1);
    assert.deepEqual(listing.recorder.of('rejected'), []);
  });

  it('are opened with the previous APIv3 key while the platform has not changed over', async (t) => {
    const rotated = rotateApiV3Key(material);
    const listing = new Listing(t, ownFiles(rotated));
    const platform = await startPlatform(t, listing, material);
    assert.equal(await listing.asked(() => void listing.start(t, platform.url)), 'listed');
  });

  it('need an APIv3 key, and the right one', async (t) => {
    const [without, other] = [new Map(ownFiles(material)), new Map(ownFiles(material))];
    without.delete('apiv3_key');
    other.set('apiv3_key', Buffer.from('k'.repeat(32)));
    for (const [files, code] of [
      [without, 'no-apiv3-key'],
      [other, 'decryption-failed'],
    ] as const) {
      // prettier-ignore
      const listing = new Listing(t, files);
      const platform = await startPlatform(t, listing, material);
      assert.equal(await listing.asked(() => void listing.start(t, platform.url)), code);
      assert.deepEqual(listing.serials, []);
    }
  });

  it('are kept through a new configuration of the same account, and not for another', async (t) => {
    const { listing, platform } = await startListed(t, material);
    const signal = new AbortController().signal;
    const namesOf = async (merchant?: string) =>
      [...(await listing.decorated(platform.url, merchant).source.read(signal)).data.keys()].filter((name) => name.startsWith('wechatpay_downloaded-')); // prettier-ignore
    assert.equal((await namesOf()).length, 2);
    assert.deepEqual(await namesOf('1900000002'), []);
  });

  it('leave what a sidecar reports to the fleet as it is: that is compared with the Secret', async (t) => {
    const withSeed = new Map([...ownFiles(material), ...[...material.files].filter(([name]) => name.startsWith('wechatpay_')).slice(0, 1)]); // prettier-ignore
    for (const files of [ownFiles(material), withSeed]) {
      const listing = new Listing(t, files);
      const platform = await startPlatform(t, listing, material);
      const sightings = () => describeForFleet('0', listing.store.entries()).credentials.map(({ snapshotId }) => snapshotId); // prettier-ignore
      const listed = listing.recorder.next('swapped', ({ generation }) => generation === 2);
      await listing.swapped(() => void listing.start(t, platform.url));
      const before = sightings();
      await listed;
      assert.deepEqual([sightings(), listing.serials], [before, serialsOf(material)]);
    }
  });

  it('go to both sets of a staged source', async (t) => {
    const { listing, platform } = await startListed(t, material);
    listing.source.about = {
      staged: { isActive: false, isRejected: false, share: 0, activation: { percent: 0 }, other: ownFiles(material) },
    };
    const { staged } = await listing.decorated(platform.url).source.read(new AbortController().signal);
    assert.ok(staged && !(staged.other instanceof Error));
    assert.equal([...staged.other.keys()].filter((name) => name.startsWith('wechatpay_downloaded-')).length, 2);
  });
});

describe('a merchant that is verified with a public key only', { timeout: 900_000 }, () => {
  const start = async (t: TestContext, material: WechatpayMaterial) => {
    const listing = new Listing(t, material.files);
    const platform = await startPlatform(t, listing, material);
    // Which of the two comes first is open.
    const loaded = listing.recorder.next('swapped');
    const outcome = await listing.asked(() => void listing.start(t, platform.url));
    await loaded;
    return { listing, platform, outcome };
  };

  it('is asked once a day, once more for an unknown serial number, and with new material', async (t) => {
    const material = await makeMaterial({ platformCertificates: 0, publicKey: true });
    const { platformKeys } = await makeMaterial({ platformCertificates: 2 });
    const [one, two] = platformKeys;
    assert.ok(one && two);
    const { listing, outcome } = await start(t, material);
    assert.equal(outcome, 'absent');
    assert.equal(listing.state?.error, undefined);

    listing.clock.advance(day - hour);
    assert.equal(listing.downloads, 1);
    assert.equal(await listing.asked(() => listing.clock.advance(hour)), 'absent');

    const again = listing.recorder.next('certificates-listed');
    assert.equal(await listing.verify(one), 'key-id-unknown');
    assert.equal((await again).outcome, 'absent');
    assert.equal(await listing.verify(two), 'key-id-unknown');
    listing.clock.advance(hour);
    assert.equal(listing.downloads, 3);

    listing.source.content = rotateApiV3Key(material).files;
    assert.equal(await listing.asked(() => listing.source.tick()), 'absent');
  });

  it('has its certificates again when it switches back', async (t) => {
    const material = await makeMaterial({ platformCertificates: 1, publicKey: true });
    const publicOnly = material.platformKeys.filter(({ issued }) => issued === undefined);
    const [certificate] = material.platformKeys;
    assert.ok(certificate);
    const { listing, platform, outcome } = await start(t, { ...material, files: ownFiles(material), platformKeys: publicOnly }); // prettier-ignore
    assert.equal(outcome, 'absent');
    platform.setPlatformKeys(material.merchantId, material.platformKeys);
    await listing.swapped(() => listing.verify(certificate));
    assert.equal(await listing.verify(certificate), certificate.keyId);
  });
});

describe('an unknown serial number', { timeout: 900_000 }, () => {
  it('has the list asked for once, not again within five minutes, and six times an hour at most', async (t) => {
    const material = await makeMaterial();
    const { listing, platform } = await startListed(t, material);
    const after = await rotatePlatform(material, { now });
    const added = after.platformKeys.at(-1);
    assert.ok(added);
    platform.setPlatformKeys(material.merchantId, after.platformKeys);
    await listing.swapped(async () => {
      const answers = await Promise.all(Array.from({ length: 20 }, () => listing.verify(added)));
      assert.deepEqual([...new Set(answers)], ['key-id-unknown']);
    });
    assert.equal(listing.downloads, 2);
    assert.equal(await listing.verify(added), added.keyId);

    const stranger = { ...added, keyId: `${'0'.repeat(39)}1` };
    const forged = (index: number): PlatformKey => ({ ...stranger, keyId: index.toString(16).padStart(40, 'A') });
    for (let count = 1; count <= 5; count++) {
      const asked = listing.recorder.next('certificates-listed');
      assert.equal(await listing.verify(forged(count)), 'key-id-unknown');
      assert.equal((await asked).outcome, 'listed');
      assert.equal(await listing.verify(forged(count)), 'key-id-unknown', 'it is remembered');
    }
    for (let count = 6; count <= 50; count++) await listing.verify(forged(count));
    assert.equal(listing.downloads, 7);
    listing.clock.advance(hour);
    assert.equal(listing.downloads, 7);
    const asked = listing.recorder.next('certificates-listed');
    await listing.verify(forged(51));
    assert.equal((await asked).outcome, 'listed');
  });

  it('that is no serial number, or a probe, asks for nothing', async (t) => {
    const material = await makeMaterial({ platformCertificates: 1 });
    const { listing } = await startListed(t, material);
    const [key] = material.platformKeys;
    assert.ok(key);
    assert.equal(await listing.verify({ ...key, keyId: `PUB_KEY_ID_${'0'.repeat(30)}` }), 'key-id-unknown');
    assert.equal(await listing.verify({ ...key, keyId: 'x'.repeat(40) }), 'key-id-unknown');
    listing.clock.advance(hour);
    assert.equal(listing.downloads, 1);
  });
});

describe('a list that is not the platform’s', { timeout: 900_000 }, () => {
  let material: WechatpayMaterial;
  let other: WechatpayMaterial;
  before(async () => {
    [material, other] = [await makeMaterial(), await makeMaterial()];
  });

  /** A response as the platform writes it, of those certificates and signed with that key. */
  function respond(listed: readonly PlatformKey[], signer: PlatformKey, change = (body: string) => body): Buffer {
    const { apiV3Key } = material;
    const data = listed.map(({ keyId, issued }) => ({
      serial_no: keyId,
      effective_time: '2026-01-01T00:00:00+08:00',
      expire_time: '2031-01-01T00:00:00+08:00',
      encrypt_certificate: encryptResource(issued?.certificate ?? '', { apiV3Key, associatedData: 'certificate' }),
    }));
    const { headers, body } = signMessage(change(JSON.stringify({ data })), { platformKey: signer, now });
    const head = Object.entries({ ...headers, 'Content-Length': String(body.byteLength) }).map((pair) => pair.join(': ')); // prettier-ignore
    return Buffer.concat([Buffer.from(`${['HTTP/1.1 200 OK', ...head].join('\r\n')}\r\n\r\n`), body]);
  }

  /** What becomes of it when these keys are known; only what is in its own files is. */
  async function outcomeOf(t: TestContext, files: WechatpayMaterial['files'], response: Buffer) {
    const listing = new Listing(t, files);
    const platform = await startRawPlatform(t);
    platform.respond(response);
    const outcome = await listing.asked(() => void listing.start(t, platform.origin));
    return { outcome, listing };
  }

  it('is refused when it is signed with a key that it does not bring', async (t) => {
    const [listed, stranger] = [material.platformKeys, other.platformKeys[0]];
    assert.ok(stranger);
    for (const files of [ownFiles(material), material.files])
      assert.equal((await outcomeOf(t, files, respond(listed, stranger))).outcome, 'certificate-list-unverified');
  });

  it('is refused when a known serial number is not signed with its known key, whatever the list brings', async (t) => {
    const [known] = material.platformKeys;
    const [stranger] = other.platformKeys;
    assert.ok(known && stranger);
    const forged = { ...stranger, keyId: known.keyId };
    const response = respond([stranger], forged);
    assert.equal((await outcomeOf(t, material.files, response)).outcome, 'certificate-list-unverified');
  });

  it('is taken from a serial number that is unknown, since who wrote it has the APIv3 key', async (t) => {
    const [newer] = other.platformKeys;
    assert.ok(newer);
    assert.equal((await outcomeOf(t, material.files, respond([newer], newer))).outcome, 'listed');
  });

  it('is refused when it is unsigned, old, a probe, or not whole', async (t) => {
    const [key] = material.platformKeys;
    assert.ok(key);
    const good = respond([key], key).toString('latin1');
    for (const [what, response, code] of [
      ['unsigned', good.replace(/^Wechatpay-.*\r\n/gm, ''), 'certificate-list-unverified'],
      ['old', good.replace(/(Wechatpay-Timestamp: )\d+/, '$11600000000'), 'certificate-list-unverified'],
      ['a probe', good.replace(/(Wechatpay-Signature: ).{19}/, '$1WECHATPAY/SIGNTEST/'), 'certificate-list-unverified'],
      ['cut', good.slice(0, -10), 'gateway-interrupted'],
      ['moved', good.replace('200 OK', '302 Found'), 'gateway-redirected'],
      ['a page', good.replace('200 OK', '403 Forbidden'), 'certificate-list-refused'],
      [
        'too large',
        good.replace(/Content-Length: \d+/, 'Content-Length: 300000') + ' '.repeat(300_000),
        'response-too-large',
      ],
    ] as const)
      // prettier-ignore
      assert.equal((await outcomeOf(t, ownFiles(material), Buffer.from(response, 'latin1'))).outcome, code, what);
  });

  it('is refused when it holds the merchant’s own certificate, and a rotation of the merchant still works', async (t) => {
    const [key] = material.platformKeys;
    assert.ok(key);
    const { merchant } = material;
    const own = { keyId: merchant.serialNumber, privateKey: merchant.privateKey, publicKey: merchant.publicKey, issued: merchant }; // prettier-ignore
    const { outcome, listing } = await outcomeOf(t, material.files, respond([key, own], key));
    assert.equal(outcome, 'certificate-list-invalid');
    listing.source.content = (await rotateMerchant(material, { now })).files;
    await listing.swapped(() => listing.source.tick());
    assert.deepEqual(listing.recorder.of('rejected'), []);
  });

  it('names an earlier end than the certificate has, which counts', async (t) => {
    const [key] = material.platformKeys;
    assert.ok(key);
    const soon = respond([key], key, (body) => body.replace('2031-01-01T00:00:00+08:00', '2026-03-02T08:00:00+08:00'));
    const platform = await startRawPlatform(t);
    const listing = new Listing(t, ownFiles(material));
    platform.respond(soon);
    const listed = listing.recorder.next('swapped', ({ generation }) => generation === 2);
    listing.start(t, platform.origin);
    await listed;
    assert.equal(await listing.verify(key), key.keyId);
    listing.clock.jump(day);
    assert.equal(await listing.verify(key), 'no-platform-key');
  });
});
