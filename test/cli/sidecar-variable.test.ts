// A sidecar whose configuration is an environment variable, as an injected one has it: it serves, and follows its keys.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createSecretVolume } from '../../src/testing/secret-volume.ts';
import { paycert } from '../support/paycert.ts';
import { call, makeDirectory, makeMaterial, Sidecar } from '../support/sidecar.ts';

const args = ['sidecar', '--config-env=PAYCERT_CONFIG'];
const usage = 64;

describe('a configuration in an environment variable', { timeout: 900_000 }, () => {
  it('is served until the process is stopped, while its keys change', async (t) => {
    const directory = await makeDirectory(t);
    const volume = await createSecretVolume(join(directory, 'keys'), (await makeMaterial()).files);
    const socket = join(directory, 'api.sock');
    const config = {
      listen: { socket },
      admin: { address: '127.0.0.1:0' },
      credentials: [
        {
          name: 'wechat-main',
          provider: { wechatpay: { merchantId: '1900000001' } },
          source: { files: { path: volume.directory } },
        },
      ],
    };
    const sidecar = new Sidecar(t, args, {
      PAYCERT_CONFIG: JSON.stringify(config).replaceAll('$', String.raw`\u0024`),
    });
    await sidecar.ready(['wechat-main']);
    const sign = () => call(socket, '/v1/credentials/wechat-main/sign', { body: { message: 'x' } });
    assert.equal((await sign()).status, 200);
    const swapped = sidecar.event('swapped', { generation: 2 });
    await volume.write((await makeMaterial(1)).files);
    await swapped;
    assert.equal((await sign()).status, 200);
    const status = JSON.parse((await call(sidecar.admin, '/statusz')).content) as {
      files?: readonly { file: string }[];
    };
    assert.deepEqual(status.files ?? [], []);
    sidecar.child.kill('SIGTERM');
    assert.equal(await sidecar.ended, 0);
  });

  it('is refused as one in a file is, and where the variable is not set', async () => {
    const odd = await paycert(args, { env: { PAYCERT_CONFIG: '{"listen":{},"credentials":5}' } });
    assert.match(odd.stderr, /config-invalid/);
    const unset = await paycert(args);
    assert.match(unset.stderr, /the environment variable PAYCERT_CONFIG is not set/);
    for (const { code } of [odd, unset]) assert.equal(code, 78);
  });

  it('stands instead of a file, and one of the two is needed', async () => {
    for (const words of [['sidecar'], [...args, '--config', 'paycert.yaml']]) {
      const { code, stderr } = await paycert(words);
      assert.equal(code, usage);
      assert.match(stderr, /--config or --config-env is needed, one of the two/);
    }
  });
});
