// A next key is promoted, rolled back, and refused by its platform, in Pods whose callers count every signature.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Json } from '../support/control-plane.ts';
import { restricted } from '../support/injection.ts';
import type { Count } from './caller.ts';
import { eventually, kubectl, paycert } from './kubernetes.ts';
import { callsItsOwn, makeVariant, sidecarManifests } from './pods.ts';
import { condition, eventsOf, statusOf } from './questions.ts';
import type { World } from './world.ts';

const name = 'staged';
/** It follows the resource, and reads both Secrets through the API. */
const follower = 'staged-follower';
/** Over the mount, and for a verdict of the platform. */
const promised = 90;
/** Through the API it takes one or two; a machine may be busy. */
const patience = 20;

/** Who may patch the resource needs no Secret; who follows it reads both. */
const access: readonly Json[] = [
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: { name },
    rules: [
      { apiGroups: [''], resources: ['secrets'], resourceNames: [name, `${name}-next`], verbs: ['get', 'list', 'watch'] }, // prettier-ignore
      { apiGroups: ['paycert.dev'], resources: ['paymentcredentials'], resourceNames: [name], verbs: ['list', 'watch'] }, // prettier-ignore
    ],
  },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
    subjects: [{ kind: 'ServiceAccount', name: 'shop' }],
  },
];

/** Three Pods that get their sidecar from the label, each with callers of its own. */
function injectedCallers({ image }: World, caller: ReturnType<typeof callsItsOwn>): Json {
  const about = { name: 'caller', image, imagePullPolicy: 'IfNotPresent', securityContext: restricted };
  const container = { ...about, ...caller.container, volumeMounts: [caller.mount] };
  const spec = { automountServiceAccountToken: false, containers: [container], volumes: [caller.volume] };
  const template = { metadata: { labels: { app: name, 'paycert.dev/inject': name } }, spec };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: { replicas: 3, selector: { matchLabels: { app: name } }, template },
  };
}

/** What the callers of each Pod have counted, its times on our clock. Nothing has failed. */
async function countsOf({ kubernetes, pay }: World): Promise<Map<string, Count>> {
  const path = `/api/v1/namespaces/${pay}/pods`;
  const { items } = await kubernetes.json('GET', `${path}?labelSelector=app=${name}`);
  const pods = (items as { metadata: { name: string } }[]).map(({ metadata }) => metadata.name);
  const counts = await Promise.all(
    [...pods, follower].map(async (pod) => {
      const said = await kubernetes.text('GET', `${path}/${pod}:8080/proxy/`);
      const { now, counts } = JSON.parse(said) as { now: number; counts: { own: Count } };
      assert.equal(counts.own.failed, 0, `${pod}: ${counts.own.lastFailure}`);
      return [pod, { ...counts.own, since: counts.own.since + Date.now() - now }] as const;
    }),
  );
  return new Map(counts);
}

/** Until, for two seconds, that key alone has signed in each Pod: some twenty signatures. The result: seconds until then, in the slowest of each way. */
async function untilAlone(world: World, keyId: string, start: number) {
  let seen = new Map<string, Count>();
  const counts = await eventually(`${keyId} alone signs`, promised, async () => {
    seen = await countsOf(world);
    const isAlone = (count: Count) => count.keyId === keyId && Date.now() - count.since > 2000;
    return [...seen.values()].every(isAlone) && seen;
  }).catch((error: unknown) => {
    throw new Error(JSON.stringify([...seen]), { cause: error });
  });
  const taken = (isWanted: (pod: string) => boolean) =>
    Math.max(0, ...[...counts].filter(([pod]) => isWanted(pod)).map(([, { since }]) => (since - start) / 1000));
  return { mount: taken((pod) => pod !== follower), api: taken((pod) => pod === follower) };
}

async function succeed(...words: readonly string[]): Promise<void> {
  const { code, stdout, stderr } = await paycert(...words);
  assert.equal(code, 0, stdout + stderr);
}

