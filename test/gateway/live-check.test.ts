// Asking a platform about a key that is not current yet: what it says, and what says nothing.
import assert from 'node:assert/strict';
import { before, describe, it, type TestContext } from 'node:test';
import type { Clock } from '../../src/clock.ts';
import { askPlatform } from '../../src/gateway/live-check.ts';
import { OwnCalls } from '../../src/gateway/own-calls.ts';
import { type PlatformConfig, platformOf } from '../../src/providers/registry.ts';
import { Limiter } from '../../src/store/limiter.ts';
import {
  createAlipayMaterial,
  rotateMerchant,
  startAlipayGateway,
  startWechatpayGateway,
  type WechatpayMaterial,
} from '../../src/testing/index.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { ownFiles } from '../support/listing.ts';
import { startRawPlatform } from '../support/raw-platform.ts';
import { makeMaterial, merchantId, now } from '../support/wechatpay.ts';

const shop: PlatformConfig = { wechatpay: { merchantId } };

interface Asking {
  readonly config?: PlatformConfig;
  /** The doubles answer with the Date of this machine. */
  readonly at?: () => Date;
}

const today = () => new Date();

/** What is made of the platform at that address, for the key of those files. No deadline ever comes. */
async function ask(
  t: TestContext,
  address: string,
  { files }: Pick<WechatpayMaterial, 'files'>,
  { config = shop, at = () => now }: Asking = {},
) {
  const { platform, options: provided } = platformOf(config);
  const { liveCheck: check } = platform;
  assert.ok(check);
  const timeless = new FakeClock();
  const clock: Clock = { now: at, sleep: (milliseconds, signal) => timeless.sleep(milliseconds, signal) };
  const calls = new OwnCalls({
    clock,
    observe: () => undefined,
    limiter: new Limiter(8),
    milliseconds: () => clock.now().getTime(),
  });
  t.after(() => calls.close());
  const [origin = ''] = platform.origins(provided);
  const options = { credential: 'shop', check, destinations: [{ origin, address }], calls, clock };
  const context = await platform.create(provided).load(files);
  const answer = await askPlatform(options)(context, new AbortController().signal);
  return answer.verdict === 'accepted' ? [answer.verdict] : [answer.verdict, answer.error.code, answer.error.message];
}

async function startPlatform(t: TestContext, material: WechatpayMaterial) {
  const platform = await startWechatpayGateway({ now: today });
  t.after(() => platform.close());
  platform.admit(material);
  return platform;
}

