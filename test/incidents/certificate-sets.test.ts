// Incidents of others with platform certificates: each is a guarantee here, with real WeChat Pay material.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { wechatpay } from '../../src/providers/wechatpay/provider.ts';
import { createAuthority, type Authority, type Issued } from '../../src/testing/authority.ts';
import { signMessage } from '../../src/testing/wechatpay-message.ts';
import type { WechatpayMaterial } from '../../src/testing/wechatpay-material.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { keyPairs, makeMaterial, merchantId } from '../support/key-pairs.ts';
import { Reloading } from '../support/reloading.ts';

const minute = 60_000;
const start = new FakeClock().now();
let material: WechatpayMaterial;
let authority: Authority;

before(async () => {
  material = await makeMaterial(start);
  authority = await createAuthority({ now: start, keyPair: (await keyPairs())[0]! });
});

/** A platform certificate, its key chosen by number. */
const issue = async (key: number, lifeMilliseconds: number, serialNumber?: string): Promise<Issued> =>
  authority.issue({
    commonName: 'Tenpay.com sign',
    keyPair: (await keyPairs())[key]!,
    notBefore: new Date(start.getTime() - 86_400_000),
    notAfter: new Date(start.getTime() + lifeMilliseconds),
    ...(serialNumber !== undefined && { serialNumber }),
  });

function withPlatform(...issued: Issued[]): Map<string, Uint8Array> {
  const files = [...material.files].filter(([name]) => !name.startsWith('wechatpay_'));
  return new Map([
    ...files,
    ...issued.map(({ certificate }, i): [string, Uint8Array] => [
      `platform/${String(i)}.pem`,
      Buffer.from(certificate),
    ]),
  ]);
}

async function load(loop: Reloading, files: ReadonlyMap<string, Uint8Array>): Promise<void> {
  loop.source.content = files;
  await loop.look();
}

const answer = (issued: Issued, now: Date, keyId = issued.serialNumber) => {
  const body = Buffer.from('{}');
  const { headers } = signMessage(body, { platformKey: { ...issued, keyId }, now });
  return { kind: 'notification', headers, body } as const;
};

describe('certificate sets', () => {
  it('old certificate expired while the new list arrives (apache-httpclient#50): the new list is taken and verifies', async (t) => {
    const loop = new Reloading(t, { provider: wechatpay({ merchantId }) });
    const [old, young] = [await issue(2, minute), await issue(3, 86_400_000)];
    await load(loop, withPlatform(old));
    loop.clock.advance(2 * minute);
    const now = loop.clock.now();
    await assert.rejects(loop.current.verify(answer(old, now), now), { code: 'no-platform-key' });
    await load(loop, withPlatform(old, young));
    assert.equal((await loop.current.verify(answer(young, now), now)).keyId, young.serialNumber);
    await assert.rejects(loop.current.verify(answer(old, now), now), { code: 'key-id-unknown' });
  });

  it('only the newest is kept (gopay#256): both verify while they overlap, before and after the old one left the set', async (t) => {
    const loop = new Reloading(t, { provider: wechatpay({ merchantId }) });
    const [old, young] = [await issue(2, 86_400_000), await issue(3, 86_400_000)];
    const now = loop.clock.now();
    for (const set of [[old, young], [young]]) {
      await load(loop, withPlatform(...set));
      for (const issued of [old, young]) {
        assert.equal((await loop.current.verify(answer(issued, now), now)).keyId, issued.serialNumber);
      }
    }
  });

  it('serial with leading zeros: found however the header writes it', async (t) => {
    const loop = new Reloading(t, { provider: wechatpay({ merchantId }) });
    const issued = await issue(2, 86_400_000, '00ab0c');
    await load(loop, withPlatform(issued));
    const now = loop.clock.now();
    for (const keyId of ['AB0C', 'ab0c', '00AB0C', '0000ab0c']) {
      assert.ok(await loop.current.verify(answer(issued, now, keyId), now), keyId);
    }
    await assert.rejects(loop.current.verify(answer(issued, now, 'AB0C00'), now), { code: 'key-id-unknown' });
  });

  it('empty certificate set (trust-manager#100): it never replaces a full one, and verification goes on', async (t) => {
    const loop = new Reloading(t, { provider: wechatpay({ merchantId }) });
    const issued = await issue(2, 86_400_000);
    await load(loop, withPlatform(issued));
    await load(loop, withPlatform());
    assert.equal(loop.rejection, 'platform-set-emptied');
    const now = loop.clock.now();
    assert.equal((await loop.current.verify(answer(issued, now), now)).keyId, issued.serialNumber);
    await load(loop, withPlatform(await issue(3, -minute)));
    assert.equal(loop.rejection, 'platform-set-emptied', 'nor does one that has expired');
  });

  it('parser bug of one credential: it never stops the reloads of another', async (t) => {
    const [store, clock] = [new Reloading(t).store, new FakeClock()];
    const sound = wechatpay({ merchantId });
    const buggy = { ...sound, load: async () => Promise.reject(new RangeError('index out of range')) };
    const broken = new Reloading(t, { name: 'broken', store, clock, provider: buggy });
    const whole = new Reloading(t, { name: 'whole', store, clock, provider: sound });
    for (const key of [2, 3, 4] as const) {
      const files = withPlatform(await issue(key, 86_400_000));
      await load(broken, files);
      await load(whole, files);
    }
    assert.equal(whole.current.generation, 3);
    assert.equal(broken.rejection, 'internal-error');
  });
});
