// What a reconciler asks for when it sees a Secret: Pods are touched for other data, also by a process that has not seen it before.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { KubeObject } from '../../src/kube/resources.ts';
import type { Lookup } from '../../src/operator/objects.ts';
import { Leadership } from '../../src/operator/leadership.ts';
import { Reconciler } from '../../src/operator/reconcile.ts';
import type { PaymentCredential, Status } from '../../src/operator/resource.ts';
import { ResourceKey } from '../../src/operator/resource-key.ts';
import { readSecretFacts } from '../../src/operator/secrets.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { makeMaterial, merchantId } from '../support/sidecar.ts';

const key = new ResourceKey('PaymentCredential', 'pay', 'wechat-main');
const spec = {
  provider: { wechatpay: { merchantId } },
  source: { secret: { name: 'keys' } },
  refreshPods: true,
};

const materials = [await makeMaterial(0), await makeMaterial(1)];

const secretOf = (version: string, rotation: 0 | 1, annotations = {}): KubeObject => ({
  metadata: { name: 'keys', namespace: 'pay', uid: 'u', resourceVersion: version, annotations },
  data: Object.fromEntries(
    [...materials[rotation]!.files].map(([name, bytes]) => [name, Buffer.from(bytes).toString('base64')]),
  ),
});
const damaged = (version: string, text: string): KubeObject => ({
  ...secretOf(version, 0),
  data: { 'apiclient_key.pem': Buffer.from(text).toString('base64') },
});

/** A process: it sees Secrets one after another, and what a process before it has written. */
function makeProcess(before?: Status) {
  let secret: KubeObject | undefined;
  let touched = 0;
  let status = before;
  const find = (): PaymentCredential => ({ kind: 'PaymentCredential', namespace: 'pay', name: 'wechat-main', uid: 'r', resourceVersion: '1', generation: 1, spec, status }); // prettier-ignore
  const lookup: Lookup = {
    find,
    secret: () => secret && readSecretFacts(secret),
    secretState: () => 'listed',
    resourcesOf: () => [key],
  };
  const client = {
    get: async () => secret!,
    change: () => assert.fail('it does not lead'),
    create: () => assert.fail('it does not lead'),
  };
  const reconciler = new Reconciler({
    lookup,
    secretOptIn: false,
    reviews: false,
    client: async () => client,
    leadership: new Leadership(),
    pods: { refresh: () => (touched += 1) },
    identity: 'test',
    clock: new FakeClock(new Date()),
    random: () => 0,
    observe: () => undefined,
  });
  /** Whether Pods are touched for it. */
  return {
    see: async (next: KubeObject): Promise<boolean> => {
      [secret, touched] = [next, 0];
      await reconciler.reconcile(key, new AbortController().signal);
      for (const known of reconciler.statuses()) status = known.status;
      return touched > 0;
    },
    status: () => status,
  };
}

describe('Pods', () => {
  it('are touched for other data, and not for other metadata', async () => {
    const { see } = makeProcess();
    assert.equal(await see(secretOf('1', 0)), false, 'a first sight is no change');
    assert.equal(await see(secretOf('2', 0, { mine: 'x' })), false);
    assert.equal(await see(secretOf('3', 1)), true);
    assert.equal(await see(damaged('4', 'no key')), true);
    assert.equal(await see(damaged('5', 'none either')), true);
    assert.equal(await see(damaged('6', 'none either')), false);
  });

  it('are touched by a process that starts for other keys, and not for other metadata', async () => {
    const first = makeProcess();
    await first.see(secretOf('1', 0));
    for (const [secret, expected] of [
      [secretOf('1', 0), false],
      [secretOf('2', 0, { mine: 'x' }), false],
      [secretOf('3', 1), true],
      [damaged('4', 'no key'), true],
    ] as const)
      assert.equal(await makeProcess(first.status()).see(secret), expected, secret.metadata.resourceVersion);
  });

  it('are touched by a process that starts for every version that it cannot compare', async () => {
    const first = makeProcess();
    await first.see(damaged('1', 'no key'));
    assert.equal(await makeProcess(first.status()).see(damaged('2', 'no key')), true);
    assert.equal(await makeProcess(first.status()).see(secretOf('3', 0)), true);
  });
});
