// A running sidecar with two staged sets: the next one signs at its time, or when its share reaches this pod, and goes back as quickly.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { createSecretVolume } from '../../src/testing/secret-volume.ts';
import { paycert } from '../support/paycert.ts';
import {
  call,
  configuration,
  makeDirectory,
  makeMaterial,
  merchantId,
  replaceFile,
  startSidecar,
} from '../support/sidecar.ts';

const main = '/v1/credentials/wechat-main';

async function makeSets(t: TestContext) {
  const directory = await makeDirectory(t);
  const [current, next] = [await makeMaterial(), await makeMaterial(1)];
  const volume = await createSecretVolume(join(directory, 'current'), current.files);
  await createSecretVolume(join(directory, 'next'), next.files);
  const files = (name: string) => `{ files: { path: ${JSON.stringify(join(directory, name))} } }`;
  const config = (activate: string) =>
    configuration(directory, [
      `  - name: wechat-main
    provider: { wechatpay: { merchantId: "${merchantId}" } }
    older: reject
    source: { staged: { current: ${files('current')}, next: ${files('next')}, activate: ${activate} } }
`,
    ]);
  const start = (activate: string) =>
    startSidecar(t, directory, config(activate), { env: { PAYCERT_POD_UID: 'pod-1' } });
  const serials = [current, next].map(({ merchant }) => merchant.serialNumber);
  return { directory, volume, config, start, serials };
}

const keyIdOf = async (address: string): Promise<string> => {
  const { status, content } = await call(address, `${main}/sign`, { body: { message: 'x' } });
  assert.equal(status, 200, content);
  return (JSON.parse(content) as { keyId: string }).keyId;
};

describe('a sidecar with two staged sets', { timeout: 900_000 }, () => {
  it('signs with the next one from its time on, by itself', async (t) => {
    const { directory, config, start, serials } = await makeSets(t);
    const inSeconds = (seconds: number) => new Date((Math.ceil(Date.now() / 1000) + seconds) * 1000);
    const activate = (at: Date) => `{ at: "${at.toISOString().replace('.000', '')}" }`;
    const later = inSeconds(3600);
    const sidecar = await start(activate(later));
    assert.equal(await keyIdOf(sidecar.socket), serials[0]);
    const { stdout } = await paycert(['status', '--socket', sidecar.socket]);
    assert.match(
      stdout,
      /staged: wechat-main: the current set signs here; the next one does from .+ on; beside it key/,
    );
    const metrics = (await call(sidecar.admin, '/metrics')).content;
    assert.match(metrics, /^paycert_staged\{credential="wechat-main",active="false",valid="true"\} 1$/m);
    assert.match(
      metrics,
      new RegExp(`^paycert_deferred_until_timestamp_seconds\\{.+\\} ${String(later.getTime() / 1000)}$`, 'm'),
    );
    const at = inSeconds(1);
    await replaceFile(join(directory, 'paycert.yaml'), config(activate(at)));
    await sidecar.event('swapped', { keyId: serials[1] });
    assert.ok(Date.now() >= at.getTime());
    assert.equal(await keyIdOf(sidecar.socket), serials[1]);
  });

  it('promotes and rolls back with one line of its configuration, without a failed call', async (t) => {
    const { directory, config, start, serials } = await makeSets(t);
    const sidecar = await start('{ percent: 0, of: pods }');
    const stop = new AbortController();
    const seen: string[] = [];
    const calling = (async () => {
      while (!stop.signal.aborted) seen.push(await keyIdOf(sidecar.socket));
    })();
    let from = 0;
    for (const [percent, generation] of [
      [100, 2],
      [0, 3],
    ] as const) {
      // prettier-ignore
      const swapped = sidecar.event('swapped', { generation }, from);
      await replaceFile(join(directory, 'paycert.yaml'), config(`{ percent: ${String(percent)}, of: pods }`));
      await swapped;
      from = sidecar.lines.length;
      assert.equal(await keyIdOf(sidecar.socket), serials[percent === 100 ? 1 : 0]);
    }
    stop.abort();
    await calling;
    assert.deepEqual(new Set(seen), new Set(serials));
  });

  it('shows in advance what is wrong with the next one, to validate too, and signs on', async (t) => {
    const { directory, volume, start } = await makeSets(t);
    const sidecar = await start('{ percent: 100 }');
    await volume.write(new Map([['apiclient_cert.pem', Buffer.from('no certificate')]]));
    const { code } = await sidecar.event('staged', { level: 'error' });
    assert.equal(typeof code, 'string');
    await keyIdOf(sidecar.socket);
    const { stdout, code: exit } = await paycert(['validate', '--config', join(directory, 'paycert.yaml')]);
    assert.match(stdout, /^wechat-main \(current\): not valid$/m);
    assert.match(stdout, /^wechat-main \(next\): valid$/m);
    assert.equal(exit, 65);
  });
});
