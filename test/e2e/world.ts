// What the story works with: two namespaces of its own, a release of the chart, material made for it, and what became of them.
import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import type { Condition, Status } from '../../src/operator/resource.ts';
import {
  createWechatpayMaterial,
  rotateMerchant,
  type Files,
  type WechatpayMaterial,
} from '../../src/testing/index.ts';
import { chart, type Manifest } from '../chart/helm.ts';
import type { Json } from '../support/control-plane.ts';
import { provideImage } from './cluster.ts';
import { eventually, execute, kubectl, Kubernetes } from './kubernetes.ts';

export const merchantId = '1900000001';
/** Some rotations come back to an older one. */
const materialCount = 12;

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
  /** What the Secret was last given that will do. */
  current: WechatpayMaterial;
  /** How far the clock of the caller is ahead of ours, and how long it took to find out. */
  callerClock = { roundTrip: Infinity, ahead: 0 };
  readonly #materials: readonly WechatpayMaterial[];
  #used = 0;

  private constructor(
    kubernetes: Kubernetes,
    image: string,
    materials: readonly [WechatpayMaterial, ...WechatpayMaterial[]],
  ) {
    const id = randomBytes(3).toString('hex');
    this.kubernetes = kubernetes;
    this.image = image;
    this.release = `e2e-${id}`;
    [this.system, this.pay] = [`paycert-e2e-${id}-system`, `paycert-e2e-${id}-pay`];
    this.#materials = materials;
    [this.current] = materials;
  }

  static async make(): Promise<World> {
    const kubernetes = await Kubernetes.connect();
    await removeDefinition();
    const first = await createWechatpayMaterial({ merchantId, now: new Date() });
    const others = Array.from({ length: materialCount - 1 }, () => rotateMerchant(first, { now: new Date() }));
    const world = new World(kubernetes, await provideImage(), [first, ...(await Promise.all(others))]);
    for (const name of [world.system, world.pay])
      await kubernetes.json('POST', '/api/v1/namespaces', { metadata: { name, labels: restricted } });
    return world;
  }

  /** Another merchant key each time. */
  nextMaterial(): WechatpayMaterial {
    const material = this.#materials[this.#used++];
    assert.ok(material, 'raise materialCount');
    return material;
  }

  /** The same ones again and again. */
  material(index: number): WechatpayMaterial {
    return this.#materials[index % materialCount]!;
  }

  /** Into the Secret that all payment pods use. */
  async deploy(material: WechatpayMaterial): Promise<void> {
    await this.writeSecret('wechat-main', material.files);
    this.current = material;
  }

  /** PEM by serial number: what any signature of the story may be verified with. */
  certificates(): Record<string, string> {
    return Object.fromEntries(this.#materials.map(({ merchant }) => [merchant.serialNumber, merchant.certificate]));
  }

  /** Texts that only the Secret may hold: a line of each private key, and the APIv3 key. */
  secrets(): string[] {
    const lineOf = ({ files }: WechatpayMaterial) =>
      Buffer.from(files.get('apiclient_key.pem')!).toString().split('\n')[5]!;
    return [this.#materials[0]!.apiV3Key, ...this.#materials.map(lineOf)];
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

  async status(name: string): Promise<Status | undefined> {
    const path = `/apis/paycert.dev/v1alpha1/namespaces/${this.pay}/paymentcredentials/${name}`;
    return (await this.kubernetes.json('GET', path))['status'] as Status | undefined;
  }

  /** The status once it says that, such as `Ready True Ready`; and the message of that condition. */
  async condition(name: string, wanted: string, seconds = 10): Promise<{ status: Status; message: string }> {
    let told = '';
    return eventually(`${name}: ${wanted}`, seconds, async () => {
      const status = await this.status(name);
      const words = ({ type, status: is, reason }: Condition) => `${type} ${is} ${reason}`;
      const found = status?.conditions.find((condition) => words(condition) === wanted);
      told = status?.conditions.map(words).join(', ') ?? 'nothing';
      return status && found && { status, message: found.message };
    }).catch((error: unknown) => {
      throw new Error(`it says ${told}`, { cause: error });
    });
  }

  /** Events about an object: reason → note. */
  async events(name: string): Promise<Map<string, string>> {
    const { items } = await this.kubernetes.json('GET', `/apis/events.k8s.io/v1/namespaces/${this.pay}/events`);
    const events = items as { reason: string; note: string; regarding: { name: string } }[];
    return new Map(events.filter(({ regarding }) => regarding.name === name).map(({ reason, note }) => [reason, note]));
  }

  /** Names of the pods. */
  async pods(namespace: string): Promise<string[]> {
    const { items } = await this.kubernetes.json('GET', `/api/v1/namespaces/${namespace}/pods`);
    return (items as { metadata: { name: string } }[]).map(({ metadata }) => metadata.name);
  }

  /** What the container has logged. */
  log(pod: string, container: string, namespace = this.pay): Promise<string> {
    return this.kubernetes.text('GET', `/api/v1/namespaces/${namespace}/pods/${pod}/log?container=${container}`);
  }

  podIp(name: string): Promise<string> {
    return kubectl('get', 'pod', name, '-n', this.pay, '-o', 'jsonpath={.status.podIP}');
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
