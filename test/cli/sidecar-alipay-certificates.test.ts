// A real sidecar before Alipay’s gateway: its next certificate arrives by the first response that names it.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Process } from '../../src/cli/status-report.ts';
import { startAlipayGateway } from '../../src/testing/alipay-gateway.ts';
import { createAlipayMaterial, rotateAlipayKey } from '../../src/testing/alipay-material.ts';
import { makeGatewayResponse } from '../../src/testing/alipay-message.ts';
import { createSecretVolume } from '../../src/testing/secret-volume.ts';
import { exchange } from '../support/http-client.ts';
import { call, configuration, makeDirectory, startSidecar } from '../support/sidecar.ts';

const appId = '2021000000000001';
const apiMethod = 'alipay.trade.query';

/** As an application asks what became of an order. */
const body = new URLSearchParams({ app_id: appId, method: apiMethod, format: 'JSON', version: '1.0', biz_content: '{"out_trade_no":"A1"}' }).toString(); // prettier-ignore

describe('a sidecar that downloads Alipay’s certificates', { timeout: 900_000 }, () => {
  it('verifies with the next one once a response has named it, and says so', async (t) => {
    const directory = await makeDirectory(t);
    const material = await createAlipayMaterial({ appId });
    const after = await rotateAlipayKey(material);
    const [before, next] = after.alipayKeys;
    assert.ok(before && next);
    const platform = await startAlipayGateway({ material: after });
    t.after(() => platform.close());
    await createSecretVolume(join(directory, 'keys'), material.files);
    const entry = `  - name: alipay-main
    provider: { alipay: { appId: "${appId}", mode: certificate } }
    source: { files: { path: ${JSON.stringify(join(directory, 'keys'))} } }
    require: [sign, verify]
    platformCertificates: download
    gateway: { double: "${platform.url}" }
`;
    const sidecar = await startSidecar(t, directory, configuration(directory, [entry]), { waitFor: ['alipay-main'] });
    const verify = async (alipayKey: typeof next): Promise<string> => {
      const body = makeGatewayResponse(apiMethod, '{"code":"10000"}', { alipayKey }).toString();
      const received = { kind: 'response', apiMethod, body };
      const { content } = await call(sidecar.socket, '/v1/credentials/alipay-main/verify', { body: received });
      const { keyId, title = '' } = JSON.parse(content) as { keyId?: string; title?: string };
      return keyId ?? title;
    };
    assert.equal(await verify(before), before.serial);
    const swapped = sidecar.event('swapped', { generation: 2 });
    assert.equal(await verify(next), 'key-id-unknown');
    await swapped;
    assert.equal(await verify(next), next.serial);
    assert.equal(await verify(before), before.serial);
    const [known] = (JSON.parse((await call(sidecar.socket, '/statusz')).content) as Process).credentials;
    assert.deepEqual([known?.ready, known?.platformCertificates?.outcome], [true, 'listed']);
    const metrics = (await call(sidecar.admin, '/metrics')).content;
    assert.match(metrics, /paycert_platform_certificate_downloads_total\{credential="alipay-main",outcome="listed",reason=""\} 1/); // prettier-ignore
    assert.match(metrics, /paycert_platform_certificates_failing\{credential="alipay-main"\} 0/);
  });

  it('delivers the first response that is signed with the next one, once it has come, and sends nothing twice', async (t) => {
    const directory = await makeDirectory(t);
    const material = await createAlipayMaterial({ appId });
    const platform = await startAlipayGateway({ material: await rotateAlipayKey(material) });
    t.after(() => platform.close());
    await createSecretVolume(join(directory, 'keys'), material.files);
    const entry = `  - name: alipay-main
    provider: { alipay: { appId: "${appId}", mode: certificate } }
    source: { files: { path: ${JSON.stringify(join(directory, 'keys'))} } }
    platformCertificates: download
    gateway: { double: "${platform.url}" }
`;
    const socket = join(directory, 'proxy.sock');
    const proxy = `proxy: { listen: { socket: ${JSON.stringify(socket)} }, routes: [{ credential: alipay-main, double: "${platform.url}" }] }\n`;
    await startSidecar(t, directory, configuration(directory, [entry], proxy), { waitFor: ['alipay-main'] });
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded;charset=utf-8' };
    const ask = () => exchange(socket, { method: 'POST', path: '/alipay-main/gateway.do?charset=utf-8', headers, body: Buffer.from(body) }); // prettier-ignore
    const answers = await Promise.all([ask(), ask(), ask()]);
    for (const { status, headers: received, text } of answers) {
      assert.equal(status, 200, text);
      assert.deepEqual([received['paycert-verified'], received['paycert-attempts']], ['yes', '1']);
    }
    // Three queries, and one certificate.
    assert.equal(platform.counts.accepted, 4);
  });
});
