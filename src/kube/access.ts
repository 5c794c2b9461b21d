// API server address and our credentials: in a pod two files, read again each time; elsewhere a kubeconfig. The only importer of client-node, which is loaded on demand.
import { Agent as HttpAgent } from 'node:http';
import type { RequestOptions } from 'node:https';
import { delimiter, dirname, join, resolve } from 'node:path';
import type { KubeConfig } from '@kubernetes/client-node';
import { PaycertError } from '../errors.ts';
import { loadOptional } from '../optional-package.ts';
import { Agents } from '../system/agents.ts';
import { readBounded, readFilled, whyUnreadable } from '../system/read-bounded.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Access {
  readonly server: URL;
  /** The namespace of the pod, or of the kubeconfig's context. */
  readonly namespace: string;
  /** Credentials and trust as they are now, for one request. */
  prepare(): Promise<RequestOptions>;
}

/** Where kubelet mounts what a pod needs; a projected volume of a pod's own may stand at the same place. */
const serviceAccountPath = '/var/run/secrets/kubernetes.io/serviceaccount';

/**
 * As kubectl does: KUBECONFIG when it is set, the pod's service account, else ~/.kube/config.
 * @throws PaycertError `cluster-unconfigured`, `package-missing`
 */
export async function findAccess(environment: Environment, serviceAccount = serviceAccountPath): Promise<Access> {
  const { KUBECONFIG = '', KUBERNETES_SERVICE_HOST = '', KUBERNETES_SERVICE_PORT = '443', HOME = '' } = environment;
  const paths = KUBECONFIG.split(delimiter).filter((path) => path !== '');
  if (paths.length > 0) return fromKubeconfig(paths);
  if (KUBERNETES_SERVICE_HOST !== '')
    return fromServiceAccount(KUBERNETES_SERVICE_HOST, KUBERNETES_SERVICE_PORT, serviceAccount);
  if (HOME !== '') return fromKubeconfig([join(HOME, '.kube', 'config')]);
  throw unconfigured('neither KUBECONFIG nor KUBERNETES_SERVICE_HOST is set');
}

const unconfigured = (message: string) => new PaycertError('cluster-unconfigured', message);

/** No client-node here, which costs 85 MB: what it would do is to read these files, once a minute. */
async function fromServiceAccount(host: string, port: string, directory: string): Promise<Access> {
  const read = async (name: string, called = name): Promise<Buffer> => {
    const path = join(directory, name);
    return readFilled(path, called).catch((error: unknown) => {
      throw unconfigured(`${path} ${whyUnreadable(error)}`);
    });
  };
  const agents = new Agents();
  return {
    server: new URL(`https://${host.includes(':') ? `[${host}]` : host}:${port}`),
    namespace: (await read('namespace')).toString().trim(),
    // kubelet replaces the token long before it expires, and the CA when the cluster rotates it.
    async prepare() {
      const [token, ca] = await Promise.all([read('token'), read('ca.crt', 'certificate')]);
      return { headers: { Authorization: `Bearer ${token.toString().trim()}` }, agent: agents.for({ ca }) };
    },
  };
}

