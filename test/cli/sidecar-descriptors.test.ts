// A sidecar with few file descriptors: strangers who take all that they can get at the admin port keep neither callers nor kubelet out.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createSecretVolume } from '../../src/testing/secret-volume.ts';
import { mainFile } from '../support/paycert.ts';
import { call, configuration, credential, makeDirectory, makeMaterial, Sidecar, token } from '../support/sidecar.ts';

/** As kubelet, from an address of its own. */
const probe = (admin: string): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const port = admin.slice(admin.lastIndexOf(':') + 1);
    const asked = request({ host: '127.0.0.1', port, path: '/livez', localAddress: '127.0.0.2', agent: false });
    asked.on('response', (response) => void response.resume().on('end', () => resolve(response.statusCode)));
    asked.on('error', reject).end();
  });

describe('with few file descriptors', { timeout: 900_000 }, () => {
  for (const descriptors of [64, 128, 256])
    it(`strangers keep neither callers nor kubelet out: ${descriptors}`, async (t) => {
      const directory = await makeDirectory(t);
      const { files } = await makeMaterial();
      await createSecretVolume(join(directory, 'keys'), files);
      const config = join(directory, 'paycert.yaml');
      await writeFile(join(directory, 'token'), `${token}\n`);
      await writeFile(config, configuration(directory, [credential({ path: join(directory, 'keys') })]));
      const command = ['sh', '-c', `ulimit -n ${descriptors} && exec "$@"`, 'sh', process.execPath, mainFile] as const;
      const sidecar = new Sidecar(t, ['sidecar', '--config', config], {}, command);
      await sidecar.ready(['wechat-main']);
      const strangers: Socket[] = [];
      t.after(() => strangers.forEach((stranger) => stranger.destroy()));
      for (let index = 0; index < 2 * descriptors; index += 1) {
        const stranger = connect({ host: '127.0.0.1', port: Number(sidecar.admin.split(':').at(-1)) });
        strangers.push(stranger.on('error', () => undefined));
        await once(stranger, 'connect');
      }
      // Each a new connection, and all at once more than the strangers have left if there were no shares.
      const callers = Array.from({ length: 4 }, () =>
        call(sidecar.socket, '/v1/credentials/wechat-main/sign', { body: { message: 'bQ==' } }),
      );
      assert.deepEqual((await Promise.all(callers)).map(({ status }) => status), [200, 200, 200, 200]); // prettier-ignore
      const headers = { Authorization: `Bearer ${token}` };
      assert.equal((await call(sidecar.tcp, '/v1/credentials', { headers })).status, 200);
      assert.equal(await probe(sidecar.admin), 200);
    });
});
