// A sidecar behind a proxy: it calls platforms by their own names, which only that proxy knows, under an authority that was added.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readProxyUser } from '../../src/config/token.ts';
import { paycert } from '../support/paycert.ts';
import { createSecretVolume } from '../../src/testing/secret-volume.ts';
import { rotateMerchant } from '../../src/testing/wechatpay-material.ts';
import { startBehindProxy } from '../support/behind-proxy.ts';
import { ownFiles } from '../support/listing.ts';
import { startSdkWorld } from '../support/sdk-world.ts';
import { configuration, credential, makeDirectory, makeMaterial, startSidecar } from '../support/sidecar.ts';

describe('the way out of a sidecar', { timeout: 900_000 }, () => {
  it('is the proxy that the configuration names, and TLS is with the platform', async (t) => {
    const world = await startSdkWorld(t);
    const { platforms, running } = world;
    const response = await fetch(`${world.proxied('wechat-main')}/v3/certificates`);
    assert.deepEqual([response.status, response.headers.get('paycert-verified')], [200, 'yes']);
    assert.equal(platforms.wechat.counts.accepted, 1);
    const attempted = running.sidecar.lines.find(({ event }) => event === 'attempted');
    assert.equal(attempted?.['host'], 'api.mch.weixin.qq.com');
  });

  it('is the one of downloads, live checks and queries too, without a proxy for applications', async (t) => {
    const directory = await makeDirectory(t);
    const material = await makeMaterial();
    const { platform, tunnels, proxy, env } = await startBehindProxy(t, directory, material);
    const volume = await createSecretVolume(join(directory, 'keys'), ownFiles(material));
    const more = '    platformCertificates: download\n    check: live\n';
    const wayOut = `wayOut: { proxy: ${JSON.stringify(proxy)} }\n`;
    const config = configuration(directory, [credential({ path: join(directory, 'keys'), more })], wayOut);
    const sidecar = await startSidecar(t, directory, config, { env });
    await sidecar.event('swapped', { generation: 2 });
    const accepted = (): number => platform.counts.accepted;
    assert.equal(accepted(), 1, 'a download');

    const rotated = await rotateMerchant(material);
    platform.trust(material.merchantId, rotated.merchant);
    const swapped = sidecar.event('swapped', { generation: 3 });
    await volume.write(ownFiles(rotated));
    await swapped;
    assert.ok(accepted() > 1, 'a live check');

    const before = accepted();
    const path = join(directory, 'paycert.yaml');
    // A query verifies with a certificate that it has: nothing is downloaded first.
    await volume.write(rotated.files);
    const asked = await paycert(['reconcile', '--config', path, 'wechat-main', '--after', '0s'], { input: '1001\n', env }); // prettier-ignore
    assert.equal(asked.code, 75, asked.stderr);
    assert.match(asked.stdout, /"state":"open"/);
    assert.ok(accepted() > before, 'a query');
    assert.deepEqual([...new Set(tunnels)], ['api.mch.weixin.qq.com:443']);
  });

  it('ends the start where the user of that proxy cannot be read', async (t) => {
    const directory = await makeDirectory(t);
    const path = join(directory, 'paycert.yaml');
    const userFile = join(directory, 'user');
    const wayOut = `wayOut: { proxy: "http://127.0.0.1:1", userFile: ${JSON.stringify(userFile)} }\n`;
    await writeFile(path, configuration(directory, [], wayOut));
    await writeFile(join(directory, 'token'), 'a-token-for-tests-only');
    const { code, stderr } = await paycert(['sidecar', '--config', path]);
    assert.notEqual(code, 0);
    assert.match(stderr, /user cannot be read \(ENOENT\) \(config-invalid\)/);
  });

  it('names its user by one line of name:password, read when it is asked for', async (t) => {
    const path = join(await makeDirectory(t), 'user');
    await writeFile(path, 'shop:pass:word\n');
    assert.equal(await readProxyUser(path), 'shop:pass:word');
    for (const content of ['', 'shop', ':password', 'shop:', 'shop:a\u0000b', 'shop:a\nshop:b']) {
      await writeFile(path, content);
      await assert.rejects(readProxyUser(path), { code: 'config-invalid', field: 'wayOut.userFile' });
    }
  });
});
