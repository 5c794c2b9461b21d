// A platform refuses the next key in one Pod: that Pod stops by itself, the operator hears of it and tells each Pod, though the API server restarts.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { createSecretVolume } from '../../../src/testing/secret-volume.ts';
import type { WechatpayMaterial } from '../../../src/testing/wechatpay-material.ts';
import { noControlPlane, useControlPlane } from '../../support/control-plane.ts';
import { anyAddress, hastyClock, reportPod } from '../../support/fleet.ts';
import { askInjected, placesIn } from '../../support/injected.ts';
import { podsPath, startInjecting, type Stored } from '../../support/injection.ts';
import { installDefinition, until } from '../../support/operator.ts';
import { makeDirectory, makeMaterial, Sidecar } from '../../support/sidecar.ts';

const limit = { timeout: 300_000, skip: noControlPlane };
const controlPlane = useControlPlane(installDefinition);
const activation = { percent: 50, of: 'requests' };
const staged = {
  current: { secret: { name: 'keys' } },
  next: { secret: { name: 'next' } },
  activate: activation,
  canary: { failurePercent: 50, minimumCalls: 4 },
};
const annotationOf = ({ metadata }: Stored): string => metadata.annotations?.['paycert.dev/activations'] ?? '';

interface Container {
  readonly args: readonly string[];
  readonly env: readonly [{ readonly value: string }];
}

interface Sets {
  readonly current: WechatpayMaterial;
  readonly next: WechatpayMaterial;
}

/** The sidecar of a stored Pod at an address of its own. `sync`: what kubelet does when the Pod has changed. */
async function run(t: TestContext, pod: Stored, ip: string, { current, next }: Sets) {
  const directory = await makeDirectory(t);
  await createSecretVolume(join(directory, 'keys/wechat-main'), current.files);
  await createSecretVolume(join(directory, 'next-keys/wechat-main'), next.files);
  let shown = annotationOf(pod);
  const filesOf = (text: string) => new Map([['activations', Buffer.from(text)]]);
  const volume = await createSecretVolume(join(directory, 'pod'), filesOf(shown));
  const [{ args, env }] = pod.spec.initContainers as unknown as readonly [Container];
  const configuration = placesIn(directory, env[0].value, `${ip}:9464`);
  const sidecar = new Sidecar(t, args, { PAYCERT_CONFIG: configuration, PAYCERT_POD_UID: pod.metadata.uid });
  await sidecar.ready(['wechat-main']);
  const sync = async (text: string) => {
    if (text === shown) return;
    shown = text;
    await volume.write(filesOf(text));
  };
  /** Which keys sign forty calls; each of them succeeds. */
  const keys = async () => {
    const ids = Array.from({ length: 40 }, (_, index) => `${pod.metadata.name} ${String(index)}`);
    const signed = await Promise.all(ids.map((id) => askInjected(directory, 'sign', { message: 'x' }, id)));
    return new Set(signed.map(({ keyId }) => keyId));
  };
  const report = (keyId: string, outcome: string) => askInjected(directory, 'report', { keyId, outcome });
  return { name: pod.metadata.name, sync, keys, report };
}

describe('a canary that its platform refuses in one Pod', () => {
  it('ends in every Pod, though the API server restarts meanwhile, and every call is signed', limit, async (t) => {
    const plane = controlPlane();
    const overrides = { clock: hastyClock(20), asksFleet: true, mayBeAsked: anyAddress };
    const { tenant, namespace, create, install } = await startInjecting(t, plane, overrides);
    const sets = { current: await makeMaterial(), next: await makeMaterial(1) };
    await tenant.write('keys', sets.current.files);
    await tenant.write('next', sets.next.files);
    await install();
    await tenant.patch('wechat-main', { source: { secret: null, staged } });
    await until(async () => annotationOf((await create({ query: '?dryRun=All' })).object as Stored) !== '', 'Pods get both Secrets'); // prettier-ignore

    const pods: Awaited<ReturnType<typeof run>>[] = [];
    for (const index of [0, 1]) {
      const { status, object } = await create();
      assert.equal(status, 201);
      // A loopback address of this process alone.
      const ip = `127.${String(100 + index)}.${String((process.pid >> 8) & 255)}.${String((process.pid & 127) + 1)}`;
      pods.push(await run(t, object as Stored, ip, sets));
      await reportPod(tenant, (object as Stored).metadata.name, { ip });
    }
    const [mine, theirs] = [sets.current, sets.next].map(({ merchant }) => merchant.serialNumber) as [string, string];
    const kubelet = async () => {
      for (const { name, sync } of pods)
        await sync(annotationOf((await plane.admin('GET', podsPath(namespace, name))) as Stored));
    };
    for (const { keys } of pods) assert.deepEqual(await keys(), new Set([mine, theirs]));

    const [first, second] = pods;
    await plane.killApiServer();
    for (let times = 0; times < 4; times += 1) await first!.report(theirs, 'refused');
    await until(async () => !(await first!.keys()).has(theirs), 'the Pod stops by itself');
    assert.deepEqual(await second!.keys(), new Set([mine, theirs]), 'the other one has heard of nothing');
    await plane.startApiServer();

    const { message } = await tenant.condition('wechat-main', 'CanaryRejected', 'True SignaturesRefused');
    assert.match(message, /refuses signatures of Secret "next"/);
    await until(async () => {
      await kubelet();
      return !(await second!.keys()).has(theirs);
    }, 'the other Pod is told');
    for (const { keys } of pods) assert.deepEqual(await keys(), new Set([mine]));
    await until(async () =>
      (await tenant.events()).includes('Warning SignaturesRefused PaymentCredential/wechat-main'),
    );
  });
});
