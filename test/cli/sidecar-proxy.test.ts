// A real sidecar with a proxy: an application that holds no key and knows one address, while keys, tokens and routes change.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Process } from '../../src/cli/status-report.ts';
import { createSecretVolume } from '../../src/testing/secret-volume.ts';
import { startWechatpayGateway } from '../../src/testing/wechatpay-gateway.ts';
import { call, configuration, credential, makeDirectory, makeMaterial, replaceFile, startSidecar, token } from '../support/sidecar.ts'; // prettier-ignore
import { exchange } from '../support/http-client.ts';

const proxyToken = 'another-token-for-the-proxy';

describe('a sidecar with a proxy', { timeout: 900_000 }, () => {
  it('forwards over its socket and its port, through a rotation, a new token and new routes', async (t) => {
    const directory = await makeDirectory(t);
    const [material, rotated] = [await makeMaterial(), await makeMaterial(1)];
    const platform = await startWechatpayGateway();
    t.after(() => platform.close());
    platform.admit(material);
    const volume = await createSecretVolume(join(directory, 'keys'), material.files);
    const tokenFile = join(directory, 'proxy-token');
    await replaceFile(tokenFile, proxyToken);
    const routes = (allow: string) => `, routes: [{ credential: wechat-main, double: "${platform.url}"${allow} }]`;
    const proxy = (allow = '') =>
      `proxy: { correctClock: true, listen: { socket: ${JSON.stringify(join(directory, 'proxy.sock'))}, tcp: { address: "127.0.0.1:0", tokenFile: ${JSON.stringify(tokenFile)} } }${routes(allow)} }\n`;
    const credentials = [credential({ path: join(directory, 'keys') })];
    const sidecar = await startSidecar(t, directory, configuration(directory, credentials, proxy()));
    const addressOf = (name: string) => String(sidecar.lines.find(({ listener }) => listener === name)?.['address']);
    const path = '/wechat-main/v3/certificates';
    const overSocket = () => exchange(addressOf('proxy-socket'), { path });
    const overTcp = (sent: string) => exchange(addressOf('proxy-tcp'), { path, headers: { 'Paycert-Token': sent } });

    const first = await overSocket();
    assert.deepEqual([first.status, first.headers['paycert-key-id']], [200, material.merchant.serialNumber]);
    assert.deepEqual([(await overTcp(proxyToken)).status, (await overTcp(token)).status], [200, 407]);

    platform.admit(rotated);
    const swapped = sidecar.event('swapped', { generation: 2 });
    await volume.write(rotated.files);
    await swapped;
    assert.equal((await overSocket()).headers['paycert-key-id'], rotated.merchant.serialNumber);

    const replaced = sidecar.event('token-replaced', { file: 'proxy-token' });
    await replaceFile(tokenFile, `${proxyToken}-2`);
    await replaced;
    assert.deepEqual([(await overTcp(proxyToken)).status, (await overTcp(`${proxyToken}-2`)).status], [407, 200]);

    const configured = sidecar.event('configured', {}, sidecar.lines.length);
    await replaceFile(
      join(directory, 'paycert.yaml'),
      configuration(directory, credentials, proxy(', allow: ["POST /v3/*"]')),
    );
    await configured;
    assert.equal((await overSocket()).status, 403);

    const known = { host: new URL(platform.url).host, onSpare: false };
    for (const status of [
      (await call(sidecar.socket, '/statusz')).content,
      (await call(sidecar.admin, '/status')).content,
    ]) {
      const { hosts = [] } = JSON.parse(status) as Process;
      assert.deepEqual(
        hosts.map(({ host, onSpare }) => ({ host, onSpare })),
        [known],
      );
      const { aheadSeconds = 1, withinSeconds = 0, corrected } = hosts[0]?.clock ?? {};
      assert.deepEqual([aheadSeconds, corrected], [0, true]);
      assert.ok(withinSeconds >= 0.5, String(withinSeconds));
    }

    const metrics = (await call(sidecar.admin, '/metrics')).content;
    assert.match(metrics, /paycert_platform_clock_ahead_seconds\{host="127.0.0.1:\d+"\} 0\n/);
    assert.match(metrics, /paycert_forwarded_total\{credential="wechat-main",outcome="ok",status="2xx"\} 4/);
    assert.match(metrics, /paycert_forwarded_total\{credential="wechat-main",outcome="refused",status="4xx"\} 1/);
    assert.match(
      metrics,
      /paycert_gateway_attempts_total\{credential="wechat-main",host="127.0.0.1:\d+",outcome="responded"\} 4/,
    );
    const said = JSON.stringify(sidecar.lines);
    for (const secret of [proxyToken, token]) assert.ok(!said.includes(secret) && !metrics.includes(secret));
  });
});
