// What the story works with: two namespaces of its own, a release of the chart, and what is written into the cluster.
import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import type { Files, WechatpayMaterial } from '../../src/testing/index.ts';
import { chart, type Manifest } from '../chart/helm.ts';
import type { Json } from '../support/control-plane.ts';
import { provideImage } from './cluster.ts';
import { execute, kubectl, Kubernetes } from './kubernetes.ts';
import { Materials, merchantId } from './materials.ts';

/** Nothing runs in them but what Pod Security calls restricted. */
const restricted = {
  'pod-security.kubernetes.io/enforce': 'restricted',
  'pod-security.kubernetes.io/enforce-version': 'latest',
};

export class World implements AsyncDisposable {
  readonly kubernetes: Kubernetes;
  readonly image: string;
  readonly release: string;
  /** Of the operator. */
  readonly system: string;
  /** Of the payment pods. */
  readonly pay: string;
  readonly materials: Materials;
  /** What the Secret was last given that will do. */
  current: WechatpayMaterial;
  /** How far the clock of the caller is ahead of ours, and how long it took to find out. */
  callerClock = { roundTrip: Infinity, ahead: 0 };

  private constructor(kubernetes: Kubernetes, image: string, materials: Materials) {
    const id = randomBytes(3).toString('hex');
    this.kubernetes = kubernetes;
    this.image = image;
    this.release = `e2e-${id}`;
    [this.system, this.pay] = [`paycert-e2e-${id}-system`, `paycert-e2e-${id}-pay`];
    this.materials = materials;
    this.current = materials.at(0);
  }

  static async make(): Promise<World> {
    await removeDefinition();
    const [image, materials] = [await provideImage(), await Materials.make()];
    const kubernetes = await Kubernetes.connect();
    const world = new World(kubernetes, image, materials);
    for (const name of [world.system, world.pay])
      await kubernetes.json('POST', '/api/v1/namespaces', { metadata: { name, labels: restricted } });
    return world;
  }

  /** Into the Secret that all payment pods use. */
  async deploy(material: WechatpayMaterial): Promise<void> {
    await this.writeSecret('wechat-main', material.files);
    this.current = material;
  }

  /** Values of the image, for the chart. */
  get imageValues(): string[] {
    const at = this.image.lastIndexOf(':');
    return ['--set', `image.repository=${this.image.slice(0, at)},image.tag=${this.image.slice(at + 1)}`];
  }

  /** helm 4 or 3, in the operator's namespace. */
  helm(verb: 'install' | 'upgrade', ...words: readonly string[]): Promise<string> {
    return execute('helm', [verb, this.release, chart, '-n', this.system, '--wait', '--timeout', '2m', ...this.imageValues, ...words]); // prettier-ignore
  }

  async apply(manifests: readonly (Manifest | Json)[], namespace = this.pay): Promise<void> {
    const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: manifests });
    await execute('kubectl', ['apply', '-n', namespace, '-f', '-'], list);
  }

  /** Creates the Secret, or replaces what it holds. */
  async writeSecret(name: string, files: Files): Promise<void> {
    const base64 = [...files].map(([key, bytes]) => [key, Buffer.from(bytes).toString('base64')]);
    // Not an object literal: a key may be `__proto__`.
    const secret = { metadata: { name }, data: Object.fromEntries(base64) as unknown };
    const path = `/api/v1/namespaces/${this.pay}/secrets`;
    await this.kubernetes.json('PUT', `${path}/${name}`, secret).catch((error: unknown) => {
      if (!String(error).includes('404')) throw error;
      return this.kubernetes.json('POST', path, secret);
    });
  }

  credential(name: string, spec: Json = {}): Json {
    return {
      apiVersion: 'paycert.dev/v1alpha1',
      kind: 'PaymentCredential',
      metadata: { name },
      spec: { provider: { wechatpay: { merchantId } }, source: { secret: { name } }, ...spec },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { release, system, pay } = this;
    await execute('helm', ['uninstall', release, '-n', system, '--ignore-not-found', '--wait']);
    await kubectl('delete', 'namespace', system, pay, '--ignore-not-found');
    await removeDefinition();
    await this.kubernetes[Symbol.asyncDispose]();
  }
}

/** What runs before this one have left, and this one leaves. @throws Error when it is somebody's, with their credentials */
async function removeDefinition(): Promise<void> {
  const definition = 'crd/paymentcredentials.paycert.dev';
  const home = String.raw`jsonpath={.metadata.annotations.meta\.helm\.sh/release-namespace}`;
  const found = await kubectl('get', definition, '--ignore-not-found', '-o', 'name');
  if (found === '') return;
  const owner = await kubectl('get', definition, '-o', home);
  assert.match(owner, /^paycert-e2e-/, `paycert is installed in this cluster already (${owner}): take an empty one`);
  await kubectl('delete', definition);
}

export const makeToken = (): Json => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'caller-token' },
  stringData: { token: randomUUID() },
});
