// A sidecar that is killed, and started again on bad material: it signs with what it had accepted, and says so.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { createSecretVolume } from '../../src/testing/secret-volume.ts';
import { makeCanaryMaterial } from '../support/canary-material.ts';
import { makeMemoryDirectory } from '../support/directories.ts';
import { paycert } from '../support/paycert.ts';
import {
  call,
  configuration,
  credential,
  makeDirectory,
  makeMaterial,
  type Sidecar,
  startSidecar,
} from '../support/sidecar.ts';

const main = '/v1/credentials/wechat-main';
const sign = (sidecar: Sidecar) => call(sidecar.socket, `${main}/sign`, { body: { message: 'x' } });
const kill = async (sidecar: Sidecar) => {
  sidecar.child.kill('SIGKILL');
  await sidecar.ended;
};

/** A pod: its volumes stay, and each start is another container. */
async function makePod(t: TestContext) {
  const [directory, memory] = [await makeDirectory(t), await makeMemoryDirectory(t)];
  const { sets, material, canaries } = await makeCanaryMaterial();
  const volume = await createSecretVolume(join(directory, 'main'), material.files);
  const keys = join(memory, 'keys');
  const more = `log: { level: debug }\nlastGood: { directory: ${JSON.stringify(keys)} }\n`;
  const required = credential({ path: join(directory, 'main'), more: '    required: true\n' });
  const config = configuration(directory, [required], more);
  const start = (pod = 'pod-1', waitFor = ['wechat-main']) =>
    startSidecar(t, directory, config, { waitFor, env: { PAYCERT_POD_UID: pod } });
  return { start, volume, bad: sets['mismatched']!, material, keys, canaries };
}

describe('a sidecar with lastGood', { timeout: 900_000 }, () => {
  it('signs after SIGKILL on bad material, and takes fit material as soon as there is some', async (t) => {
    const { start, volume, bad, keys } = await makePod(t);
    const first = await start();
    const { keyId } = JSON.parse((await sign(first)).content) as { keyId: string };
    assert.deepEqual([readdirSync(keys), statSync(join(keys, 'wechat-main')).mode & 0o777], [['wechat-main'], 0o400]);
    assert.equal(statSync(keys).mode & 0o777, 0o700);
    await kill(first);

    await volume.write(bad);
    const second = await start();
    await second.event('rejected', { code: 'key-mismatch' });
    const { status, content } = await sign(second);
    assert.deepEqual([status, (JSON.parse(content) as { keyId: string }).keyId], [200, keyId]);
    assert.equal((await call(second.admin, '/startupz')).status, 200);
    assert.equal((await call(second.admin, '/readyz')).status, 200);
    const about = JSON.parse((await call(second.socket, main)).content) as Record<string, { code?: string }>;
    assert.deepEqual(
      [about['rejection']?.code, Object.keys(about['restored'] ?? {})],
      ['key-mismatch', ['at', 'keptAt']],
    );
    const report = await paycert(['status', '--socket', second.socket]);
    assert.match(report.stdout, /restored: wechat-main: since a restart/);
    const metrics = (await call(second.admin, '/metrics')).content;
    assert.match(metrics, /^paycert_restored_since_timestamp_seconds\{credential="wechat-main"\} \d+/m);
    assert.match(metrics, /^paycert_last_good_kept\{credential="wechat-main"\} 1$/m);

    const from = second.lines.length;
    await volume.write((await makeMaterial(1)).files);
    await second.event('swapped', { generation: 2 }, from);
    assert.notEqual((JSON.parse((await sign(second)).content) as { keyId: string }).keyId, keyId);
    assert.doesNotMatch((await call(second.admin, '/metrics')).content, /^paycert_restored_since/m);
  });

  it('has no keys after a restart as another pod: what one pod accepted is of no use to the next', async (t) => {
    const { start, volume, bad, keys } = await makePod(t);
    await kill(await start());
    await volume.write(bad);
    const next = await start('pod-2', []);
    await next.event('last-good-failed', { code: 'last-good-refused' });
    assert.equal((await call(next.admin, '/readyz')).status, 503);
    assert.deepEqual(readdirSync(keys), []);
  });

  it('starts on good material whatever lies in the directory', async (t) => {
    const { start, keys } = await makePod(t);
    await kill(await start());
    unlinkSync(join(keys, 'wechat-main'));
    writeFileSync(join(keys, 'wechat-main'), 'half', { mode: 0o400 });
    const second = await start();
    assert.equal((await sign(second)).status, 200);
    assert.ok(statSync(join(keys, 'wechat-main')).size > 100);
  });

  it('shows no secret in any output, restored or refused', async (t) => {
    const { start, volume, bad, keys, canaries } = await makePod(t);
    const outputs: string[] = [];
    const note = async (sidecar: Sidecar) => {
      for (const path of ['/statusz', main]) outputs.push((await call(sidecar.socket, path)).content);
      for (const path of ['/metrics', '/status', '/readyz']) outputs.push((await call(sidecar.admin, path)).content);
      outputs.push((await paycert(['status', '--socket', sidecar.socket])).stdout);
      await kill(sidecar);
      outputs.push(sidecar.stdout, sidecar.stderr);
    };
    await note(await start());
    await volume.write(bad);
    await note(await start());
    const kept = join(keys, 'wechat-main');
    const half = readFileSync(kept).subarray(0, -40);
    unlinkSync(kept);
    writeFileSync(kept, half, { mode: 0o400 });
    const refused = await start('pod-1', []);
    await refused.event('last-good-failed', { code: 'last-good-refused' });
    await note(refused);
    assert.deepEqual(canaries.find(outputs.join('\n')), []);
    assert.notDeepEqual(canaries.find(half.toString('latin1')), [], 'the canaries are in what is kept');
  });
});
