// A running sidecar tries a next key: what the application reports of it, and of nothing else, makes it stop by itself.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createSecretVolume } from '../../src/testing/secret-volume.ts';
import { paycert } from '../support/paycert.ts';
import { call, configuration, makeDirectory, makeMaterial, merchantId, replaceFile, startSidecar } from '../support/sidecar.ts'; // prettier-ignore

const main = '/v1/credentials/wechat-main';

describe('a sidecar that tries a next key', { timeout: 300_000 }, () => {
  it('stops by itself when the platform refuses it, says so, and tries again with another activation', async (t) => {
    const directory = await makeDirectory(t);
    const [current, next] = [await makeMaterial(), await makeMaterial(1)];
    const volumes = { current, next };
    for (const [name, { files }] of Object.entries(volumes)) await createSecretVolume(join(directory, name), files);
    const files = (name: string) => `{ files: { path: ${JSON.stringify(join(directory, name))} } }`;
    const config = (percent: number) =>
      configuration(directory, [
        `  - name: wechat-main
    provider: { wechatpay: { merchantId: "${merchantId}" } }
    source:
      staged:
        current: ${files('current')}
        next: ${files('next')}
        activate: { percent: ${String(percent)} }
        canary: { failurePercent: 50, minimumCalls: 4 }
`,
      ]);
    const sidecar = await startSidecar(t, directory, config(99), { env: { PAYCERT_POD_UID: 'pod-1' } });
    const [mine, theirs] = [current.merchant.serialNumber, next.merchant.serialNumber];
    const report = async (keyId: string, outcome: string) => {
      const { status, content } = await call(sidecar.socket, `${main}/report`, { body: { keyId, outcome } });
      assert.equal(status, 200, content);
    };
    const keyId = async () => {
      const { content } = await call(sidecar.socket, `${main}/sign`, { body: { message: 'x' } });
      return (JSON.parse(content) as { keyId: string }).keyId;
    };
    const fleet = async () => JSON.parse((await call(sidecar.admin, '/fleet')).content) as { credentials: [object] };

    assert.equal(await keyId(), theirs);
    assert.deepEqual((await fleet()).credentials.map((one) => 'canary' in one), [true]); // prettier-ignore
    // Of another key it is no news.
    for (let times = 0; times < 8; times += 1) await report(mine, 'refused');
    for (const outcome of ['accepted', 'refused', 'accepted']) await report(theirs, outcome);
    assert.equal(await keyId(), theirs);
    const stopped = sidecar.event('staged', { level: 'error' });
    await report(theirs, 'refused');
    await stopped;
    assert.equal(await keyId(), mine);
    const metrics = (await call(sidecar.admin, '/metrics')).content;
    assert.match(metrics, /^paycert_canary_rejected\{credential="wechat-main"\} 1$/m);
    assert.match(metrics, /^paycert_signatures_judged_total\{credential="wechat-main",outcome="refused"\} 10$/m);
    const { stdout } = await paycert(['status', '--socket', sidecar.socket]);
    assert.match(stdout, /the platform refuses the next set, so the current set signs here/);
    const [{ canaryRejected }] = (await fleet()).credentials as [{ canaryRejected?: string }];
    assert.match(canaryRejected ?? '', /^[0-9a-f]{16}$/);

    await replaceFile(join(directory, 'paycert.yaml'), config(98));
    await sidecar.event('swapped', { keyId: theirs }, sidecar.lines.length);
    assert.equal(await keyId(), theirs);
  });
});
