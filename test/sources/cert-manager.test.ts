// Secrets that the real cert-manager writes, through the API and through a mount: each renewal is taken whole, and what it leaves while it issues is told apart.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request } from 'node:https';
import { text } from 'node:stream/consumers';
import { after, describe, it, type TestContext } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { type CredentialConfig, createHttpsAgent, followServer, type Paycert, startPaycert } from '../../src/index.ts';
import { codeBlocks } from '../agreement/documents.ts';
import {
  type CertManaged,
  CertManager,
  elliptic,
  mountSecret,
  noCertManager,
  secretOf,
} from '../support/cert-manager.ts';
import { nameSolverImage, noWebPort, serveChallenges, webPort } from '../support/challenges.ts';
import { useControlPlane } from '../support/control-plane.ts';
import { listen } from '../support/listening.ts';
import { noPebble, Pebble } from '../support/pebble.ts';
import { Recorder } from '../support/recorder.ts';

const page = 'docs/sources/written-by-others.md';
const limit = { timeout: 300_000, skip: noCertManager };
let started: CertManager | undefined;
const controlPlane = useControlPlane(async (plane) => {
  if (noCertManager === false) started = await CertManager.start(plane);
});
after(() => started?.[Symbol.asyncDispose]());

/** Three seconds apart, with a new key each time: as fast as it renews without losing count. */
const hurried = { duration: '1h', renewBefore: '59m57s' };
const renewals = 20;

const certificate = (name: string, spec: object, annotations = {}) => ({
  kind: 'Certificate' as const,
  metadata: { name, annotations },
  spec: { secretName: name, privateKey: elliptic, issuerRef: { name: 'authority' }, ...spec },
});

async function prepare() {
  const [plane, certManager] = [controlPlane(), started!];
  const namespace = await plane.makeNamespace();
  return { plane, certManager, namespace, kubeconfig: await plane.kubeconfig(namespace) };
}

type Origin = CredentialConfig['source'];

async function follow(t: TestContext, kubeconfig: string, origins: Readonly<Record<string, Origin>>) {
  const recorder = new Recorder();
  const credentials = Object.entries(origins).map(([name, source]) => ({ name, provider: { mtls: {} }, source }));
  const paycert = await startPaycert(credentials, {
    observe: recorder.observe,
    environment: { KUBECONFIG: kubeconfig },
  });
  t.after(() => paycert.stop());
  return { paycert, recorder };
}

/** A server that demands a certificate, and presents one that is renewed as well; its port, and the handshakes that failed. */
async function startGate(t: TestContext, paycert: Paycert) {
  const server = createServer({ requestCert: true, rejectUnauthorized: true }, (question, answer) => answer.end(question.socket.remoteAddress)); // prettier-ignore
  followServer(server, paycert, 'gate');
  const failures: Error[] = [];
  server.on('tlsClientError', (error) => failures.push(error));
  return { port: await listen(t, server, 'localhost'), failures };
}

