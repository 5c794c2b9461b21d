// A real sidecar that downloads platform certificates: the merchant keeps none of them, and a rotation of the platform is a non-event.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { Process } from '../../src/cli/status-report.ts';
import { createSecretVolume } from '../../src/testing/secret-volume.ts';
import { startWechatpayGateway } from '../../src/testing/wechatpay-gateway.ts';
import { rotateMerchant, rotatePlatform } from '../../src/testing/wechatpay-material.ts';
import { signMessage } from '../../src/testing/wechatpay-message.ts';
import { exchange } from '../support/http-client.ts';
import { ownFiles } from '../support/listing.ts';
import { call, configuration, credential, makeDirectory, makeMaterial, startSidecar } from '../support/sidecar.ts';

/** A sidecar with a proxy, which has downloaded the certificates of a platform that the merchant keeps none of. */
async function startDownloading(t: TestContext) {
  const directory = await makeDirectory(t);
  const material = await makeMaterial();
  const platform = await startWechatpayGateway();
  t.after(() => platform.close());
  platform.admit(material);
  await createSecretVolume(join(directory, 'keys'), ownFiles(material));
  const more = `    require: [sign, verify, decrypt]\n    platformCertificates: download\n    gateway: { double: "${platform.url}" }\n`;
  const socket = join(directory, 'proxy.sock');
  const proxy = `proxy: { listen: { socket: ${JSON.stringify(socket)} }, routes: [{ credential: wechat-main, double: "${platform.url}" }] }\n`;
  const config = configuration(directory, [credential({ path: join(directory, 'keys'), more })], proxy);
  const sidecar = await startSidecar(t, directory, config);
  await sidecar.event('swapped', { generation: 2 });
  return { material, platform, sidecar, socket };
}

describe('a sidecar that downloads platform certificates', { timeout: 900_000 }, () => {
  it('verifies with them, learns a new one from the first message that names it, and says all of it', async (t) => {
    const { material, platform, sidecar } = await startDownloading(t);

    const verify = async (index: number, keys = material.platformKeys): Promise<string> => {
      const platformKey = keys.at(index);
      assert.ok(platformKey);
      const { headers, body } = signMessage('{}', { platformKey });
      const received = { kind: 'response', headers, body: Buffer.from(body).toString() };
      const { content } = await call(sidecar.socket, '/v1/credentials/wechat-main/verify', { body: received });
      const { keyId, title = '' } = JSON.parse(content) as { keyId?: string; title?: string };
      return keyId ?? title;
    };
    assert.equal(await verify(0), material.platformKeys[0]?.keyId);

    const after = await rotatePlatform(material);
    platform.setPlatformKeys(material.merchantId, after.platformKeys);
    const swapped = sidecar.event('swapped', { generation: 3 });
    assert.equal(await verify(-1, after.platformKeys), 'key-id-unknown');
    await swapped;
    assert.equal(await verify(-1, after.platformKeys), after.platformKeys.at(-1)?.keyId);

    for (const status of [
      (await call(sidecar.socket, '/statusz')).content,
      (await call(sidecar.admin, '/status')).content,
    ]) {
      const [known] = (JSON.parse(status) as Process).credentials;
      assert.deepEqual([known?.ready, known?.platformCertificates?.outcome], [true, 'listed']);
    }
    const metrics = (await call(sidecar.admin, '/metrics')).content;
    assert.match(metrics, /paycert_platform_certificate_downloads_total\{credential="wechat-main",outcome="listed",reason=""\} 2/); // prettier-ignore
    assert.match(metrics, /paycert_platform_certificates_failing\{credential="wechat-main"\} 0/);
    assert.match(metrics, /paycert_platform_certificates_listed_timestamp_seconds\{credential="wechat-main"\} \d+/);
    const said = JSON.stringify(sidecar.lines) + metrics;
    for (const secret of [material.apiV3Key, Buffer.from(material.apiV3Key).toString('base64')])
      assert.ok(!said.includes(secret));
  });

  it('delivers the first response under a serial number that nobody knew, once the list is there, and sends nothing twice', async (t) => {
    const { material, platform, sidecar, socket } = await startDownloading(t);
    const order = (number: string) => exchange(socket, { path: '/wechat-main/v3/pay/transactions/jsapi', body: JSON.stringify({ appid: 'wx1', mchid: material.merchantId, out_trade_no: number, description: 'tea', notify_url: 'https://shop.example/paid', amount: { total: 1 }, payer: { openid: 'o1' } }), headers: { 'Content-Type': 'application/json' } }); // prettier-ignore

    const after = await rotatePlatform(material);
    platform.setPlatformKeys(material.merchantId, after.platformKeys.slice(-1));
    const before = platform.counts.accepted;
    for (const { status, headers, text } of await Promise.all(['A1', 'A2', 'A3'].map(order))) {
      assert.equal(status, 200, text);
      assert.deepEqual([headers['paycert-verified'], headers['paycert-attempts']], ['yes', '1']);
    }
    assert.equal(platform.counts.accepted - before, 4, 'three orders, and one list');

    const metrics = (await call(sidecar.admin, '/metrics')).content;
    assert.doesNotMatch(metrics, /paycert_verification_failures_total\{[^}]*key-id-unknown/, 'none of them has failed');

    // A probe of WeChat Pay has the list asked for by nobody, and is what it was: no proof.
    platform.misbehave({ do: 'probe' }, { when: ({ url }) => url.includes('jsapi') });
    const probed = await order('A4');
    assert.deepEqual([probed.status, (JSON.parse(probed.text) as { outcome: string }).outcome], [502, 'unknown']);
    assert.equal(platform.counts.accepted - before, 5);
  });

  it('asks the platform about a new merchant key, and signs with the last good one until the console has it', async (t) => {
    const directory = await makeDirectory(t);
    const material = await makeMaterial();
    const platform = await startWechatpayGateway();
    t.after(() => platform.close());
    platform.admit(material);
    const volume = await createSecretVolume(join(directory, 'keys'), material.files);
    const more = `    check: live\n    gateway: { double: "${platform.url}" }\n`;
    const config = configuration(directory, [credential({ path: join(directory, 'keys'), more })]);
    const sidecar = await startSidecar(t, directory, config);
    assert.equal(platform.counts.accepted + platform.counts.refused, 0, 'a start asks nobody');
    const signer = async (): Promise<string> => {
      const { content } = await call(sidecar.socket, '/v1/credentials/wechat-main/sign', { body: { message: 'x' } });
      return (JSON.parse(content) as { keyId: string }).keyId;
    };

    const rotated = await rotateMerchant(material);
    const rejected = sidecar.event('rejected', { code: 'refused-by-platform' });
    await volume.write(rotated.files);
    await rejected;
    assert.equal(await signer(), material.merchant.serialNumber);

    const swapped = sidecar.event('swapped', { generation: 2 });
    platform.trust(material.merchantId, rotated.merchant);
    await swapped;
    assert.equal(await signer(), rotated.merchant.serialNumber);
    const metrics = (await call(sidecar.admin, '/metrics')).content;
    assert.match(metrics, /paycert_live_checks_total\{credential="wechat-main",verdict="accepted"\} 1/);
  });
});
