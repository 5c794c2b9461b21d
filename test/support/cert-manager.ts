// cert-manager's own controllers on the API server of a test, and the mount of a Secret that they write, as kubelet would have it.
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, globSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';
import { createSecretVolume, type SecretVolume } from '../../src/testing/secret-volume.ts';
import { type ControlPlane, type Json, noControlPlane } from './control-plane.ts';
import { makeDirectory } from './directories.ts';
import { noPeer, Peer, peerPath } from './peers.ts';

const run = promisify(execFile);
const kubectl = join(process.env['KUBEBUILDER_ASSETS'] ?? '', 'kubectl');

/** Where the Go module that the program is built of has its definitions. */
const definitions = ((): string => {
  if (noPeer('certmanager') !== false) return '';
  const modules = execFileSync('go', ['env', 'GOMODCACHE'], { encoding: 'utf8' }).trim();
  return globSync(join(modules, 'github.com/cert-manager/cert-manager@*/deploy/crds')).sort().pop() ?? '';
})();

/** For `skip`: false where cert-manager can be started. */
export const noCertManager: string | false =
  noControlPlane !== false
    ? noControlPlane
    : noPeer('certmanager') !== false
      ? noPeer('certmanager')
      : !existsSync(definitions) && 'the Go module of cert-manager is not here: its definitions cannot be applied';

/** Of a kind of cert-manager's. */
export interface CertManaged {
  readonly kind: 'Issuer' | 'Certificate';
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
  readonly spec: Json;
}

/** Keys that cost nothing to make, a new one each time. */
export const elliptic = { algorithm: 'ECDSA', size: 256, rotationPolicy: 'Always' };

/** What it needs of a cluster, or of an API server alone. */
export type Plane = Pick<ControlPlane, 'kubeconfig' | 'admin' | 'attempt'>;

/** Runs it until `[Symbol.asyncDispose]`; its webhook is left out, so renewals may be seconds apart. */
export class CertManager implements AsyncDisposable {
  readonly #plane: Plane;
  readonly #peer: Peer;

  private constructor(plane: Plane, peer: Peer) {
    this.#plane = plane;
    this.#peer = peer;
  }

  /** @param directory where it runs; that of the kubeconfig by default */
  static async start(plane: Plane, directory?: string): Promise<CertManager> {
    const kubeconfig = await plane.kubeconfig('default');
    await run(kubectl, ['--kubeconfig', kubeconfig, 'apply', '--server-side', '-f', definitions]);
    await run(kubectl, ['--kubeconfig', kubeconfig, 'wait', '--for=condition=Established', '-f', definitions]);
    await plane.admin('POST', '/api/v1/namespaces', { metadata: { name: 'cert-manager' } });
    const peer = new Peer(peerPath('certmanager'), ['-kubeconfig', kubeconfig], directory ?? join(kubeconfig, '..'));
    return new CertManager(plane, peer);
  }

  /** As its owner applies it, what is there already included. */
  async apply(namespace: string, ...objects: readonly CertManaged[]): Promise<void> {
    const items = objects.map((object) => ({ apiVersion: 'cert-manager.io/v1', ...object }));
    const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
    const kubeconfig = await this.#plane.kubeconfig(namespace);
    const applied = run(kubectl, ['--kubeconfig', kubeconfig, 'apply', '-n', namespace, '--server-side', '-f', '-']);
    applied.child.stdin?.end(list);
    await applied;
  }

  /** A CA that signs itself, and an issuer `authority` that issues by it; its certificate. */
  async authority(namespace: string): Promise<string> {
    await this.apply(
      namespace,
      { kind: 'Issuer', metadata: { name: 'itself' }, spec: { selfSigned: {} } },
      {
        kind: 'Certificate',
        metadata: { name: 'authority' },
        spec: { secretName: 'authority', isCA: true, commonName: 'authority', privateKey: elliptic, issuerRef: { name: 'itself' } }, // prettier-ignore
      },
      { kind: 'Issuer', metadata: { name: 'authority' }, spec: { ca: { secretName: 'authority' } } },
    );
    return (await secretOf(this.#plane, namespace, 'authority', 'tls.crt'))['tls.crt'] ?? '';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#peer.kill();
  }

  /** Takes its kinds and what is of them away again, from a cluster that lives on. */
  async remove(): Promise<void> {
    const as = ['--kubeconfig', await this.#plane.kubeconfig('default'), 'delete', '--ignore-not-found'];
    await run(kubectl, [...as, '-f', definitions]);
    await run(kubectl, [...as, 'namespace', 'cert-manager']);
  }
}

/** What a Secret holds, once it holds that. */
export async function secretOf(
  plane: Pick<Plane, 'attempt'>,
  namespace: string,
  name: string,
  key: string,
): Promise<Readonly<Record<string, string>>> {
  for (;;) {
    const { status, object } = await plane.attempt('GET', `/api/v1/namespaces/${namespace}/secrets/${name}`, undefined);
    const data = Object.entries((object['data'] ?? {}) as Readonly<Record<string, string>>);
    if (status === 200 && data.some(([found, value]) => found === key && value !== ''))
      return Object.fromEntries(data.map(([found, value]) => [found, Buffer.from(value, 'base64').toString()]));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Each state of the Secret goes into a directory, by the steps of kubelet's writer. Resolves when the first one is there. */
export async function mountSecret(
  t: TestContext,
  plane: ControlPlane,
  namespace: string,
  name: string,
): Promise<string> {
  const words = ['get', 'secret', name, '--watch', '-o', 'jsonpath={.data}{"\\n"}'];
  const kubeconfig = await plane.kubeconfig(namespace);
  const watch = spawn(kubectl, ['--kubeconfig', kubeconfig, ...words], { stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = once(watch, 'close');
  const written = Promise.withResolvers<undefined>();
  let writing: Promise<SecretVolume | undefined> = Promise.resolve(undefined);
  // Before the directory goes, which is made after this.
  t.after(async () => {
    watch.kill('SIGTERM');
    await ended;
    await writing;
  });
  const directory = await makeDirectory(t);
  createInterface(watch.stdout).on('line', (line) => {
    const data = Object.entries(JSON.parse(line) as Readonly<Record<string, string>>);
    const files = new Map(data.map(([key, value]) => [key, Buffer.from(value, 'base64')]));
    writing = writing.then(async (volume) => {
      await volume?.write(files);
      const made = volume ?? (await createSecretVolume(directory, files));
      written.resolve(undefined);
      return made;
    });
  });
  await written.promise;
  return directory;
}
