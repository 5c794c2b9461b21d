// A sidecar behind a proxy: it calls platforms by their own names, which only that proxy knows, under an authority that was added.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readProxyUser } from '../../src/config/token.ts';
import { paycert } from '../support/paycert.ts';
import { startSdkWorld } from '../support/sdk-world.ts';
import { configuration, makeDirectory } from '../support/sidecar.ts';

describe('the way out of a sidecar', { timeout: 120_000 }, () => {
  it('is the proxy that the configuration names, and TLS is with the platform', async (t) => {
    const world = await startSdkWorld(t);
    const { platforms, running } = world;
    const response = await fetch(`${world.proxied('wechat-main')}/v3/certificates`);
    assert.deepEqual([response.status, response.headers.get('paycert-verified')], [200, 'yes']);
    assert.equal(platforms.wechat.counts.accepted, 1);
    const attempted = running.sidecar.lines.find(({ event }) => event === 'attempted');
    assert.equal(attempted?.['host'], 'api.mch.weixin.qq.com');
  });

  it('ends the start where the user of that proxy cannot be read', async (t) => {
    const directory = await makeDirectory(t);
    const path = join(directory, 'paycert.yaml');
    const userFile = join(directory, 'user');
    const wayOut = `wayOut: { proxy: "http://127.0.0.1:1", userFile: ${JSON.stringify(userFile)} }`;
    const proxy = `proxy: { listen: { socket: ${JSON.stringify(join(directory, 'proxy.sock'))} }, ${wayOut} }\n`;
    await writeFile(path, configuration(directory, [], proxy));
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
      await assert.rejects(readProxyUser(path), { code: 'config-invalid', field: 'proxy.wayOut.userFile' });
    }
  });
});
