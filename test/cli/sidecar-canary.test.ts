// A running sidecar tries a next key: what the application reports of it, and of nothing else, makes it stop by itself.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { signsIn } from '../../src/sources/activation.ts';
import { createSecretVolume } from '../../src/testing/secret-volume.ts';
import { paycert } from '../support/paycert.ts';
import { call, configuration, makeDirectory, makeMaterial, merchantId, replaceFile, startSidecar } from '../support/sidecar.ts'; // prettier-ignore

const main = '/v1/credentials/wechat-main';

/** A pod among so many of a hundred. Which those are hangs on the path of the next set, another one in every run. */
function podAmong(percent: number, next: string): string {
  const at = { now: new Date(), next: `files:${next}` };
  for (let index = 1; ; index += 1)
    if (signsIn({ percent }, { ...at, pod: `pod-${String(index)}` }) === 'everything') return `pod-${String(index)}`;
}

/** A sidecar with two sets, and what the application asks of it. */
async function start(t: TestContext, activate: string) {
  const directory = await makeDirectory(t);
  const [current, next] = [await makeMaterial(), await makeMaterial(1)];
  const volumes = { current, next };
  for (const [name, { files }] of Object.entries(volumes)) await createSecretVolume(join(directory, name), files);
  const files = (name: string) => `{ files: { path: ${JSON.stringify(join(directory, name))} } }`;
  const config = (activation: string) =>
    configuration(directory, [
      `  - name: wechat-main
    provider: { wechatpay: { merchantId: "${merchantId}" } }
    source:
      staged:
        current: ${files('current')}
        next: ${files('next')}
        activate: ${activation}
        canary: { failurePercent: 50, minimumCalls: 4 }
`,
    ]);
  const env = { PAYCERT_POD_UID: podAmong(10, join(directory, 'next')) };
  const sidecar = await startSidecar(t, directory, config(activate), { env });
  const ask = async (operation: string, body: object, id?: string) => {
    const headers = id === undefined ? {} : { 'Request-Id': id };
    const { status, content } = await call(sidecar.socket, `${main}/${operation}`, { body, headers });
    assert.equal(status, 200, content);
    return JSON.parse(content) as { keyId: string; items: { result: { keyId: string } }[] };
  };
  return {
    sidecar,
    mine: current.merchant.serialNumber,
    theirs: next.merchant.serialNumber,
    report: (keyId: string, outcome: string) => ask('report', { keyId, outcome }),
    keyId: async (id?: string) => (await ask('sign', { message: 'x' }, id)).keyId,
    keyIds: async (id: string, count: number) => {
      const items = Array.from({ length: count }, () => ({ message: 'x' }));
      return (await ask('sign/batch', { items }, id)).items.map(({ result }) => result.keyId);
    },
    fleet: async () => JSON.parse((await call(sidecar.admin, '/fleet')).content) as { credentials: [object] },
    metrics: async () => (await call(sidecar.admin, '/metrics')).content,
    activate: (activation: string) => replaceFile(join(directory, 'paycert.yaml'), config(activation)),
  };
}

describe('a sidecar that tries a next key', { timeout: 900_000 }, () => {
  it('stops by itself when the platform refuses it, says so, and tries again with another activation', async (t) => {
    const { sidecar, mine, theirs, report, keyId, fleet, metrics, activate } = await start(t, '{ percent: 11 }');

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
    const scraped = await metrics();
    assert.match(scraped, /^paycert_canary_rejected\{credential="wechat-main"\} 1$/m);
    assert.match(scraped, /^paycert_signatures_judged_total\{credential="wechat-main",outcome="refused"\} 10$/m);
    const { stdout } = await paycert(['status', '--socket', sidecar.socket]);
    assert.match(stdout, /the platform refuses the next set, so the current set signs here/);
    const [{ canaryRejected }] = (await fleet()).credentials as [{ canaryRejected?: string }];
    assert.match(canaryRejected ?? '', /^[0-9a-f]{16}$/);

    const swapped = sidecar.event('swapped', { keyId: theirs }, sidecar.lines.length);
    await activate('{ percent: 10 }');
    await swapped;
    assert.equal(await keyId(), theirs);
  });

  it('signs a share of the requests with it, by their ids, until the platform refuses it', async (t) => {
    const one = await start(t, '{ percent: 50, of: requests }');
    const { sidecar, mine, theirs } = one;
    const ids = Array.from({ length: 100 }, (_, index) => `order-${String(index)}`);
    const signed = await Promise.all(ids.map((id) => one.keyId(id)));
    const share = signed.filter((keyId) => keyId === theirs).length;
    assert.ok(share > 20 && share < 80, String(share));
    assert.deepEqual(new Set(signed), new Set([mine, theirs]));
    assert.deepEqual(await Promise.all(ids.map((id) => one.keyId(id))), signed, 'the same id, the same key');
    const [tried] = ids.filter((_, index) => signed[index] === theirs);
    assert.deepEqual(await one.keyIds(tried!, 3), [theirs, theirs, theirs], 'a batch is one request');
    assert.match(await one.metrics(), /^paycert_staged\{credential="wechat-main",active="some",valid="true"\} 1$/m);
    const { stdout } = await paycert(['status', '--socket', sidecar.socket]);
    assert.match(stdout, /in 50 of 100 requests the next one does/);

    for (let times = 0; times < 8; times += 1) await one.report(mine, 'refused');
    assert.equal(await one.keyId(tried), theirs);
    const stopped = sidecar.event('staged', { level: 'error' });
    for (let times = 0; times < 4; times += 1) await one.report(theirs, 'refused');
    await stopped;
    assert.deepEqual(new Set(await Promise.all(ids.map((id) => one.keyId(id)))), new Set([mine]));
    const [{ canaryRejected }] = (await one.fleet()).credentials as [{ canaryRejected?: string }];
    assert.match(canaryRejected ?? '', /^[0-9a-f]{16}$/);
  });
});
