// The webhooks' own certificate on a real API server: kept in one Secret, shown by every replica, trusted through every change.
import assert from 'node:assert/strict';
import { randomBytes, X509Certificate } from 'node:crypto';
import { connect } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { systemClock } from '../../../src/clock.ts';
import type { PaycertError } from '../../../src/errors.ts';
import { connect as connectCluster } from '../../../src/kube/client.ts';
import {
  lifetimes,
  renewServingKeys,
  type ServingKeys,
  splitBundle,
} from '../../../src/operator/admission/serving-keys.ts';
import { ServingSecret } from '../../../src/operator/admission/serving-secret.ts';
import { withMismatchedPair } from '../../../src/testing/spoiled-material.ts';
import { documentedWebhooks } from '../../support/admission.ts';
import { type Attempt, type ControlPlane, type Json, noControlPlane, useControlPlane } from '../../support/control-plane.ts'; // prettier-ignore
import { freePort } from '../../support/free-port.ts';
import { installDefinition, startOperator, Tenant, until, wechatpaySpec } from '../../support/operator.ts';
import { makeMaterial } from '../../support/sidecar.ts';

const limit = { timeout: 900_000, skip: noControlPlane };
const controlPlane = useControlPlane(installDefinition);
const path = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';
const hostNames = ['localhost'];

interface Configured extends Json {
  readonly webhooks: readonly { readonly clientConfig: { readonly caBundle?: string } }[];
}

/** Of each webhook, the authorities that the API server has for it. */
async function bundlesOf(plane: ControlPlane, name: string): Promise<string[]> {
  const { webhooks } = (await plane.admin('GET', `${path}/${name}`)) as Configured;
  return webhooks.map(({ clientConfig: { caBundle = '' } }) => Buffer.from(caBundle, 'base64').toString());
}

/** A configuration that asks each of these ports about every Secret of the namespace, and has no authority yet. */
async function configure(t: TestContext, plane: ControlPlane, { namespace }: Tenant, ports: readonly number[]) {
  const name = `own-${namespace}`;
  const [secrets] = await documentedWebhooks();
  const webhooks = ports.map((port, index) => ({
    ...secrets,
    name: `replica-${index}.admission.paycert.dev`,
    clientConfig: { url: `https://localhost:${port}/review` },
    namespaceSelector: {
      matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values: [namespace] }],
    },
    failurePolicy: 'Fail',
  }));
  await plane.admin('POST', path, { metadata: { name }, webhooks });
  t.after(() => plane.admin('DELETE', `${path}/${name}`));
  return name;
}

async function setUp(t: TestContext, replicas: number) {
  const plane = controlPlane();
  const tenant = await Tenant.make(plane);
  const home = await plane.makeNamespace();
  await plane.admin('POST', `/api/v1/namespaces/${home}/secrets`, { metadata: { name: 'serving', labels: { ours: 'yes' } } }); // prettier-ignore
  const ports = await Promise.all(Array.from({ length: replicas }, freePort));
  const configuration = await configure(t, plane, tenant, ports);
  const secret = { namespace: home, name: 'serving' };
  const start = (index: number) =>
    startOperator(t, plane, {
      namespaces: [tenant.namespace],
      lease: { namespace: home, name: 'leader' },
      ...environments[index],
      admission: {
        address: `localhost:${ports[index]}`,
        certificate: { secret, webhooks: configuration, hostNames },
      },
    });
  const kubeconfig = await plane.kubeconfig('default');
  const environments = ports.map((_, index) => ({
    environment: { KUBECONFIG: kubeconfig, POD_NAME: `replica-${index}` },
  }));
  const write = async (): Promise<Attempt> => {
    const files = await withMismatchedPair(await makeMaterial());
    const data = Object.fromEntries([...files].map(([name, bytes]) => [name, Buffer.from(bytes).toString('base64')]));
    const metadata = { name: 'keys', labels: { 'paycert.dev/used-by': 'wechat-main' } };
    return plane.attempt('POST', `/api/v1/namespaces/${tenant.namespace}/secrets?dryRun=All`, { metadata, data });
  };
  await tenant.create('wechat-main', wechatpaySpec('keys'));
  const client = async () => connectCluster({ KUBECONFIG: kubeconfig });
  const keeper = new ServingSecret({ secret, configurations: [{ kind: 'validating', name: configuration }], hostNames, client, clock: systemClock, random: randomBytes, observe: () => undefined }); // prettier-ignore
  return { plane, tenant, home, ports, configuration, start, write, keeper, secret };
}

