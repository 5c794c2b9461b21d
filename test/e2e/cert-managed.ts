// A Secret that the real cert-manager renews, mounted by kubelet itself: the sidecar of the Pod follows each renewal.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { it } from 'node:test';
import { CertManager, elliptic, noCertManager, type Plane, secretOf } from '../support/cert-manager.ts';
import type { Json } from '../support/control-plane.ts';
import { makeDirectory } from '../support/sidecar.ts';
import { eventually, type Kubernetes, kubectl } from './kubernetes.ts';
import { byMount, makeIdle, makeVariant, sidecarManifests } from './pods.ts';
import { logOf } from './questions.ts';
import type { World } from './world.ts';

const name = 'cert-managed';
/** Fifteen seconds apart. */
const hurried = { duration: '1h', renewBefore: '59m45s' };
const renewals = 2;

const planeOf = (kubernetes: Kubernetes): Plane => ({
  kubeconfig: () => Promise.resolve(process.env['KUBECONFIG'] ?? ''),
  admin: (method, path, body) => kubernetes.json(method, path, body as Json),
  attempt: async (method, path) => {
    const object = await kubernetes.json(method, path).catch(() => undefined);
    return { status: object === undefined ? 404 : 200, object: object ?? {}, warnings: [] };
  },
});

export function certManaged(world: () => World): void {
  it('follows a Secret that cert-manager renews, through the mount of kubelet', { skip: noCertManager }, async (t) => {
    const { pay, image, kubernetes } = world();
    if ((await kubectl('get', 'crd/certificates.cert-manager.io', '--ignore-not-found', '-o', 'name')) !== '') {
      t.skip('there is a cert-manager in this cluster already');
      return;
    }
    const plane = planeOf(kubernetes);
    const certManager = await CertManager.start(plane, await makeDirectory(t));
    t.after(async () => {
      await certManager[Symbol.asyncDispose]();
      await kubectl('delete', `pod/${name}`, `configmap/${name}`, '-n', pay, '--ignore-not-found', '--wait=false');
      await certManager.remove();
    });
    await certManager.authority(pay);
    const spec = { ...hurried, secretName: name, commonName: 'shop', usages: ['client auth'], privateKey: elliptic, issuerRef: { name: 'authority' } }; // prettier-ignore
    await certManager.apply(pay, { kind: 'Certificate', metadata: { name }, spec });
    const serialNow = async () =>
      new X509Certificate((await secretOf(plane, pay, name, 'tls.crt'))['tls.crt'] ?? '').serialNumber;
    await serialNow();

    const credential = { name: 'bank', required: true, provider: { mtls: {} }, source: byMount };
    await world().apply(makeVariant(makeIdle(sidecarManifests(image)), { name, credential, secret: name }));
    await kubectl('wait', `pod/${name}`, '-n', pay, '--for=condition=Ready', '--timeout=60s');
    const swapped = async () =>
      (await logOf(world(), name, 'paycert')).split('\n').filter((line) => line.includes('"event":"swapped"'));
    for (let renewal = 1; renewal <= renewals; renewal += 1) {
      const before = await serialNow();
      const renewed = await eventually('it is renewed', 40, async () => {
        const serial = await serialNow();
        return serial !== before && serial;
      });
      // kubelet looks at once at a Pod that has changed.
      await kubectl('annotate', `pod/${name}`, '-n', pay, '--overwrite', `renewal=${String(renewal)}`);
      await eventually('its sidecar has taken it', 12, async () =>
        (await swapped()).some((line) => line.includes(renewed)),
      );
    }
    const log = await logOf(world(), name, 'paycert');
    for (const event of ['rejected', 'source-failed', 'deferred'])
      assert.ok(!log.includes(`"event":"${event}"`), event);
  });
}
