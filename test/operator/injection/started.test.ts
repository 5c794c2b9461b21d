// What is injected, started: the arguments, the variable and the paths of the patch are those of a sidecar that signs.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { ReviewRequest } from '../../../src/operator/admission/review.ts';
import { inject } from '../../../src/operator/injection/inject.ts';
import { createSecretVolume } from '../../../src/testing/secret-volume.ts';
import { askInjected, placesIn } from '../../support/injected.ts';
import { wechatpaySpec } from '../../support/operator.ts';
import { makeDirectory, makeMaterial, Sidecar } from '../../support/sidecar.ts';

interface Container {
  readonly args: readonly string[];
  readonly env: readonly [{ readonly name: string; readonly value: string }];
}

/** The container that is added to a Pod with these annotations. */
function injected(annotations: Readonly<Record<string, string>>, spec = wechatpaySpec('keys')): Container {
  const resource = { kind: 'PaymentCredential', namespace: 'pay', name: 'x', uid: '1', resourceVersion: '1' } as const;
  const find = () => ({ ...resource, generation: 1, spec, status: undefined });
  const metadata = { labels: { 'paycert.dev/inject': 'wechat-main' }, annotations };
  const object = { metadata, spec: { containers: [{ name: 'shop' }] } };
  const request = { kind: { kind: 'Pod' }, namespace: 'pay', operation: 'CREATE', object } as unknown as ReviewRequest;
  const { patch } = inject(request, { lookup: { find }, image: 'paycert:0.1.0', version: '0.1.0' });
  const [container] = patch.find(({ path }) => path === '/spec/initContainers')!.value as readonly [Container];
  return container;
}

const keyIdOf = async (directory: string): Promise<string> =>
  (await askInjected(directory, 'sign', { message: 'x' }))['keyId'] as string;

describe('an injected sidecar', { timeout: 900_000 }, () => {
  it('starts, signs with the key of its mount and with the next one, and ends after its drain', async (t) => {
    const directory = await makeDirectory(t);
    const { args, env } = injected({ 'paycert.dev/drain': '10ms', 'paycert.dev/log-level': 'debug' });
    const [{ name, value }] = env;
    const here = placesIn(directory, value);
    const files = [await makeMaterial(), await makeMaterial(1)];
    const volume = await createSecretVolume(join(directory, 'keys/wechat-main'), files[0]!.files);
    const sidecar = new Sidecar(t, args, { [name]: here });
    await sidecar.ready(['wechat-main']);
    const keyId = () => keyIdOf(directory);
    assert.equal(await keyId(), files[0]!.merchant.serialNumber);
    const swapped = sidecar.event('swapped', { generation: 2 });
    await volume.write(files[1]!.files);
    await swapped;
    assert.equal(await keyId(), files[1]!.merchant.serialNumber);
    sidecar.child.kill('SIGTERM');
    assert.equal(await sidecar.ended, 0);
  });

  it('of two staged Secrets does what the annotation of its Pod says, as kubelet writes it', async (t) => {
    const directory = await makeDirectory(t);
    const sets = { current: { secret: { name: 'keys' } }, next: { secret: { name: 'next' } } };
    const { args, env } = injected(
      {},
      wechatpaySpec('', { source: { staged: { ...sets, activate: { percent: 0 } } } }),
    );
    const [current, next] = [await makeMaterial(), await makeMaterial(1)];
    await createSecretVolume(join(directory, 'keys/wechat-main'), current.files);
    await createSecretVolume(join(directory, 'next-keys/wechat-main'), next.files);
    const said = (percent: number) =>
      new Map([['activations', Buffer.from(`{"wechat-main":{"percent":${String(percent)}}}`)]]);
    const volume = await createSecretVolume(join(directory, 'pod'), said(0));
    const [{ name, value }] = env;
    const sidecar = new Sidecar(t, args, { [name]: placesIn(directory, value) });
    await sidecar.ready(['wechat-main']);
    assert.equal(await keyIdOf(directory), current.merchant.serialNumber);
    for (const [percent, { merchant }, generation] of [
      [100, next, 2],
      [0, current, 3],
    ] as const) {
      const swapped = sidecar.event('swapped', { generation });
      await volume.write(said(percent));
      await swapped;
      assert.equal(await keyIdOf(directory), merchant.serialNumber);
    }
    const refused = sidecar.event('activation-refused', { code: 'activation-invalid' });
    await volume.write(new Map([['activations', Buffer.from('{"wechat-main":{"percent":"all"}}')]]));
    await refused;
    assert.equal(await keyIdOf(directory), current.merchant.serialNumber, 'what was said last counts');
  });
});
