// A webhook on loopback that refuses every new object of one kind in one namespace, with its words; or one that nobody serves.
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import type { ControlPlane } from './control-plane.ts';
import { issue, makeAuthority, pairFiles } from './mtls.ts';

export interface RefusingWebhook {
  /** A host name. */
  readonly name: string;
  readonly namespace: string;
  readonly group: string;
  readonly plural: string;
  /** Why it refuses; undefined where nobody listens. */
  readonly words: string | undefined;
}

export async function startRefusingWebhook(
  t: TestContext,
  plane: ControlPlane,
  webhook: RefusingWebhook,
): Promise<void> {
  const { name, namespace, group, plural, words } = webhook;
  const authority = await makeAuthority();
  const own = pairFiles(await issue(authority, 'localhost', { hostNames: ['localhost'] }));
  const port = words === undefined ? 1 : await serve(t, { cert: own['tls.crt']!, key: own['tls.key']! }, words);
  const path = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';
  const caBundle = Buffer.from(authority.certificate).toString('base64');
  await plane.admin('POST', path, {
    metadata: { name },
    webhooks: [
      {
        name,
        clientConfig: { url: `https://localhost:${String(port)}/`, caBundle },
        rules: [{ apiGroups: [group], apiVersions: ['v1'], resources: [plural], operations: ['CREATE'] }],
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
      },
    ],
  });
  t.after(() => plane.admin('DELETE', `${path}/${name}`));
}

async function serve(t: TestContext, pair: { readonly cert: string; readonly key: string }, words: string) {
  const server = createServer(pair, (request, response) => {
    void text(request).then((body) => {
      const { apiVersion, request: { uid } } = JSON.parse(body) as { apiVersion: string; request: { uid: string } }; // prettier-ignore
      const refused = { uid, allowed: false, status: { message: words } };
      response.setHeader('Content-Type', 'application/json');
      response.end(JSON.stringify({ apiVersion, kind: 'AdmissionReview', response: refused }));
    });
  });
  server.listen(0, 'localhost');
  t.after(() => server.close());
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}
