// An informer on ConfigMaps of a real API server, with a way in between that may be faulty; tests wait for what it tells.
import type { TestContext } from 'node:test';
import type { Clock } from '../../src/clock.ts';
import { findAccess } from '../../src/kube/access.ts';
import { KubeClient } from '../../src/kube/client.ts';
import type { Collection, KubeObject } from '../../src/kube/resources.ts';
import { type FoundBy, Informer } from '../../src/kube/watch.ts';
import type { ControlPlane } from './control-plane.ts';
import { FaultProxy } from './fault-proxy.ts';
import { Recorder } from './recorder.ts';

const configMaps = { group: '', version: 'v1', plural: 'configmaps' };

/** An informer on the ConfigMaps of a namespace, and what it told. */
export class Informing {
  readonly recorder = new Recorder();
  readonly informer: Informer<unknown>;
  readonly told: string[] = [];
  readonly ended: Promise<void>;
  readonly #stop = new AbortController();
  #waiting: { readonly what: string; readonly resolve: () => void }[] = [];

  constructor(t: TestContext, client: KubeClient, clock: Clock, collection: Collection, transform = dataOf) {
    this.informer = new Informer({
      client: async () => client,
      collection,
      name: 'configmaps',
      transform,
      changed: (key, foundBy) => this.#tell(`${key.split('/').pop() ?? ''} ${foundBy}`),
      relistMilliseconds: 50_000,
      clock,
      random: () => 1,
      observe: this.recorder.observe,
    });
    this.ended = this.informer.run(this.#stop.signal);
    t.after(() => this.end().catch(() => undefined));
  }

  async end(): Promise<void> {
    this.#stop.abort();
    await this.ended;
  }

  #tell(what: string): void {
    this.told.push(what);
    for (const { resolve } of this.#waiting.filter((waiting) => waiting.what === what)) resolve();
  }

  /** The next time it tells this. */
  tells(name: string, foundBy: FoundBy): Promise<void> {
    return new Promise((resolve) => this.#waiting.push({ what: `${name} ${foundBy}`, resolve }));
  }

  get contents(): Record<string, unknown> {
    const named = this.informer.entries().map(([key, value]): [string, unknown] => [key.split('/').pop() ?? '', value]);
    return Object.fromEntries(named);
  }
}

const dataOf = (object: KubeObject): unknown => (object['data'] as Record<string, string> | undefined)?.['v'];

/** A namespace of its own, with ConfigMaps that have one value each, and a way to it that may be faulty. */
export async function setUpConfigMaps(t: TestContext, plane: ControlPlane) {
  const namespace = await plane.makeNamespace();
  const path = `/api/v1/namespaces/${namespace}/configmaps`;
  const proxy = await FaultProxy.start(t, plane);
  const kubeconfig = await plane.kubeconfig(namespace, proxy.url);
  const client = new KubeClient(() => findAccess({ KUBECONFIG: kubeconfig }));
  return {
    proxy,
    client,
    collection: { resource: configMaps, namespace },
    create: (name: string, v = '0') => plane.admin('POST', path, { metadata: { name }, data: { v } }),
    update: (name: string, v: string) => plane.admin('PUT', `${path}/${name}`, { metadata: { name }, data: { v } }),
    remove: (name: string) => plane.admin('DELETE', `${path}/${name}`),
  };
}
