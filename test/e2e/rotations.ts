// Keys change, well and badly: what runs goes on signing, and what is stored is judged within seconds.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { withMismatchedPair, type WechatpayMaterial } from '../../src/testing/index.ts';
import { eventually, kubectl } from './kubernetes.ts';
import { makeVariant, sidecarManifests } from './pods.ts';
import { condition, eventsOf, logOf } from './questions.ts';
import { rotate, signOn } from './traffic.ts';
import type { World } from './world.ts';

const api = '/apis/paycert.dev/v1alpha1';

export function rotations(world: () => World): void {
  let first: WechatpayMaterial;

  it('signs with a new key at once through the API, in seconds through a touched mount, and when kubelet looks through another', async (t) => {
    first = world().current;
    await rotate(t, world(), { api: 2, mount: 12, untouched: 120 });
  });

  it('rejects a bad Secret, says why in a condition, an Event and the log, and signs on with the last good', async () => {
    const good = await condition(world(), 'wechat-main', 'Ready True Ready');
    await world().writeSecret('wechat-main', await withMismatchedPair(world().current));
    const { status, message } = await condition(world(), 'wechat-main', 'Ready False KeyMismatch');
    assert.match(message, /apiclient_key\.pem does not belong to apiclient_cert\.pem/);
    assert.match(message, /Sidecars that run keep what was accepted before/);
    assert.deepEqual(status.accepted, good.status.accepted);
    assert.equal(status.rejected?.reason, 'KeyMismatch');
    await eventually('there is an Event', 5, async () =>
      /apiclient_key\.pem does not belong/.test((await eventsOf(world(), 'wechat-main')).get('KeyMismatch') ?? ''),
    );
    for (const pod of ['api', 'mount'])
      await eventually(`${pod} has rejected it`, 15, async () =>
        (await logOf(world(), pod, 'paycert')).includes('"code":"key-mismatch"'),
      );
    const counts = await signOn(world());
    for (const { keyId } of Object.values(counts)) assert.equal(keyId, world().current.merchant.serialNumber);
  });

  it('goes back to an older key when the Secret does', async (t) => {
    await rotate(t, world(), { api: 2, mount: 12 }, { material: first });
    await condition(world(), 'wechat-main', 'Ready True Ready');
  });

  it('takes the key that fixes it', async (t) => {
    await rotate(t, world(), { api: 2, mount: 12 });
    await condition(world(), 'wechat-main', 'Valid True Accepted');
  });

  it('drops the keys of a resource that is suspended, and signs again when it is resumed', async () => {
    const { pay, image, kubernetes } = world();
    const [map, pod] = makeVariant(sidecarManifests(image), { name: 'follower', credential: { resource: 'wechat-main', required: true } }); // prettier-ignore
    await world().apply([follow, map!, pod!]);
    await kubectl('wait', 'pod/follower', '-n', pay, '--for=condition=Ready', '--timeout=60s');
    const path = `${api}/namespaces/${pay}/paymentcredentials/wechat-main`;
    const suspend = (is: boolean) => kubernetes.json('PATCH', path, { spec: { suspend: is } }, 'application/merge-patch+json'); // prettier-ignore
    await suspend(true);
    const { message } = await condition(world(), 'wechat-main', 'Ready False Suspended');
    assert.match(message, /Set spec\.suspend to false to resume/);
    await kubectl('wait', 'pod/follower', '-n', pay, '--for=condition=Ready=false', '--timeout=20s');
    await suspend(false);
    await condition(world(), 'wechat-main', 'Ready True Ready');
    await kubectl('wait', 'pod/follower', '-n', pay, '--for=condition=Ready', '--timeout=20s');
    await kubectl('delete', 'pod/follower', '-n', pay);
    await signOn(world());
  });

  it('keeps the last good when the Secret is deleted, says so, and takes the one that is created anew', async (t) => {
    await kubectl('delete', 'secret', 'wechat-main', '-n', world().pay);
    const { message } = await condition(world(), 'wechat-main', 'Ready False SecretMissing');
    assert.match(message, /there is no Secret "wechat-main" here.*Create the object named.*Sidecars that run keep/);
    await signOn(world());
    await rotate(t, world(), { api: 2, mount: 120 });
    await condition(world(), 'wechat-main', 'Ready True Ready');
  });
}

/** What docs/kubernetes.md says a sidecar that follows a resource needs beside its Secret. */
const follow = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'Role',
  metadata: { name: 'shop-wechat-main' },
  rules: [
    { apiGroups: [''], resources: ['secrets'], resourceNames: ['wechat-main'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: ['paycert.dev'], resources: ['paymentcredentials'], resourceNames: ['wechat-main'], verbs: ['list', 'watch'] }, // prettier-ignore
  ],
};
