// How long a write waits for its review: ten thousand mutated Secrets, asked about over the operator's own HTTPS listener, none of which may end it.
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import fc from 'fast-check';
import { createWechatpayMaterial } from '../../src/testing/index.ts';
import { issueForLocalhost } from '../support/admission.ts';
import { ControlPlane } from '../support/control-plane.ts';
import { mutate, mutation, toData } from '../support/mutated-secrets.ts';
import { installDefinition, merchantId, Tenant, until, wechatpaySpec } from '../support/operator.ts';
import { percentile, residentMegabytes } from './fixture.ts';
import { startInPod } from './in-pod.ts';

const reviewCount = 10_000;
/** An API server asks about that many writes at once. */
const atOnce = 4;
/** The same Secrets in each run. */
const seed = 1;

type Data = Readonly<Record<string, string>>;

interface Said {
  readonly allowed: boolean;
  readonly warnings?: readonly string[];
}

/** Asks as an API server does: over connections that it keeps. */
class Asking {
  readonly #agent: Agent;
  readonly #port: number;
  readonly #namespace: string;

  constructor(address: string, namespace: string, ca: string) {
    this.#port = Number(address.split(':').at(-1));
    this.#agent = new Agent({ keepAlive: true, ca, maxSockets: atOnce });
    this.#namespace = namespace;
  }

  /** @throws Error for what is no answer to the question */
  async review(uid: string, data: Data): Promise<Said> {
    const options = { host: '127.0.0.1', servername: 'localhost', port: this.#port, path: '/review', method: 'POST', agent: this.#agent }; // prettier-ignore
    const call = request({ ...options, headers: { 'Content-Type': 'application/json' } });
    const responded = once(call, 'response');
    call.end(JSON.stringify(this.#question(uid, data)));
    const [response] = (await responded) as [NodeJS.ReadableStream & { readonly statusCode: number }];
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    if (response.statusCode !== 200) throw new Error(`${String(response.statusCode)} ${text}`);
    const { response: said } = JSON.parse(text) as { response: Said & { readonly uid: string } };
    if (said.uid !== uid) throw new Error(`the answer to ${uid} is about ${said.uid}`);
    return said;
  }

  #question(uid: string, data: Data): object {
    const metadata = { name: 'keys', namespace: this.#namespace, labels: { 'paycert.dev/used-by': 'wechat-main' } };
    const kind = { group: '', version: 'v1', kind: 'Secret' };
    const object = { apiVersion: 'v1', kind: 'Secret', metadata, data };
    const asked = { uid, kind, namespace: this.#namespace, operation: 'CREATE', object, oldObject: null, dryRun: true };
    return { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request: asked };
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** Where it listens for reviews, as its log says; what follows in the log is read and dropped. */
async function listening({ stdout }: ChildProcess): Promise<string> {
  const lines = createInterface({ input: stdout! });
  return new Promise((resolve, reject) => {
    lines.once('close', () => reject(new Error('the operator ended')));
    lines.on('line', (line) => {
      const { event, listener, address } = JSON.parse(line) as Record<string, string>;
      if (event === 'listening' && listener === 'admission') resolve(address!);
    });
  });
}

export async function measureAdmission(): Promise<Record<string, number>> {
  await using plane = await ControlPlane.start();
  await installDefinition(plane);
  const tenant = await Tenant.make(plane);
  await tenant.create('wechat-main', wechatpaySpec('keys'));
  const directory = await mkdtemp(join(tmpdir(), 'paycert-reviews-'));
  const { certificate, key, authority } = await issueForLocalhost();
  await writeFile(join(directory, 'tls.crt'), certificate);
  await writeFile(join(directory, 'tls.key'), key);
  const words = ['operator', '--address', '127.0.0.1:0', '--admission-address', '127.0.0.1:0', '--admission-tls', directory]; // prettier-ignore
  const operator = startInPod(words, await plane.ownerFiles('default'), `https://127.0.0.1:${String(plane.port)}`);
  const asking = new Asking(await listening(operator), tenant.namespace, authority);
  const { files } = await createWechatpayMaterial({ merchantId, now: new Date() });
  const isKnown = async (uid: string) => {
    const { allowed, warnings = [] } = await asking.review(uid, toData(files));
    return allowed && !warnings.some((text) => text.startsWith('No PaymentCredential'));
  };
  await until(() => isKnown('first').catch(() => false), 'the resource is known');

  const before = await residentMegabytes(operator);
  const milliseconds: number[] = [];
  let refused = 0;
  const waiting = fc.sample(mutation, { numRuns: reviewCount, seed }).entries();
  const work = async () => {
    for (const [index, one] of waiting) {
      const data = mutate(files, one);
      const asked = performance.now();
      const { allowed } = await asking.review(String(index), data);
      milliseconds.push(performance.now() - asked);
      if (!allowed) refused += 1;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  // It is the same process, and judges as before.
  if (operator.exitCode !== null || !(await isKnown('last'))) throw new Error('the operator did not survive it');
  const after = await residentMegabytes(operator);
  asking.close();
  const ended = once(operator, 'exit');
  operator.kill('SIGTERM');
  await ended;
  await rm(directory, { recursive: true });
  const sorted = milliseconds.sort((a, b) => a - b);
  return {
    admission_review_p50_ms: percentile(sorted, 0.5),
    admission_review_p99_ms: percentile(sorted, 0.99),
    admission_reviews_refused: refused,
    admission_rss_added_mb: after - before,
  };
}
