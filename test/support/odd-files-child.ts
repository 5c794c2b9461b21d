// Run by a test, which ends it when it hangs: every reader of a file that somebody else may replace, each with every file that is not one.
import { execFileSync } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readWebhook } from '../../src/cli/digest/digest.ts';
import { mountedCertificate } from '../../src/cli/serving-certificate.ts';
import { readAuthorities } from '../../src/cli/sidecar-notifications.ts';
import { systemClock } from '../../src/clock.ts';
import { readConfig } from '../../src/config/read.ts';
import type { SourceConfig } from '../../src/config/schema/source.ts';
import { readProxyUser } from '../../src/config/token.ts';
import { PaycertError } from '../../src/errors.ts';
import { localOpener } from '../../src/keys/local-opener.ts';
import { findAccess } from '../../src/kube/access.ts';
import { assumeRoleWithOidc } from '../../src/origins/aliyun/oidc-role.ts';
import { assumeRoleWithWebIdentity } from '../../src/origins/aws/web-identity.ts';
import { readAccessKey } from '../../src/origins/cloud/access-key.ts';
import { buildCredential } from '../../src/running/build.ts';
import { readIdentity } from '../../src/server/proxy/identity.ts';

export interface Outcome {
  readonly reader: string;
  readonly odd: string;
  /** The code of the refusal, or `read`. */
  readonly code: string;
  readonly isNamed: boolean;
}

export interface Outcomes {
  readonly outcomes: readonly Outcome[];
  readonly mostMegabytes: number;
}

type Read = (path: string, directory: string) => Promise<unknown>;

const [root = ''] = process.argv.slice(2);
const { signal } = new AbortController();
const observe = () => undefined;
const nowhere = 'http://127.0.0.1:1';

const inSource =
  (of: (path: string) => SourceConfig): Read =>
  (path) => {
    const config = { name: 'shop', provider: { wechatpay: { merchantId: '1900000001' } }, source: of(path) };
    return buildCredential(config, { clock: systemClock, observe, environment: {} }).source.read(signal);
  };

type Auth = NonNullable<SourceConfig['vault']>['auth'];
const vault = (auth: (path: string) => Auth): Read =>
  inSource((path) => ({ vault: { address: nowhere, path: 'shop', auth: auth(path) } }));

const trust = (field: string): Read =>
  inSource((path) => ({ consul: { address: 'https://127.0.0.1:1', prefix: 'shop', tls: { [field]: path } } }));

const inConfiguration =
  (text: (path: string) => string): Read =>
  async (path, directory) => {
    const config = join(directory, 'paycert.yaml');
    await writeFile(config, `${text(JSON.stringify(path))}\ncredentials: []\n`);
    return readConfig(config);
  };

const kubeconfig =
  ({ cluster = () => ({}), user = () => ({}) }: Partial<Record<'cluster' | 'user', (path: string) => object>>): Read =>
  async (path, directory) => {
    const file = join(directory, 'kubeconfig');
    const content = {
      'current-context': 'c',
      contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
      clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:1', ...cluster(path) } }],
      users: [{ name: 'u', user: user(path) }],
    };
    await writeFile(file, JSON.stringify(content));
    return (await findAccess({ KUBECONFIG: file })).prepare();
  };

const role = { roleArn: 'pay', providerArn: 'pay', sessionName: 'pay', clock: systemClock, nonce: () => 'n' };
const neverAsked = { ask: () => Promise.reject(new PaycertError('origin-unreachable', 'it was asked')) };

async function wordIn(directory: string, word = 'word'): Promise<string> {
  const path = join(directory, 'word');
  await writeFile(path, word);
  return path;
}

const inPod: Read = async (path, directory) => {
  for (const name of ['namespace', 'token', 'ca.crt'])
    if (join(directory, name) !== path) await writeFile(join(directory, name), name);
  return (await findAccess({ KUBERNETES_SERVICE_HOST: '127.0.0.1' }, directory)).prepare();
};

