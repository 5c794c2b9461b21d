// Pods that ask for a sidecar on the API server of a test, and what it makes of them.
import { createServer } from 'node:https';
import { json } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { askAt, issueForLocalhost, startReviewing } from './admission.ts';
import type { Attempt, ControlPlane, Json } from './control-plane.ts';
import { type Overrides, Tenant, until, wechatpaySpec } from './operator.ts';
import { listen } from './listening.ts';

/** As the restricted Pod Security Standard wants it. */
export const restricted = {
  allowPrivilegeEscalation: false,
  runAsNonRoot: true,
  runAsUser: 10_001,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
};

export const asking = { 'paycert.dev/inject': 'wechat-main' };
export const shop = { name: 'shop', image: 'shop', securityContext: restricted };

export interface PodOptions {
  readonly labels?: Json;
  readonly metadata?: Json;
  readonly spec?: Json;
  readonly query?: string;
}

export interface Stored extends Json {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: { readonly initContainers?: readonly { readonly name: string }[] };
}

export const podsPath = (namespace: string, name?: string): string =>
  `/api/v1/namespaces/${namespace}/pods${name === undefined ? '' : `/${name}`}`;

/** As a controller creates one. */
export function createPod(
  plane: ControlPlane,
  namespace: string,
  { labels = asking, metadata = {}, spec = {}, query = '' }: PodOptions = {},
): Promise<Attempt> {
  const pod = { metadata: { generateName: 'shop-', labels, ...metadata }, spec: { containers: [shop], ...spec } };
  return plane.attempt('POST', `${podsPath(namespace)}${query}`, pod);
}

export const initOf = (stored: Json): string[] =>
  ((stored as Stored).spec.initContainers ?? []).map(({ name }) => name);

/** A namespace in which Pods get their sidecar, with the PaymentCredential that they name. `install`: from when on. */
export async function startInjecting(t: TestContext, plane: ControlPlane, overrides: Overrides = {}) {
  const tenant = await Tenant.make(plane);
  const { namespace } = tenant;
  const running = await startReviewing(t, plane, { namespaces: [namespace], ...overrides });
  await tenant.create('wechat-main', wechatpaySpec('keys'));
  const create = (options: PodOptions = {}) => createPod(plane, namespace, options);
  const install = async (changes: Json = {}) => {
    const { reviews: address, authority } = running;
    await askAt(t, plane, { address, authority, namespace, name: 'injection', kind: 'MutatingWebhookConfiguration', changes }); // prettier-ignore
    // The API server reads its configuration a moment after it is stored, and the operator the resource.
    const isInjected = async () => initOf((await create({ query: '?dryRun=All' })).object).includes('paycert');
    await until(isInjected, 'Pods get a sidecar');
  };
  return { ...running, plane, tenant, namespace, create, install };
}

/** Another injector, such as that of a mesh: puts a container of its own at the beginning, once. */
export async function startMesh(t: TestContext, plane: ControlPlane, namespace: string, name: string): Promise<void> {
  const { certificate: cert, key, authority } = await issueForLocalhost();
  const server = createServer({ cert, key }, (incoming, response) => {
    void json(incoming).then((body) => {
      const { request } = body as { readonly request: { readonly uid: string; readonly object: Stored } };
      const { initContainers } = request.object.spec;
      const container = { name: 'mesh', image: 'mesh', restartPolicy: 'Always', securityContext: restricted };
      const [path, value] = initContainers ? ['/spec/initContainers/0', container] : ['/spec/initContainers', [container]]; // prettier-ignore
      const isThere = initContainers?.some((one) => one.name === 'mesh') === true;
      const patch = Buffer.from(JSON.stringify(isThere ? [] : [{ op: 'add', path, value }])).toString('base64');
      const said = { uid: request.uid, allowed: true, patchType: 'JSONPatch', patch };
      const review = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: said };
      response.setHeader('Content-Type', 'application/json').end(JSON.stringify(review));
    });
  });
  const port = await listen(t, server, 'localhost');
  const path = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations';
  const webhook = {
    name: 'mesh.example.com',
    clientConfig: {
      url: `https://localhost:${String(port)}/`,
      caBundle: Buffer.from(authority).toString('base64'),
    },
    rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
    reinvocationPolicy: 'IfNeeded',
    sideEffects: 'None',
    admissionReviewVersions: ['v1'],
  };
  await plane.admin('POST', path, { metadata: { name }, webhooks: [webhook] });
  t.after(() => plane.admin('DELETE', `${path}/${name}`));
}
