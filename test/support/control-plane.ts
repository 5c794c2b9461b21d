// A real Kubernetes API server on a real etcd, started by a test from KUBEBUILDER_ASSETS, and what a cluster's owner does to it.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { freePort } from './free-port.ts';

const assets = process.env['KUBEBUILDER_ASSETS'] ?? '';

/** For `skip`: false where there is a control plane to start. */
export const noControlPlane: string | false =
  !existsSync(join(assets, 'kube-apiserver')) &&
  'KUBEBUILDER_ASSETS names no folder with etcd, kube-apiserver and kubectl; `setup-envtest use -p path` of controller-runtime downloads one and prints it';

const adminToken = 'admin-token';

export interface Json {
  readonly [field: string]: unknown;
}

interface AdminRequest {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly type?: string;
  readonly accept: string;
}

/** What came of what was tried. */
export interface Attempt {
  readonly status: number;
  /** The object as it is stored, or a Status. */
  readonly object: Json;
  readonly warnings: readonly string[];
}

interface Exchanged extends Pick<Attempt, 'status' | 'warnings'> {
  readonly text: string;
}

export interface ControlPlaneOptions {
  /** Whether it keeps an audit log of writes of Secrets. */
  readonly isAudited?: boolean;
}

/** Of writes of Secrets, who wrote and what webhooks noted, and nothing that was written. */
const auditPolicy = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [
    { level: 'Metadata', verbs: ['create', 'update', 'patch'], resources: [{ group: '', resources: ['secrets'] }] },
    { level: 'None' },
  ],
};

interface Audited {
  readonly objectRef: { readonly namespace?: string };
  readonly annotations?: Readonly<Record<string, string>>;
}

/** One control plane for all tests of a file: there from the first to the last. `prepare`: what all of them need in it. */
export function useControlPlane(
  prepare?: (plane: ControlPlane) => Promise<void>,
  options: ControlPlaneOptions = {},
): () => ControlPlane {
  let plane: ControlPlane | undefined;
  before(async () => {
    if (noControlPlane !== false) return;
    plane = await ControlPlane.start(options);
    await prepare?.(plane);
  });
  after(async () => {
    await plane?.[Symbol.asyncDispose]();
  });
  return () => {
    assert.ok(plane);
    return plane;
  };
}

export class ControlPlane implements AsyncDisposable {
  readonly port: number;
  readonly #directory: string;
  readonly #isAudited: boolean;
  readonly #etcdUrl: string;
  readonly #peerUrl: string;
  #etcd: ChildProcess | undefined;
  #apiServer: ChildProcess | undefined;
  #namespaces = 0;
  /** Tests ask for a state fifty times a second: a handshake each time costs more than the answer. */
  readonly #connections = new Agent({ keepAlive: true });

  private constructor(directory: string, [port, etcdPort, peerPort]: readonly number[], isAudited: boolean) {
    this.#directory = directory;
    this.#isAudited = isAudited;
    this.port = port!;
    this.#etcdUrl = `http://127.0.0.1:${String(etcdPort)}`;
    this.#peerUrl = `http://127.0.0.1:${String(peerPort)}`;
  }

  static async start({ isAudited = false }: ControlPlaneOptions = {}): Promise<ControlPlane> {
    const directory = await mkdtemp(join(tmpdir(), 'paycert-control-plane-'));
    const plane = new ControlPlane(directory, [await freePort(), await freePort(), await freePort()], isAudited);
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    await writeFile(join(directory, 'sa.key'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
    await writeFile(join(directory, 'tokens.csv'), `${adminToken},admin,1,system:masters\n`);
    await writeFile(join(directory, 'audit-policy.json'), JSON.stringify(auditPolicy));
    await mkdir(join(directory, 'certificates'));
    plane.#startEtcd();
    await plane.startApiServer();
    return plane;
  }

  #startEtcd(): void {
    this.#etcd = this.#spawn('etcd', {
      'data-dir': join(this.#directory, 'etcd'),
      'unsafe-no-fsync': 'true',
      'listen-client-urls': this.#etcdUrl,
      'advertise-client-urls': this.#etcdUrl,
      'listen-peer-urls': this.#peerUrl,
      'initial-advertise-peer-urls': this.#peerUrl,
      'initial-cluster': `default=${this.#peerUrl}`,
    });
  }

