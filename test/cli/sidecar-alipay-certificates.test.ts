// A real sidecar before Alipay’s gateway: its next certificate arrives by the first response that names it.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Process } from '../../src/cli/status-report.ts';
import { startAlipayGateway } from '../../src/testing/alipay-gateway.ts';
import { createAlipayMaterial, rotateAlipayKey } from '../../src/testing/alipay-material.ts';
import { makeGatewayResponse } from '../../src/testing/alipay-message.ts';
import { createSecretVolume } from '../../src/testing/secret-volume.ts';
import { call, configuration, makeDirectory, startSidecar } from '../support/sidecar.ts';

const appId = '2021000000000001';
const apiMethod = 'alipay.trade.query';

describe('a sidecar that downloads Alipay’s certificates', { timeout: 300_000 }, () => {
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
});
