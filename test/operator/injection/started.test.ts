// What is injected, started: the arguments, the variable and the paths of the patch are those of a sidecar that signs.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { ReviewRequest } from '../../../src/operator/admission/review.ts';
import { inject } from '../../../src/operator/injection/inject.ts';
import { createSecretVolume } from '../../../src/testing/secret-volume.ts';
import { wechatpaySpec } from '../../support/operator.ts';
import { call, makeDirectory, makeMaterial, Sidecar } from '../../support/sidecar.ts';

interface Container {
  readonly args: readonly string[];
  readonly env: readonly [{ readonly name: string; readonly value: string }];
}

/** The container that is added to a Pod with these annotations. */
function injected(annotations: Readonly<Record<string, string>>): Container {
  const resource = { kind: 'PaymentCredential', namespace: 'pay', name: 'x', uid: '1', resourceVersion: '1' } as const;
  const find = () => ({ ...resource, generation: 1, spec: wechatpaySpec('keys'), status: undefined });
  const metadata = { labels: { 'paycert.dev/inject': 'wechat-main' }, annotations };
  const object = { metadata, spec: { containers: [{ name: 'shop' }] } };
  const request = { kind: { kind: 'Pod' }, namespace: 'pay', operation: 'CREATE', object } as unknown as ReviewRequest;
  const { patch } = inject(request, { lookup: { find }, image: 'paycert:0.1.0', version: '0.1.0' });
  const [container] = patch.find(({ path }) => path === '/spec/initContainers')!.value as readonly [Container];
  return container;
}

describe('an injected sidecar', { timeout: 120_000 }, () => {
  it('starts, signs with the key of its mount and with the next one, and ends after its drain', async (t) => {
    const directory = await makeDirectory(t);
    const { args, env } = injected({ 'paycert.dev/drain': '10ms', 'paycert.dev/log-level': 'debug' });
    const [{ name, value }] = env;
    // Places of a container, in a directory of the test.
    const here = value
      .replaceAll('/etc/paycert/keys', join(directory, 'keys'))
      .replaceAll('/run/paycert-last-good', join(directory, 'last-good'))
      .replaceAll('/run/paycert', directory)
      .replace('":9464"', '"127.0.0.1:0"');
    const files = [await makeMaterial(), await makeMaterial(1)];
    const volume = await createSecretVolume(join(directory, 'keys/wechat-main'), files[0]!.files);
    const sidecar = new Sidecar(t, args, { [name]: here });
    await sidecar.ready(['wechat-main']);
    const keyId = async () => {
      const { status, content } = await call(join(directory, 'paycert.sock'), '/v1/credentials/wechat-main/sign', { body: { message: 'x' } }); // prettier-ignore
      assert.equal(status, 200, content);
      return (JSON.parse(content) as { keyId: string }).keyId;
    };
    assert.equal(await keyId(), files[0]!.merchant.serialNumber);
    const swapped = sidecar.event('swapped', { generation: 2 });
    await volume.write(files[1]!.files);
    await swapped;
    assert.equal(await keyId(), files[1]!.merchant.serialNumber);
    sidecar.child.kill('SIGTERM');
    assert.equal(await sidecar.ended, 0);
  });
});