/** By the name of the file, where the reader decides it. */
const readers: Readonly<Record<string, { readonly file?: string; readonly read: Read }>> = {
  'material, one file': { read: inSource((path) => ({ files: { path } })) },
  'material, a part of a directory': {
    file: 'apiclient_key.pem',
    read: (_, directory) => inSource((path) => ({ files: { path } }))(directory, directory),
  },
  'material, the password of a container': {
    file: 'apiclient_cert.p12.password',
    read: (_, directory) => inSource((path) => ({ files: { path } }))(directory, directory),
  },
  'paycert.yaml': { read: (path) => readConfig(path) },
  'the token': { read: inConfiguration((path) => `listen: { tcp: { address: "127.0.0.1:0", tokenFile: ${path} } }`) },
  'the token of the proxy': {
    read: inConfiguration(
      (path) =>
        `listen: { socket: /run/paycert.sock }\nproxy: { listen: { tcp: { address: "127.0.0.1:0", tokenFile: ${path} } } }`,
    ),
  },
  'the throw-away identity of the proxy': { read: (path) => readIdentity(path) },
  'the user of the proxy on the way out': { read: (path) => readProxyUser(path) },
  'Vault, a token': { read: vault((tokenFile) => ({ token: { tokenFile } })) },
  'Vault, a service account': { read: vault((tokenFile) => ({ kubernetes: { role: 'r', tokenFile } })) },
  'Vault, a JWT': { read: vault((tokenFile) => ({ jwt: { role: 'r', tokenFile } })) },
  'Vault, a role id': {
    read: vault((roleIdFile) => ({ appRole: { roleIdFile, secretIdFile: import.meta.filename } })),
  },
  'Vault, a secret id': {
    read: vault((secretIdFile) => ({ appRole: { roleIdFile: import.meta.filename, secretIdFile } })),
  },
  'Consul, a token': {
    read: inSource((tokenFile) => ({ consul: { address: nowhere, prefix: 'shop', tokenFile } })),
  },
  'AWS, the token of a web identity': {
    read: (tokenFile) => assumeRoleWithWebIdentity({ ...role, server: neverAsked, tokenFile }, signal),
  },
  'Aliyun, the token of an OIDC role': {
    read: (tokenFile) => assumeRoleWithOidc({ ...role, server: neverAsked, tokenFile }, signal),
  },
  'an access key, its id': {
    read: async (idFile, directory) => readAccessKey({ idFile, secretFile: await wordIn(directory) }),
  },
  'an access key, its secret': {
    read: async (secretFile, directory) => readAccessKey({ idFile: await wordIn(directory), secretFile }),
  },
  'values that were wrapped, the key': { read: (path) => localOpener(path, {}).open([], signal) },
  'Redis, its CA': { read: (path) => readAuthorities(path) },
  'a digest, the secret that signs it': {
    read: async (secretFile, directory) =>
      readWebhook({ 'webhook-file': await wordIn(directory, 'https://127.0.0.1:1/'), 'sign-file': secretFile }),
  },
  'etcd, a password': {
    read: inSource((passwordFile) => ({
      etcd: { address: nowhere, prefix: 'shop', user: { name: 'u', passwordFile } },
    })),
  },
  'a server, its CA': { read: trust('caFile') },
  'a server, our certificate': { read: trust('certFile') },
  'a server, our key': { read: trust('keyFile') },
  'the operator, its certificate': {
    file: 'tls.crt',
    read: (_, directory) => mountedCertificate(directory, systemClock, observe).read(signal),
  },
  'a pod, its namespace': { file: 'namespace', read: inPod },
  'a pod, its token': { file: 'token', read: inPod },
  'a pod, the CA': { file: 'ca.crt', read: inPod },
  'a kubeconfig': { read: (path) => findAccess({ KUBECONFIG: path }) },
  'a kubeconfig, the CA': { read: kubeconfig({ cluster: (path) => ({ 'certificate-authority': path }) }) },
  'a kubeconfig, a certificate': { read: kubeconfig({ user: (path) => ({ 'client-certificate': path }) }) },
  'a kubeconfig, a key': { read: kubeconfig({ user: (path) => ({ 'client-key': path }) }) },
  'a kubeconfig, a token': { read: kubeconfig({ user: (path) => ({ 'token-file': path }) }) },
  'a kubeconfig, a token that is read again': {
    read: kubeconfig({ user: (path) => ({ 'auth-provider': { name: 'tokenFile', config: { tokenFile: path } } }) }),
  },
};

const odd: Readonly<Record<string, (path: string) => unknown>> = {
  'a pipe without a writer': (path) => execFileSync('mkfifo', [path]),
  'a link into /proc that has no end': (path) => symlink('/proc/self/pagemap', path),
  'a device without an end': (path) => symlink('/dev/zero', path),
  'a directory': (path) => mkdir(path),
  'an empty file': (path) => writeFile(path, ''),
  'a file of blanks': (path) => writeFile(path, ' \r\n\t\n'),
};

async function refusalOf(work: () => Promise<unknown>): Promise<PaycertError | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (error instanceof PaycertError) return error;
    throw error;
  }
}

async function tryOne(reader: string, kind: string, directory: string): Promise<Outcome> {
  const { file = 'odd', read } = readers[reader]!;
  const path = join(directory, file);
  await mkdir(directory);
  await odd[kind]!(path);
  const error = await refusalOf(() => read(path, directory));
  const isNamed = error !== undefined && `${error.message} ${error.field ?? ''}`.includes(directory);
  return { reader, odd: kind, code: error?.code ?? 'read', isNamed };
}

const outcomes: Outcome[] = [];
for (const reader of Object.keys(readers))
  for (const kind of Object.keys(odd)) {
    // Where it hangs, this is the last line.
    process.stderr.write(`${reader}: ${kind}\n`);
    outcomes.push(await tryOne(reader, kind, join(root, String(outcomes.length))));
  }
const { maxRSS } = process.resourceUsage();
process.stdout.write(JSON.stringify({ outcomes, mostMegabytes: maxRSS / 1024 } satisfies Outcomes));
process.exit();
