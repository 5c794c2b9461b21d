// What a kubelet and an ingress do for an http-01 challenge, on an API server alone: each solver that cert-manager asks for answers at the port of the web.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import type { ControlPlane } from './control-plane.ts';
import { listen } from './listening.ts';
import { issue, makeAuthority, pairFiles } from './mtls.ts';

/** cert-manager asks there itself before it lets the authority ask, and knows no other port. */
export const webPort = 80;

/** For `skip`: false where it can be listened at. */
export const noWebPort: string | false = await new Promise((resolve) => {
  const server = createServer();
  server.on('error', () => resolve('nothing can listen at port 80 here'));
  server.listen(webPort, '127.0.0.1', () => server.close(() => resolve(false)));
});

interface SolverPods {
  readonly items: readonly {
    readonly spec: { readonly containers: readonly { readonly args: readonly string[] }[] };
  }[];
}

/** Answers with what the newest solvers of the namespace were given, until the test ends. `asked`: the paths. */
export async function serveChallenges(
  t: TestContext,
  plane: Pick<ControlPlane, 'admin'>,
  namespace: string,
): Promise<{ readonly asked: readonly string[] }> {
  const asked: string[] = [];
  const server = createServer((question, answer) => {
    asked.push(question.url ?? '');
    void keysByToken(plane, namespace).then((keys) => {
      const key = keys.get((question.url ?? '').split('/').at(-1) ?? '');
      answer.writeHead(key === undefined ? 404 : 200).end(key);
    });
  });
  server.listen(webPort, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { asked };
}

async function keysByToken(plane: Pick<ControlPlane, 'admin'>, namespace: string): Promise<Map<string, string>> {
  const selector = encodeURIComponent('acme.cert-manager.io/http01-solver=true');
  const { items } = (await plane.admin(
    'GET',
    `/api/v1/namespaces/${namespace}/pods?labelSelector=${selector}`,
  )) as unknown as SolverPods;
  const argumentOf = (args: readonly string[], name: string) =>
    args.find((one) => one.startsWith(`--${name}=`))?.slice(name.length + 3) ?? '';
  return new Map(
    items.flatMap(({ spec }) =>
      spec.containers.map(({ args }) => [argumentOf(args, 'token'), argumentOf(args, 'key')] as const),
    ),
  );
}

/** Names an image for the solvers of the namespace: a cert-manager that was built without one has none, and no Pod is without. */
export async function nameSolverImage(t: TestContext, plane: ControlPlane, namespace: string): Promise<void> {
  const authority = await makeAuthority();
  const own = pairFiles(await issue(authority, 'localhost', { hostNames: ['localhost'] }));
  const patch = [{ op: 'add', path: '/spec/containers/0/image', value: 'acmesolver' }];
  const server = createSecureServer({ cert: own['tls.crt']!, key: own['tls.key']! }, (question, answer) => {
    void text(question).then((body) => {
      const { apiVersion, request: { uid } } = JSON.parse(body) as { apiVersion: string; request: { uid: string } }; // prettier-ignore
      const patched = { uid, allowed: true, patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(patch)).toString('base64') }; // prettier-ignore
      answer.setHeader('Content-Type', 'application/json');
      answer.end(JSON.stringify({ apiVersion, kind: 'AdmissionReview', response: patched }));
    });
  });
  const port = await listen(t, server, 'localhost');
  const path = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations';
  const name = `solver-image.${namespace}.test`;
  await plane.admin('POST', path, {
    metadata: { name },
    webhooks: [
      {
        name,
        clientConfig: { url: `https://localhost:${String(port)}/`, caBundle: Buffer.from(authority.certificate).toString('base64') }, // prettier-ignore
        rules: [{ apiGroups: [''], apiVersions: ['v1'], resources: ['pods'], operations: ['CREATE'] }],
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
      },
    ],
  });
  t.after(() => plane.admin('DELETE', `${path}/${name}`));
}