async function fromKubeconfig(paths: readonly string[]): Promise<Access> {
  const clientNode = await loadOptional(
    '@kubernetes/client-node',
    'a kubeconfig',
    () => import('@kubernetes/client-node'),
  );
  const config = new clientNode.KubeConfig();
  const tokenFiles = new Map<string, string>();
  try {
    for (const path of paths) {
      const one = new clientNode.KubeConfig();
      const text = (await readBounded(path)).bytes.toString();
      const written = clientNode.loadYaml<Written>(text);
      await assertLoadable(written);
      for (const [user, file] of tokenFilesOf(written)) tokenFiles.set(user, resolve(dirname(path), file));
      one.loadFromString(text);
      one.makePathsAbsolute(dirname(path));
      config.mergeConfig(one, Boolean(config.currentContext));
    }
  } catch (error) {
    if (error instanceof PaycertError) throw error;
    // The others' messages quote the file, which holds keys.
    throw unconfigured(`the kubeconfig cannot be used: ${paths.join(delimiter)}`);
  }
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw unconfigured('the kubeconfig has no current context');
  const agents = new Agents();
  return {
    server: new URL(cluster.server),
    namespace: config.getContextObject(config.getCurrentContext())?.namespace ?? 'default',
    async prepare() {
      const { headers = {}, auth, ca, cert, key, rejectUnauthorized, servername, agent } = await applied(config);
      const bearer = await bearerOf(tokenFiles.get(config.getCurrentUser()?.name ?? ''));
      const options = { headers: Object.assign({}, headers, bearer), ...(auth != null && { auth }) };
      if (cluster.proxyUrl !== undefined && cluster.proxyUrl !== '') return { ...options, ...(agent && { agent }) };
      if (cluster.server.startsWith('http:')) return { ...options, agent: new HttpAgent() };
      return { ...options, agent: agents.for({ ca, cert, key, rejectUnauthorized, servername }) };
    },
  };
}

async function applied(config: KubeConfig): Promise<RequestOptions> {
  await assertUsable(config);
  const options: RequestOptions = {};
  await config.applyToHTTPSOptions(options).catch(() => {
    throw unconfigured('the credentials that the kubeconfig names cannot be had');
  });
  return options;
}

/** What somebody wrote, as far as it matters before it is loaded. */
interface Written {
  readonly kind?: unknown;
  readonly users?: readonly (WrittenUser | null)[] | null;
}

interface WrittenUser {
  readonly name?: string;
  /** `token-file` is client-node's name for what kubectl calls `tokenFile`. */
  readonly user?: { readonly 'token-file'?: string; readonly tokenFile?: unknown } | null;
}

/** By user, as kubectl writes and reads it; client-node does not know it. */
const tokenFilesOf = ({ users }: Written): readonly (readonly [user: string, file: string])[] =>
  (users ?? []).flatMap((entry) => {
    const file = entry?.user?.tokenFile;
    return typeof file === 'string' && file !== '' ? [[entry?.name ?? '', file] as const] : [];
  });

/** Read again each time, and before a token that is written out: as kubectl does. */
async function bearerOf(tokenFile: string | undefined): Promise<{ readonly Authorization?: string }> {
  const bytes = tokenFile === undefined ? undefined : await readNamed(tokenFile, 'token');
  return bytes === undefined ? {} : { Authorization: `Bearer ${bytes.toString().trim()}` };
}

/** One file is read as early as the text is loaded. What is of another kind may hold users that only the loading finds. */
async function assertLoadable({ kind = 'Config', users }: Written): Promise<void> {
  if (kind !== 'Config') throw unconfigured('a kubeconfig is of kind Config');
  for (const entry of users ?? []) await assertReadable(entry?.user?.['token-file']);
}

interface NamedFiles {
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  readonly authProvider?: { readonly config?: { readonly tokenFile?: string } };
}

async function assertUsable(config: KubeConfig): Promise<void> {
  const { caFile } = config.getCurrentCluster() ?? {};
  const user: NamedFiles = config.getCurrentUser() ?? {};
  const { certFile, keyFile } = user;
  for (const path of [caFile, certFile, keyFile, user.authProvider?.config?.tokenFile]) await assertReadable(path);
}

/** client-node reads what a kubeconfig names in the event loop, however large it is, and waits for the writer of a pipe. */
async function assertReadable(path: string | undefined): Promise<void> {
  if (path !== undefined && path !== '') await readNamed(path, 'certificate, key or token');
}

async function readNamed(path: string, called: string): Promise<Buffer> {
  return readFilled(path, called).catch((error: unknown) => {
    throw unconfigured(`${path}, which the kubeconfig names, ${whyUnreadable(error)}`);
  });
}