export function canary(world: () => World): void {
  const serials = () => [0, 1].map((index) => world().materials.at(index).merchant.serialNumber) as [string, string];

  it('lets a next key sign everywhere by one command, and the current one again by another, and no signature fails', async (t) => {
    const { pay, image, materials } = world();
    const [current, next] = serials();
    await world().writeSecret(name, materials.at(0).files);
    await world().writeSecret(`${name}-next`, materials.at(1).files);
    const sets = { current: { secret: { name } }, next: { secret: { name: `${name}-next` } } };
    const source = { staged: { ...sets, activate: { percent: 0 } } };
    await world().apply([world().credential(name, { source }), ...access]);
    await condition(world(), name, 'Ready True Ready');
    const caller = callsItsOwn(name, materials.certificates());
    const credential = { resource: name, required: true };
    const labels = { 'paycert.dev/sidecar': 'true' };
    const follows = makeVariant(sidecarManifests(image), { name: follower, credential, labels, caller });
    await world().apply([injectedCallers(world(), caller), ...follows]);
    await kubectl('rollout', 'status', `deployment/${name}`, '-n', pay, '--timeout=90s');
    await kubectl('wait', `pod/${follower}`, '-n', pay, '--for=condition=Ready', '--timeout=60s');
    await untilAlone(world(), current, Date.now());

    for (const [command, keyId] of [['promote', next], ['rollback', current]] as const) {
      await succeed(command, name, '-n', pay);
      const { mount, api } = await untilAlone(world(), keyId, Date.now());
      t.diagnostic(`${command}: in every Pod ${mount.toFixed(1)} s after the command over the mount, ${api.toFixed(1)} s through the API`); // prettier-ignore
      assert.ok(mount <= promised && api <= patience, `${String(mount)} ${String(api)}`);
    } // prettier-ignore
  });

  it('takes a share of requests away from a next key in every Pod when the platform refuses it in one, and says so', async (t) => {
    const { pay, kubernetes } = world();
    const [current, next] = serials();
    const before = await countsOf(world());
    const tries = (pod: string, { byKey }: Count) => (byKey[next] ?? 0) > (before.get(pod)?.byKey[next] ?? 0);
    await succeed('promote', name, '-n', pay, '--percent', '50', '--of', 'requests');
    let counts = before;
    const [one = ''] = await eventually('each Pod signs with the next key too', promised, async () => {
      counts = await countsOf(world());
      return [...counts].every(([pod, count]) => tries(pod, count)) && [...counts.keys()];
    }).catch((error: unknown) => {
      throw new Error(JSON.stringify([...counts]), { cause: error });
    });

    const start = Date.now();
    await kubernetes.text('POST', `/api/v1/namespaces/${pay}/pods/${one}:8080/proxy/${next}`);
    await condition(world(), name, 'CanaryRejected True SignaturesRefused', promised);
    const known = (Date.now() - start) / 1000;
    const { mount, api } = await untilAlone(world(), current, start);
    t.diagnostic(`after the first refusal: a condition in ${known.toFixed(1)} s, the current key alone in every Pod in ${mount.toFixed(1)} s over the mount, ${api.toFixed(1)} s through the API`); // prettier-ignore
    assert.ok(Math.max(known, mount, api) <= promised);
    await eventually('an Event says so', 10, async () =>
      /refuses signatures of Secret "staged-next"/.test((await eventsOf(world(), name)).get('SignaturesRefused') ?? ''),
    );
    const again = await paycert('promote', name, '-n', pay, '--percent', '50', '--of', 'requests');
    assert.match(again.stderr, /is as it was: roll it back first/);

    await succeed('rollback', name, '-n', pay);
    await eventually('it is over', 20, async () => {
      const { conditions = [] } = (await statusOf(world(), name)) ?? {};
      return !conditions.some(({ type }) => type === 'CanaryRejected');
    });
    await untilAlone(world(), current, start);
    await kubectl('delete', `deployment/${name}`, `pod/${follower}`, `paycred/${name}`, '-n', pay, '--wait=false');
  });
}
