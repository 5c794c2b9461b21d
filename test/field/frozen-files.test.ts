// A file of the process that can never change: a subPath mount of paycert.yaml, or of a token, is in the log, the status and a gauge.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createSecretVolume } from '../../src/testing/secret-volume.ts';
import { mainFile, paycert } from '../support/paycert.ts';
import { call, configuration, credential, makeDirectory, makeMaterial, Sidecar, token } from '../support/sidecar.ts';

const cannotMount = (() => {
  try {
    execFileSync('unshare', ['-m', 'true'], { stdio: 'ignore' });
    return false;
  } catch {
    return 'this user may not have a mount namespace of his own (unshare -m)';
  }
})();

describe('a subPath mount', { skip: cannotMount, timeout: 900_000 }, () => {
  for (const [file, name, other] of [
    ['configuration', 'paycert.yaml', 'token'],
    ['token', 'token', 'configuration'],
  ] as const)
    it(`of the ${file} is in the log, the status and a gauge, and the other file is not`, async (t) => {
      const directory = await makeDirectory(t);
      const keys = join(directory, 'keys');
      await createSecretVolume(keys, (await makeMaterial()).files);
      await writeFile(join(directory, 'paycert.yaml'), configuration(directory, [credential({ path: keys })]));
      await writeFile(join(directory, 'token'), token);
      // As kubelet has it: one file of one version of the volume, mounted over the place of the file.
      const version = join(directory, 'volume', '..2026_03_01_12_00_00.123456789');
      await mkdir(version, { recursive: true });
      const at = join(directory, name);
      const script = `cp ${at} ${version}/${name} && mount --bind ${version}/${name} ${at} && exec ${process.execPath} ${mainFile} sidecar --config ${directory}/paycert.yaml`;
      const sidecar = new Sidecar(t, ['-c', script], {}, ['unshare', '-m', 'sh']);
      await sidecar.ready(['wechat-main']);
      await sidecar.event('mount-frozen', { file });
      const { stdout, code } = await paycert(['status', '--socket', sidecar.socket]);
      assert.equal(code, 0);
      assert.match(stdout, new RegExp(`never updates: ${file}: subPath mount at ${at}; mount the whole volume`));
      assert.doesNotMatch(stdout, new RegExp(`never updates: ${other}`));
      const { content } = await call(sidecar.admin, '/metrics');
      const series = content.split('\n').filter((line) => line.startsWith('paycert_file_frozen{'));
      assert.deepEqual(series, [`paycert_file_frozen{file="${file}"} 1`]);
      const { files } = JSON.parse((await call(sidecar.admin, '/status')).content) as { files: object[] };
      assert.deepEqual(files.filter((one) => 'frozenPaths' in one), [{ file, current: true, frozenPaths: [at] }]); // prettier-ignore
    });

  it('of the whole directory, at one version of its volume, is so for each file in it', async (t) => {
    const directory = await makeDirectory(t);
    const [keys, etc] = [join(directory, 'keys'), join(directory, 'etc')];
    await createSecretVolume(keys, (await makeMaterial()).files);
    // What `..data` pointed at when the container started.
    const version = join(directory, 'volume', '..2026_03_01_12_00_00.123456789');
    for (const path of [etc, version]) await mkdir(path, { recursive: true });
    await writeFile(join(version, 'paycert.yaml'), configuration(etc, [credential({ path: keys })]));
    await writeFile(join(version, 'token'), token);
    const script = `mount --bind ${version} ${etc} && exec ${process.execPath} ${mainFile} sidecar --config ${etc}/paycert.yaml`;
    const sidecar = new Sidecar(t, ['-c', script], {}, ['unshare', '-m', 'sh']);
    await sidecar.ready(['wechat-main']);
    for (const file of ['configuration', 'token']) await sidecar.event('mount-frozen', { file });
    const { content } = await call(sidecar.admin, '/metrics');
    const series = content.split('\n').filter((line) => /^paycert_(file_frozen|frozen_mounts)\{/.test(line));
    assert.deepEqual(series.sort(), [
      'paycert_file_frozen{file="configuration"} 1',
      'paycert_file_frozen{file="token"} 1',
      'paycert_frozen_mounts{credential="wechat-main"} 0',
    ]);
  });
});