describe('a live check of a merchant key', { timeout: 900_000 }, () => {
  let material: WechatpayMaterial;
  let rotated: WechatpayMaterial;
  before(async () => {
    material = await makeMaterial({ now: today() });
    rotated = await rotateMerchant(material, { now: today() });
  });

  it('is accepted once the console has the key, and refused before', async (t) => {
    const platform = await startPlatform(t, material);
    assert.deepEqual(await ask(t, platform.url, material, { at: today }), ['accepted']);
    const [verdict, code, message] = await ask(t, platform.url, rotated, { at: today });
    assert.deepEqual([verdict, code], ['refused', 'refused-by-platform']);
    assert.match(message ?? '', /^127\.0\.0\.1:\d+ responded with 401 /);
    platform.trust(merchantId, rotated.merchant);
    assert.deepEqual(await ask(t, platform.url, rotated, { at: today }), ['accepted']);
    assert.equal(platform.counts.bySerial.get(rotated.merchant.serialNumber), 1);
  });

  it('is accepted for a merchant that is verified with a public key only', async (t) => {
    const publicOnly = await makeMaterial({ platformCertificates: 0, publicKey: true, now: today() });
    const platform = await startPlatform(t, publicOnly);
    assert.deepEqual(await ask(t, platform.url, publicOnly, { at: today }), ['accepted']);
  });

  it('is accepted where no key of the platform is known', async (t) => {
    const platform = await startPlatform(t, material);
    assert.deepEqual(await ask(t, platform.url, { files: ownFiles(material) }, { at: today }), ['accepted']);
  });

  const respond = (status: string, more: string, body = '{"code":"X"}') =>
    `HTTP/1.1 ${status}\r\n${more}Content-Length: ${String(Buffer.byteLength(body))}\r\n\r\n${body}`;
  const date = (milliseconds: number) => `Date: ${new Date(now.getTime() + milliseconds).toUTCString()}\r\n`;

  for (const [what, response, verdict] of [
    ['a 401 at the right time', respond('401 X', date(0)), 'refused'],
    ['a 401 half a minute off', respond('401 X', date(30_000)), 'refused'],
    ['a 401 while the clock is two minutes behind', respond('401 X', date(120_000)), 'none'],
    ['a 401 while the clock is six minutes ahead', respond('401 X', date(-360_000)), 'none'],
    ['a 500', respond('500 X', date(0)), 'none'],
    ['a 429', respond('429 X', date(0)), 'none'],
    ['a 400', respond('400 X', date(0)), 'none'],
    ['a 403 of a proxy', respond('403 X', date(0), '<html>'), 'none'],
    ['a 403 of the platform', respond('403 X', date(0)), 'accepted'],
    ['a 404 of the platform', respond('404 X', date(0)), 'accepted'],
    ['a redirect', respond('302 X', 'Location: https://evil.example\r\n'), 'none'],
    ['a success that is not signed', respond('200 X', date(0)), 'none'],
    ['a connection that ends', 'HTTP/1.1 200 X\r\nContent-Length: 9\r\n\r\n{', 'none'],
  ] as const)
    it(`takes ${what} for ${verdict === 'none' ? 'no verdict' : verdict}`, async (t) => {
      const platform = await startRawPlatform(t);
      platform.respond(response);
      assert.equal((await ask(t, platform.origin, material))[0], verdict);
    });

  it('takes a platform that nobody can connect to for no verdict', async (t) => {
    const platform = await startPlatform(t, material);
    await platform.close();
    assert.deepEqual((await ask(t, platform.url, material, { at: today })).slice(0, 2), ['none', 'key-unconfirmed']);
  });
});

describe('a live check of an application key', { timeout: 900_000 }, () => {
  for (const mode of ['key', 'certificate'] as const)
    it(`is accepted by Alipay once the console has the key, and refused before (${mode})`, async (t) => {
      const appId = '2021000000000001';
      const [material, other] = [await createAlipayMaterial({ appId, mode, now: today() }), await createAlipayMaterial({ appId, mode, now: today() })]; // prettier-ignore
      const platform = await startAlipayGateway({ material, now: today });
      t.after(() => platform.close());
      const asking = { config: { alipay: { appId, mode } }, at: today };
      assert.deepEqual(await ask(t, platform.url, material, asking), ['accepted']);
      const [verdict, code] = await ask(t, platform.url, other, asking);
      assert.deepEqual([verdict, code], ['refused', 'refused-by-platform']);
      platform.admit(other);
      assert.deepEqual(await ask(t, platform.url, other, asking), ['accepted']);
    });

  const said = (content: object) => {
    const body = JSON.stringify({ alipay_trade_query_response: content, sign: 'AAAA' });
    return `HTTP/1.1 200 OK\r\nContent-Length: ${String(Buffer.byteLength(body))}\r\n\r\n${body}`;
  };
  for (const [content, verdict] of [
    [{ code: '40002', sub_code: 'isv.invalid-signature', sub_msg: '无效签名' }, 'refused'],
    [{ code: '40002', sub_code: 'isv.invalid-app-cert-sn' }, 'refused'],
    [{ code: '40002', sub_code: 'isv.invalid-timestamp' }, 'none'],
    [{ code: '40002', sub_code: 'isv.missing-method' }, 'none'],
    [{ code: '20000', sub_code: 'isp.unknow-error' }, 'none'],
    [{ code: '10000', msg: 'Success' }, 'none'],
    [{}, 'none'],
  ] as const)
    it(`takes ${JSON.stringify(content)} without a valid signature for ${verdict}`, async (t) => {
      const appId = '2021000000000001';
      const platform = await startRawPlatform(t);
      platform.respond(said(content));
      const material = await createAlipayMaterial({ appId, mode: 'key', now });
      assert.equal(
        (await ask(t, platform.origin, material, { config: { alipay: { appId, mode: 'key' } } }))[0],
        verdict,
      );
    });
});