const isRefused = ({ status, object }: Attempt): boolean =>
  status === 403 && /key-mismatch/.test(String(object['message']));

/** Whether somebody listens there. */
const isOpen = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, 'localhost');
    const end = (wasOpen: boolean) => {
      socket.destroy();
      resolve(wasOpen);
    };
    socket.once('connect', () => end(true)).once('error', () => end(false));
  });

describe('the webhooks’ own certificate', () => {
  it('is made by the leader, shown by every replica, and its authority is in every webhook', limit, async (t) => {
    const { plane, home, ports, configuration, start, write } = await setUp(t, 2);
    const running = await Promise.all([start(0), start(1)]);
    await until(async () => (await Promise.all(ports.map(isOpen))).every(Boolean), 'both replicas listen');
    const faults = running.flatMap(({ recorder }) => [
      ...recorder.of('config-rejected'),
      ...recorder.of('serving-failed'),
    ]);
    assert.deepEqual(faults, [], 'to wait for the first certificate is no fault');
    // Both webhooks are asked: the message is of either.
    await until(async () => isRefused(await write()), 'both certificates are trusted');
    const bundles = await bundlesOf(plane, configuration);
    assert.equal(new Set(bundles).size, 1);
    const secret = await plane.admin('GET', `/api/v1/namespaces/${home}/secrets/serving`);
    assert.deepEqual(Object.keys(secret['data'] as object).sort(), ['ca.crt', 'ca.key', 'tls.crt', 'tls.key']);
    assert.deepEqual((secret['metadata'] as { labels: object }).labels, { ours: 'yes' });
  });

  it('is made by a replica that does not lead, while none is there', limit, async (t) => {
    const { plane, home, ports, start, write } = await setUp(t, 1);
    // An operator that keeps no certificate holds the Lease, as before an upgrade.
    const renewTime = new Date().toISOString().replace('Z', '000Z');
    const spec = { holderIdentity: 'older', leaseDurationSeconds: 3600, acquireTime: renewTime, renewTime };
    await plane.admin('POST', `/apis/coordination.k8s.io/v1/namespaces/${home}/leases`, { metadata: { name: 'leader' }, spec });
    await start(0);
    await until(() => isOpen(ports[0] ?? 0), 'it listens');
    await until(async () => isRefused(await write()), 'its certificate is trusted');
  }); // prettier-ignore

  it('has its authority in webhooks that review and in webhooks that change, and both have the next one', limit, async (t) => {
    const { plane, tenant, home, configuration, secret } = await setUp(t, 1);
    const mutating = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations';
    const name = `injection-${tenant.namespace}`;
    const [webhook] = await documentedWebhooks('MutatingWebhookConfiguration');
    const clientConfig = { url: 'https://localhost:1/review' };
    const objectSelector = { matchLabels: { nobody: 'asks' } };
    await plane.admin('POST', mutating, { metadata: { name }, webhooks: [{ ...webhook, clientConfig, objectSelector }] });
    t.after(() => plane.admin('DELETE', `${mutating}/${name}`));
    const client = async () => connectCluster({ KUBECONFIG: await plane.kubeconfig('default') });
    const configurations = [{ kind: 'validating', name: configuration }, { kind: 'mutating', name }] as const;
    const keeper = new ServingSecret({ secret, configurations, hostNames, client, clock: systemClock, random: randomBytes, observe: () => undefined });
    const bundles = async () => {
      const { webhooks } = (await plane.admin('GET', `${mutating}/${name}`)) as Configured;
      const injecting = webhooks.map(({ clientConfig: { caBundle = '' } }) => Buffer.from(caBundle, 'base64').toString());
      return [...(await bundlesOf(plane, configuration)), ...injecting];
    };
    const seen = new Set<string>();
    for (const round of [1, 2]) {
      await keeper.keep(t.signal);
      const [first = '', second, ...others] = await bundles();
      assert.match(first, /^-----BEGIN CERTIFICATE-----/);
      assert.deepEqual([second, others], [first, []], `round ${String(round)}`);
      seen.add(first);
      // Somebody empties the Secret: another authority has to reach both.
      await plane.writeSecret(home, 'serving', {});
    }
    assert.equal(seen.size, 2);
  }); // prettier-ignore

  it('changes its authority while both replicas restart, and is trusted throughout', limit, async (t) => {
    const { plane, home, configuration, start, write, keeper } = await setUp(t, 2);
    // As it was kept until a minute ago, when a third of the authority's year was left; the leaf is of today.
    const now = Date.now();
    const renewed = (kept: Partial<ServingKeys>, time: number) =>
      renewServingKeys(kept, { hostNames, trusted: kept['ca.crt'] ?? '', now: new Date(time), random: randomBytes });
    const old = renewed({}, now - (lifetimes.authority - lifetimes.authorityLeft) - 60_000);
    const kept = renewed(old, now - 11 * 3_600_000);
    assert.equal(kept['ca.crt'], old['ca.crt']);
    await plane.writeSecret(home, 'serving', { ...kept });
    let [first, second] = await Promise.all([start(0), start(1)]);
    await until(async () => isRefused(await write()), 'it is trusted');
    const seen: Attempt[] = [];
    for (const restart of [0, 1]) {
      // The leader may write at the same moment.
      await keeper
        .keep(t.signal)
        .catch((error: unknown) => assert.equal((error as PaycertError).code, 'object-conflict'));
      seen.push(await write(), await write());
      await (restart === 0 ? first : second).stop();
      if (restart === 0) first = await start(0);
      else second = await start(1);
      await until(async () => {
        seen.push(await write());
        return isRefused(seen.at(-1)!);
      }, 'the replica is back');
    }
    assert.deepEqual(seen.filter(({ object }) => String(object['message']).includes('x509')), []); // prettier-ignore
    const [bundle = ''] = await bundlesOf(plane, configuration);
    const [newest = '', before] = splitBundle(bundle);
    assert.equal(before, splitBundle(kept['ca.crt'])[0]);
    const { data } = await plane.admin('GET', `/api/v1/namespaces/${home}/secrets/serving`);
    const leaf = new X509Certificate(Buffer.from((data as Record<string, string>)['tls.crt'] ?? '', 'base64'));
    assert.ok(leaf.verify(new X509Certificate(newest).publicKey), 'the leaf is of the new authority');
  });

  it('that somebody has broken is put right: another bundle, no bundle, a leaf of nobody', limit, async (t) => {
    const { plane, home, configuration, start, write, keeper } = await setUp(t, 1);
    await start(0);
    await until(async () => isRefused(await write()), 'it is trusted');
    const [good = ''] = await bundlesOf(plane, configuration);
    const strange = renewServingKeys({}, { hostNames, trusted: '', now: new Date(), random: randomBytes });
    for (const caBundle of [Buffer.from(strange['ca.crt']).toString('base64'), null]) {
      const { webhooks } = (await plane.admin('GET', `${path}/${configuration}`)) as Configured;
      const broken = webhooks.map((webhook) => ({ ...webhook, clientConfig: { ...webhook.clientConfig, caBundle } }));
      await plane.admin('PATCH', `${path}/${configuration}`, { webhooks: broken }, 'application/merge-patch+json');
      await keeper.keep(t.signal);
      assert.deepEqual(await bundlesOf(plane, configuration), [good]);
    }
    await plane.writeSecret(home, 'serving', { ...strange, 'ca.crt': good, 'ca.key': 'none' });
    await keeper.keep(t.signal);
    await until(async () => isRefused(await write()), 'it is trusted again');
  });
});
