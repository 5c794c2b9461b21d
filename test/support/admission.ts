// The admission webhooks of docs/admission.md on the API server of a test, which asks them by their address.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { parse } from 'yaml';
import { createAuthority, type IssueOptions } from '../../src/testing/index.ts';
import { createSecretVolume } from '../../src/testing/secret-volume.ts';
import type { ControlPlane, Json } from './control-plane.ts';
import { type Overrides, type Running, startOperator, until } from './operator.ts';
import { makeDirectory } from './sidecar.ts';

const pages = {
  ValidatingWebhookConfiguration: 'admission.md',
  MutatingWebhookConfiguration: 'injection.md',
} as const;
export type WebhookKind = keyof typeof pages;
const pathOf = (kind: WebhookKind) => `/apis/admissionregistration.k8s.io/v1/${kind.toLowerCase()}s`;

/** One of the webhooks of the page. */
interface Webhook extends Json {
  readonly name: string;
}

/** Those of the page about them, as people copy them. */
export async function documentedWebhooks(
  wanted: WebhookKind = 'ValidatingWebhookConfiguration',
): Promise<readonly Webhook[]> {
  const text = await readFile(new URL(`../../docs/${pages[wanted]}`, import.meta.url), 'utf8');
  const blocks = [...text.matchAll(/^```yaml\n([^]*?)^```/gm)];
  const configuration = blocks.map(([, block = '']) => parse(block) as { kind?: string; webhooks: Webhook[] });
  return configuration.find(({ kind }) => kind === wanted)!.webhooks;
}

export interface Asked {
  /** host:port. */
  readonly address: string;
  /** PEM of who issued its certificate. */
  readonly authority: string;
  /** Only in this namespace, so that each test has its own. */
  readonly namespace: string;
  /** Of the configuration, beside another of the same namespace. */
  readonly name?: string;
  readonly kind?: WebhookKind;
  /** Over the documented ones. */
  readonly changes?: Json;
}

/** Installs them until the test ends. */
export async function askAt(t: TestContext, plane: ControlPlane, asked: Asked): Promise<string> {
  const { address, authority, namespace, name = 'admission', kind, changes = {} } = asked;
  const id = `${name}-${namespace}`;
  const path = pathOf(kind ?? 'ValidatingWebhookConfiguration');
  const url = `https://localhost:${address.split(':').at(-1)!}/review`;
  const clientConfig = { url, caBundle: Buffer.from(authority).toString('base64') };
  const namespaceSelector = {
    matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values: [namespace] }],
  };
  const webhooks = (await documentedWebhooks(kind)).map((webhook) => ({
    ...webhook,
    clientConfig,
    namespaceSelector,
    ...changes,
  }));
  await plane.admin('POST', path, { metadata: { name: id }, webhooks });
  t.after(() => plane.admin('DELETE', `${path}/${id}`));
  return id;
}

const authority = await createAuthority({ now: new Date() });
const injection = { image: 'paycert:0.1.0', recreatesMissing: false };

/** A certificate for localhost, unless it is to be another, and who issued it. */
export async function issueForLocalhost(options: Partial<IssueOptions> = {}, issuer = authority) {
  const wanted = { commonName: 'reviews', hostNames: ['localhost'], ...options };
  const { certificate, privateKey } = await issuer.issue(wanted);
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' });
  return { certificate, key, authority: issuer.certificate };
}

type ForLocalhost = Awaited<ReturnType<typeof issueForLocalhost>>;

/** As in a Secret of type kubernetes.io/tls. */
const toFiles = ({ certificate, key }: Pick<ForLocalhost, 'certificate' | 'key'>) =>
  new Map([
    ['tls.crt', Buffer.from(certificate)],
    ['tls.key', Buffer.from(key)],
  ]);

export interface Reviewing extends Running {
  /** host:port of the reviews. */
  readonly reviews: string;
  readonly authority: string;
  /** Another certificate, in place of the one that it shows; resolves when that is shown. */
  readonly present: (issued: ForLocalhost) => Promise<void>;
}

/** An operator that reviews and injects, with a certificate that lies in a directory. */
export async function startReviewing(
  t: TestContext,
  plane: ControlPlane,
  overrides: Overrides = {},
): Promise<Reviewing> {
  const volume = await createSecretVolume(join(await makeDirectory(t), 'tls'), toFiles(await issueForLocalhost()));
  const running = await startOperator(t, plane, {
    admission: { address: 'localhost:0', certificate: { tls: volume.directory }, injection },
    ...overrides,
  });
  const { recorder } = running;
  const listening = () => recorder.of('listening').find(({ listener }) => listener === 'admission');
  await until(() => listening() !== undefined, 'reviews are answered');
  const present = async (issued: ForLocalhost) => {
    const presented = recorder.next('certificate-presented');
    await volume.write(toFiles(issued));
    await presented;
  };
  return { ...running, reviews: listening()!.address, authority: authority.certificate, present };
}