describe('a Certificate of cert-manager', () => {
  it(
    'that is renewed again and again feeds mTLS under load, through the API and a mount: no handshake fails in 20 renewals',
    limit,
    async (t) => {
      const { plane, certManager, namespace, kubeconfig } = await prepare();
      await certManager.authority(namespace);
      await certManager.apply(
        namespace,
        certificate('gate', { ...hurried, dnsNames: ['localhost'], usages: ['server auth'] }),
        certificate('shop', { ...hurried, commonName: 'shop', usages: ['client auth'] }),
      );
      await secretOf(plane, namespace, 'gate', 'tls.crt');
      const path = await mountSecret(t, plane, namespace, 'shop');
      const origins = {
        gate: { secret: { name: 'gate' } },
        api: { secret: { name: 'shop' } },
        mount: { files: { path } },
      };
      const { paycert, recorder } = await follow(t, kubeconfig, origins);
      const { port, failures } = await startGate(t, paycert);

      const swaps = (name: string) => recorder.of('swapped').filter(({ credential }) => credential === name).length;
      const isOver = () => Object.keys(origins).every((name) => swaps(name) > renewals);
      let requests = 0;
      /** Each request is a handshake of its own, one after the other. */
      const call = async (name: string) => {
        const agent = createHttpsAgent(paycert, name);
        while (!isOver()) {
          const sent = request({ agent, host: 'localhost', port, headers: { Connection: 'close' } }).end();
          const [response] = (await once(sent, 'response')) as [AsyncIterable<Uint8Array>];
          await text(response);
          requests += 1;
        }
        agent.destroy();
      };
      await Promise.all(['api', 'mount', 'api', 'mount'].map(call));
      t.diagnostic(`${String(requests)} handshakes`);
      assert.ok(requests > renewals * 10, String(requests));
      assert.deepEqual(failures, []);
      for (const type of ['rejected', 'source-failed', 'deferred', 'found-by-poll'] as const)
        assert.deepEqual(recorder.of(type), [], type);
    },
  );

  it('that is temporary is refused as that, and what is issued at last is current at once', limit, async (t) => {
    const { plane, certManager, namespace, kubeconfig } = await prepare();
    const annotations = { 'cert-manager.io/issue-temporary-certificate': 'true' };
    await certManager.apply(namespace, certificate('shop', { commonName: 'shop' }, annotations));
    await secretOf(plane, namespace, 'shop', 'tls.crt');
    const { paycert, recorder } = await follow(t, kubeconfig, { shop: { secret: { name: 'shop' } } });
    const [state] = paycert.entries();
    assert.deepEqual([state?.snapshot, state?.rejection?.error.code], [undefined, 'certificate-temporary']);
    const swapped = recorder.next('swapped');
    await certManager.authority(namespace);
    await swapped;
  });

  it(
    'of an ACME issuer is followed as the documents say, and trusts whom they put beside it',
    { ...limit, skip: noPebble || noCertManager },
    async (t) => {
      const { plane, certManager, namespace, kubeconfig } = await prepare();
      const acme = await Pebble.start(t);
      const [issuer, gate] = documented(/kind: Issuer/) as readonly CertManaged[];
      const key = await acme.authorize('shop.example');
      await plane.writeSecret(namespace, 'acme-account', { 'tls.key': key });
      await plane.writeSecret(namespace, 'partners', { 'ca.crt': await certManager.authority(namespace) });
      const here = { server: acme.url, caBundle: Buffer.from(acme.authority).toString('base64') };
      await certManager.apply(
        namespace,
        {
          kind: 'Issuer',
          metadata: { name: 'acme' },
          spec: { acme: { ...(issuer!.spec['acme'] as object), ...here } },
        },
        { kind: 'Certificate', metadata: { name: 'gate' }, spec: { ...gate!.spec, ...hurried } },
      );
      const held = await secretOf(plane, namespace, 'gate', 'tls.crt');
      assert.deepEqual(Object.keys(held).sort(), ['tls.crt', 'tls.key']);

      const [{ credentials }] = documented(/name: gate\n    required/) as [Documented];
      const { paycert, recorder } = await follow(t, kubeconfig, { gate: credentials[0].source });
      assert.equal(paycert.entries()[0]?.rejection, undefined);
      for (let times = 0; times < 3; times += 1) await recorder.next('swapped');
      for (const type of ['rejected', 'source-failed'] as const) assert.deepEqual(recorder.of(type), [], type);
    },
  );

  it(
    'of an ACME issuer is followed from the first answer to an http-01 challenge, and through renewals',
    { ...limit, skip: noPebble || noCertManager || noWebPort },
    async (t) => {
      const { plane, certManager, namespace, kubeconfig } = await prepare();
      const acme = await Pebble.start(t, { httpPort: webPort });
      await nameSolverImage(t, plane, namespace);
      const solver = await serveChallenges(t, plane, namespace);
      const here = { server: acme.url, caBundle: Buffer.from(acme.authority).toString('base64') };
      const [issuer, gate] = documented(/kind: Issuer/) as readonly CertManaged[];
      const dnsNames = ['localhost'];
      await certManager.apply(
        namespace,
        {
          kind: 'Issuer',
          metadata: { name: 'acme' },
          spec: { acme: { ...(issuer!.spec['acme'] as object), ...here } },
        },
        { kind: 'Certificate', metadata: { name: 'gate' }, spec: { ...gate!.spec, dnsNames, ...hurried } },
      );
      const { paycert, recorder } = await follow(t, kubeconfig, { gate: { secret: { name: 'gate' } } });
      assert.equal(paycert.entries()[0]?.sourceError?.error.code, 'object-missing');
      for (let times = 0; times < 3; times += 1) await recorder.next('swapped');
      assert.ok(solver.asked.some((path) => path.startsWith('/.well-known/acme-challenge/')));
      assert.deepEqual(recorder.of('rejected'), []);
    },
  );
});

interface Documented {
  readonly credentials: readonly [CredentialConfig];
}

/** The objects of the block of the page that has that text. */
function documented(has: RegExp): readonly unknown[] {
  const block = codeBlocks(page).find(({ text }) => has.test(text));
  assert.ok(block);
  return parseAllDocuments(block.text).map((document) => document.toJSON() as unknown);
}