  /** Starts it, on the same port, and waits until it serves. */
  async startApiServer(): Promise<void> {
    const key = join(this.#directory, 'sa.key');
    this.#apiServer = this.#spawn('kube-apiserver', {
      'etcd-servers': this.#etcdUrl,
      'etcd-compaction-interval': '0',
      'bind-address': '127.0.0.1',
      'secure-port': String(this.port),
      'cert-dir': join(this.#directory, 'certificates'),
      'service-account-issuer': 'https://paycert.invalid',
      'service-account-signing-key-file': key,
      'service-account-key-file': key,
      'service-cluster-ip-range': '198.18.254.0/24',
      'authorization-mode': 'RBAC',
      'token-auth-file': join(this.#directory, 'tokens.csv'),
      'disable-admission-plugins': 'ServiceAccount',
      // What it makes for them at its start is a fifth of what a start costs, and tests are no crowd.
      'enable-priority-and-fairness': 'false',
      ...(this.#isAudited && {
        'audit-policy-file': join(this.#directory, 'audit-policy.json'),
        'audit-log-path': join(this.#directory, 'audit.log'),
      }),
    });
    // On a machine with much else to do it takes a minute.
    const deadline = Date.now() + 300_000;
    while (!(await this.#isServing())) {
      assert.ok(Date.now() < deadline && this.#apiServer.exitCode === null, 'the API server does not start');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  async #isServing(): Promise<boolean> {
    // The roles of system:masters are there only when a hook has made them.
    return this.admin('GET', '/readyz').then(
      () => true,
      () => false,
    );
  }

  /** As a crash ends it. */
  async killApiServer(): Promise<void> {
    await end(this.#apiServer);
    this.#connections.destroy();
  }

  /** etcd forgets every revision before now, and the API server its memory of them. */
  async compact(): Promise<void> {
    const { metadata } = await this.admin('GET', '/api/v1/namespaces');
    const { resourceVersion } = metadata as { resourceVersion: string };
    const answer = await fetch(`${this.#etcdUrl}/v3/kv/compaction`, {
      method: 'POST',
      body: JSON.stringify({ revision: resourceVersion, physical: true }),
    });
    assert.equal(answer.status, 200, await answer.text());
  }

  #spawn(program: string, flags: Readonly<Record<string, string>>): ChildProcess {
    const arguments_ = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
    // Garbage of seconds is not worth collecting.
    const env = { GOGC: '400', ...process.env };
    return spawn(join(assets, program), arguments_, { cwd: this.#directory, env, stdio: 'ignore' });
  }

  async ca(): Promise<Buffer> {
    return readFile(join(this.#directory, 'certificates/apiserver.crt'));
  }

  /** What the owner of the cluster does, past the client that is tested. Rejects on a status that is not 2xx. */
  async admin(
    method: string,
    path: string,
    body?: unknown,
    type = 'application/json',
    accept = 'application/json',
  ): Promise<Json> {
    const text = await this.#request({ method, path, body, type, accept });
    return text.startsWith('{') ? (JSON.parse(text) as Json) : {};
  }

  /** What that webhook noted in the audit log of each write of a Secret there, in order. */
  async audited(namespace: string, webhook: string): Promise<Readonly<Record<string, string>>[]> {
    const lines = (await readFile(join(this.#directory, 'audit.log'), 'utf8')).trim().split('\n');
    return lines
      .map((line) => JSON.parse(line) as Audited)
      .filter(({ objectRef }) => objectRef.namespace === namespace)
      .map(({ annotations = {} }) => Object.entries(annotations).filter(([name]) => name.startsWith(`${webhook}/`)))
      .filter((notes) => notes.length > 0)
      .map((notes) => Object.fromEntries(notes.map(([name, text]) => [name.slice(webhook.length + 1), text])));
  }

  /** The API server's own metrics, in Prometheus' text format. */
  async metrics(): Promise<string> {
    return this.#request({ method: 'GET', path: '/metrics', accept: 'text/plain' });
  }

  async #request(asked: AdminRequest): Promise<string> {
    const { status, text } = await this.#exchange(asked);
    if (status >= 300) throw new Error(`${asked.method} ${asked.path}: ${status} ${text}`);
    return text;
  }

  /** What the owner of the cluster tries, and what comes of it: also a refusal, and warnings. */
  async attempt(method: string, path: string, body: unknown, type = 'application/json'): Promise<Attempt> {
    const { status, text, warnings } = await this.#exchange({ method, path, body, type, accept: 'application/json' });
    return { status, object: JSON.parse(text) as Json, warnings };
  }

  async #exchange({ method, path, body, type = '', accept }: AdminRequest): Promise<Exchanged> {
    const ca = await this.ca();
    return new Promise((resolve, reject) => {
      const call = request({ host: '127.0.0.1', port: this.port, ca, method, path, agent: this.#connections });
      call.setHeader('Authorization', `Bearer ${adminToken}`);
      call.setHeader('Accept', accept);
      if (body !== undefined) call.setHeader('Content-Type', type);
      call.on('error', reject).on('response', (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', reject);
        answer.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          // RFC 9110 §5.6.4: quoted, with the quotes inside escaped.
          const quoted = (answer.headersDistinct['warning'] ?? []).map(
            (line) => /^299 - (".*")$/.exec(line)?.[1] ?? '""',
          );
          const warnings = quoted.map((line) => JSON.parse(line) as string);
          resolve({ status: answer.statusCode ?? 0, text, warnings });
        });
      });
      call.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  /** A namespace of its own for each test. */
  async makeNamespace(): Promise<string> {
    const name = `test-${String(this.#namespaces++)}`;
    await this.admin('POST', '/api/v1/namespaces', { metadata: { name } });
    return name;
  }

  /** Creates the Secret, or replaces what it holds. */
  async writeSecret(
    namespace: string,
    name: string,
    data: Readonly<Record<string, string | Uint8Array>>,
  ): Promise<void> {
    const base64 = Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]);
    // Not an object literal: a key may be `__proto__`.
    const secret = { metadata: { name, namespace }, data: Object.fromEntries(base64) as unknown };
    const path = `/api/v1/namespaces/${namespace}/secrets`;
    await this.admin('PUT', `${path}/${name}`, secret).catch(() => this.admin('POST', path, secret));
  }

  /** A kubeconfig for the owner of the cluster, or for whoever has that token, by way of another address if one is given. */
  async kubeconfig(
    namespace: string,
    server = `https://127.0.0.1:${String(this.port)}`,
    token = adminToken,
  ): Promise<string> {
    const path = join(this.#directory, `${namespace}-${String(Math.random()).slice(2)}.kubeconfig`);
    const trust = server.startsWith('https:')
      ? { 'certificate-authority-data': (await this.ca()).toString('base64') }
      : { 'insecure-skip-tls-verify': true };
    await writeFile(
      path,
      JSON.stringify({
        clusters: [{ name: 'c', cluster: { server, ...trust } }],
        users: [{ name: 'u', user: { token } }],
        contexts: [{ name: 'x', context: { cluster: 'c', user: 'u', namespace } }],
        'current-context': 'x',
      }),
    );
    return path;
  }

  /** The owner of the cluster, in the files of a service account. */
  async ownerFiles(namespace: string): Promise<string> {
    const directory = await this.#accountFiles(namespace);
    await writeFile(join(directory, 'token'), adminToken);
    return directory;
  }

  /** All but the token. */
  async #accountFiles(namespace: string): Promise<string> {
    const directory = await mkdtemp(join(this.#directory, 'service-account-'));
    await writeFile(join(directory, 'ca.crt'), await this.ca());
    await writeFile(join(directory, 'namespace'), namespace);
    return directory;
  }

  /** A service account with these permissions, and its files as kubelet mounts them. */
  async makeServiceAccount(namespace: string, name: string, rules: readonly Json[]): Promise<string> {
    await this.admin('POST', `/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name } });
    await this.grant(namespace, name, rules);
    const directory = await this.#accountFiles(namespace);
    await this.writeToken(namespace, name, directory);
    return directory;
  }

  async writeToken(namespace: string, name: string, directory: string): Promise<void> {
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
    const { status } = await this.admin('POST', path, { spec: { expirationSeconds: 3600 } });
    await writeFile(join(directory, 'token'), (status as { token: string }).token);
  }

  /** A Role of that name, bound to the service account of that name. */
  async grant(namespace: string, name: string, rules: readonly Json[]): Promise<void> {
    await this.grantTo(namespace, name, namespace, rules);
  }

  /** The same, for a service account of another namespace. */
  async grantTo(namespace: string, name: string, home: string, rules: readonly Json[]): Promise<void> {
    const path = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}`;
    await this.admin('POST', `${path}/roles`, { metadata: { name }, rules });
    await this.admin('POST', `${path}/rolebindings`, {
      metadata: { name },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
      subjects: [{ kind: 'ServiceAccount', name, namespace: home }],
    });
  }

  async withdraw(namespace: string, name: string): Promise<void> {
    const path = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}`;
    await this.admin('DELETE', `${path}/rolebindings/${name}`);
    await this.admin('DELETE', `${path}/roles/${name}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#connections.destroy();
    await end(this.#apiServer);
    await end(this.#etcd);
    await rm(this.#directory, { recursive: true, force: true });
  }
}

async function end(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
