// Pods of a fleet: real admin ports over loaded stores, and the Pods that say where these are, on the API server of a test.
import type { TestContext } from 'node:test';
import type { Clock } from '../../src/clock.ts';
import { createAdmin } from '../../src/server/admin.ts';
import { listenOnPort } from '../../src/server/listeners.ts';
import type { Sighting } from '../../src/store/sighting.ts';
import type { Files } from '../../src/testing/secret-volume.ts';
import { loadStore } from './api-server.ts';
import type { Tenant } from './operator.ts';

/** Every address is permitted: the Pods of a test are on this machine. */
export const anyAddress = () => true;

/** A clock that is so many times as fast. */
export function hastyClock(times: number): Clock {
  const began = Date.now();
  return {
    now: () => new Date(began + (Date.now() - began) * times),
    sleep: (milliseconds, signal) =>
      new Promise((resolve) => {
        const end = () => {
          clearTimeout(timer);
          signal.removeEventListener('abort', end);
          resolve();
        };
        const timer = setTimeout(end, Math.min(Math.max(milliseconds, 0), 3_600_000) / times);
        if (signal.aborted) end();
        else signal.addEventListener('abort', end);
      }),
  };
}

export interface AdminPort {
  readonly port: number;
  readonly load: Awaited<ReturnType<typeof loadStore>>['load'];
  readonly store: Awaited<ReturnType<typeof loadStore>>['store'];
  readonly close: () => Promise<void>;
}

/** The admin port of a sidecar with these credentials, as its process serves it. */
export async function startAdminPort(
  t: TestContext,
  credentials: Readonly<Record<string, Files | undefined>>,
  { version = '1.0.0', host = '127.0.0.1', auditSighting = (): Sighting['audit'] => undefined } = {},
): Promise<AdminPort> {
  const options = Object.entries(credentials).map(([name, files]) => [name, { files }] as const);
  const { store, load } = await loadStore(Object.fromEntries(options), new Date());
  const admin = createAdmin({
    ...{ store, version, startedAt: new Date(), isListening: () => true, observe: () => undefined, auditSighting },
    clock: { now: () => new Date(), sleep: () => Promise.resolve() },
    metrics: { contentType: 'text/plain', render: () => Promise.resolve('') },
  });
  const { address, close } = await listenOnPort(`${host}:0`, admin);
  t.after(close);
  return { port: Number(address.split(':').at(-1)), load, store, close };
}

export interface PodOptions {
  readonly port: number;
  readonly ip?: string;
  readonly phase?: string;
  /** The annotation `paycert.dev/credentials`. */
  readonly credentials?: string;
}

/** A Pod as kubelet reports it. */
export async function makePod(
  { plane, namespace }: Tenant,
  name: string,
  { port, ip = '127.0.0.1', phase = 'Running', credentials }: PodOptions,
): Promise<void> {
  const path = `/api/v1/namespaces/${namespace}/pods`;
  const annotations = credentials === undefined ? {} : { 'paycert.dev/credentials': credentials };
  const ports = [{ name: 'paycert-admin', containerPort: port }];
  await plane.admin('POST', path, {
    metadata: { name, labels: { 'paycert.dev/sidecar': 'true' }, annotations },
    spec: { containers: [{ name: 'shop', image: 'shop', ports }] },
  });
  await reportPod({ plane, namespace }, name, { ip, phase });
}

/** What kubelet reports of a Pod that is there. */
export async function reportPod(
  { plane, namespace }: Pick<Tenant, 'plane' | 'namespace'>,
  name: string,
  { ip, phase = 'Running' }: Pick<PodOptions, 'ip' | 'phase'>,
): Promise<void> {
  const status = { phase, podIP: ip, podIPs: [{ ip }], conditions: [{ type: 'Ready', status: 'True' }] };
  const path = `/api/v1/namespaces/${namespace}/pods/${name}/status`;
  await plane.admin('PATCH', path, { status }, 'application/merge-patch+json');
}
