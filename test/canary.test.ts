// No secret appears in any output: every kind of bad material, every call, every command, at the lowest log level.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { operations } from '../src/server/operations.ts';
import { createSecretVolume } from '../src/testing/secret-volume.ts';
import { encryptField, encryptResource, makeNotification, makeProbe } from '../src/testing/wechatpay-message.ts';
import { auditKey } from './support/audited.ts';
import { Canaries } from './support/canary.ts';
import { type CanaryMaterial, makeCanaryMaterial } from './support/canary-material.ts';
import { type OtlpReceiver, startOtlpReceiver } from './support/otlp-receiver.ts';
import { paycert } from './support/paycert.ts';
import {
  call,
  type CallOptions,
  configuration,
  credential,
  makeDirectory,
  replaceFile,
  type Sidecar,
  startSidecar,
  token,
} from './support/sidecar.ts';

interface Scene extends CanaryMaterial {
  readonly directory: string;
  readonly sidecar: Sidecar;
  readonly outputs: string[];
  readonly collector: OtlpReceiver;
  readonly exchange: (address: string, path: string, options?: CallOptions) => Promise<void>;
}

const fit = ['good', 'good-p12'];
const collectorToken = 'a-token-of-the-collector';

async function setScene(t: TestContext): Promise<Scene> {
  const canary = await makeCanaryMaterial();
  canary.canaries.add('token', Buffer.from(token));
  const directory = await makeDirectory(t);
  const credentials: string[] = [];
  for (const [name, files] of Object.entries(canary.sets)) {
    await createSecretVolume(join(directory, name), files);
    credentials.push(credential({ name, path: join(directory, name) }));
  }
  // The key itself where the name of a variable belongs, which begins with no digit.
  const asVariable = `k${canary.material.apiV3Key.slice(1)}`;
  credentials.push(
    `  - name: key-as-variable\n    provider: { wechatpay: { merchantId: "1900000001" } }\n    source: { env: { keys: { apiv3_key: "${asVariable}" } } }\n`,
  );
  await replaceFile(join(directory, 'audit-key'), auditKey);
  canary.canaries.add('audit-key', Buffer.from(auditKey));
  const audit = `audit: { requests: all, stdout: true, keyFile: ${join(directory, 'audit-key')}, volume: { directory: ${join(directory, 'audit')} } }\n`;
  const config = configuration(directory, credentials, `log: { level: debug }\n${audit}`);
  const collector = await startOtlpReceiver(t);
  canary.canaries.add('collector-token', Buffer.from(collectorToken));
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.origin,
    OTEL_EXPORTER_OTLP_HEADERS: `authorization=${collectorToken},${collectorToken}`,
  };
  const sidecar = await startSidecar(t, directory, config, { waitFor: fit, env });
  for (const name of Object.keys(canary.sets))
    if (!fit.includes(name)) await sidecar.event('rejected', { credential: name });
  await sidecar.event('source-failed', { credential: 'key-as-variable' });
  const outputs: string[] = [];
  const exchange = async (address: string, path: string, options: CallOptions = {}): Promise<void> => {
    const { status, content } = await call(address, path, options);
    outputs.push(`${path} ${status} ${content}`);
  };
  return { ...canary, directory, sidecar, outputs, collector, exchange };
}

/** Good calls, bad calls, and secrets where they do not belong, for every operation. */
function* bodiesFor({ material, privateKeyPem }: Scene): Generator {
  const { apiV3Key, merchant, platformKeys } = material;
  const platformKey = platformKeys[0]!;
  const sealed = encryptResource('hello', { apiV3Key, associatedData: 'a' });
  const { associated_data: associatedData, ...resource } = sealed;
  const notification = makeNotification({ platformKey, now: new Date(), apiV3Key, resource: 'hello' });
  const body = Buffer.from(notification.body).toString();
  yield* [{}, [], null, 'text', '{', `{"${privateKeyPem}`, { message: privateKeyPem }, { plaintext: 'hello' }];
  yield* [
    { method: 'GET', url: '/v3/certificates' },
    { method: privateKeyPem, url: apiV3Key },
  ];
  yield* [
    { ...resource, associatedData },
    { ...resource, associatedData: apiV3Key },
  ];
  yield* [
    { ciphertext: encryptField(merchant.publicKey, 'hello') },
    { ciphertext: privateKeyPem },
    { ciphertext: apiV3Key },
  ];
  yield* [
    { ...notification, body },
    { kind: 'notification', headers: notification.headers, body },
  ];
  yield { kind: 'notification', headers: makeProbe(notification).headers, body };
  yield { kind: 'response', headers: { ...notification.headers, 'Wechatpay-Serial': privateKeyPem }, body };
  yield {
    kind: 'response',
    headers: { ...notification.headers, 'Wechatpay-Timestamp': apiV3Key },
    body: privateKeyPem,
  };
  yield { message: 'x', signature: privateKeyPem, keyId: apiV3Key };
  yield { type: 'jsapi', appId: 'wx1', prepayId: 'p1' };
  yield { type: privateKeyPem, appId: privateKeyPem, prepayId: apiV3Key };
}

async function exerciseApi(scene: Scene): Promise<void> {
  const { sidecar, exchange, sets } = scene;
  for (const { name } of operations) {
    for (const body of bodiesFor(scene)) {
      const path = `/v1/credentials/good/${name}`;
      await exchange(sidecar.socket, path, { body });
      await exchange(sidecar.socket, `${path}/batch`, { body: { items: [body, body] } });
    }
    for (const other of [...Object.keys(sets), 'nobody'])
      await exchange(sidecar.socket, `/v1/credentials/${other}/${name}`, { body: { message: 'x' } });
  }
  for (const authorization of [undefined, 'Bearer wrong', `Basic ${token}`, `Bearer ${token}`]) {
    const headers = authorization === undefined ? {} : { Authorization: authorization };
    await exchange(sidecar.tcp, '/statusz', { headers });
    await exchange(sidecar.tcp, '/statusz', { headers: { ...headers, Origin: 'http://evil' } });
  }
  for (const path of ['/statusz', '/v1/credentials', '/openapi.json', '/nowhere']) await exchange(sidecar.socket, path);
  for (const path of ['/metrics', '/livez', '/readyz', '/startupz', '/readyz/good', '/readyz/expired'])
    await exchange(sidecar.admin, path);
}

async function exerciseCommands({ directory, sidecar, sets, outputs }: Scene): Promise<void> {
  const config = join(directory, 'paycert.yaml');
  const paths = Object.keys(sets).map((name) => join(directory, name));
  const target = ['--socket', sidecar.socket];
  for (const args of [
    ['inspect', ...paths, config, join(directory, 'token')],
    ['audit', 'verify', join(directory, 'audit'), '--key', join(directory, 'audit-key')],
    ['audit', 'show', join(directory, 'audit')],
    ['validate', '--config', config],
    ['status', ...target],
    ['sign', 'good', config, ...target],
    ['sign', 'expired', config, ...target],
    ['decrypt', 'good', join(directory, 'token'), ...target],
    ['status', '--url', `http://${sidecar.tcp}`, '--token-file', config],
  ]) {
    for (const format of ['text', 'json']) {
      const { stdout, stderr } = await paycert([...args, '--output', format]);
      outputs.push(`${args.join(' ')}: ${stdout}${stderr}`);
    }
  }
}

/** Keys in paycert.yaml itself, as people paste them. */
async function exerciseConfiguration({ directory, sidecar, outputs, privateKeyPem, material }: Scene): Promise<void> {
  const path = join(directory, 'paycert.yaml');
  const inner = privateKeyPem.replaceAll('\n', '\n      ');
  const provider = (merchantId: string) =>
    configuration(directory, [
      `  - name: a\n    provider: { wechatpay: { merchantId: ${merchantId} } }\n    source: { files: { path: x } }\n`,
    ]);
  for (const config of [
    provider(JSON.stringify(privateKeyPem)),
    provider(`"${material.apiV3Key}"`),
    provider(`\n      ${inner}`),
    `listen: ${privateKeyPem}`,
    privateKeyPem,
    `&a ${material.apiV3Key}: *a`,
    `${configuration(directory, [])}log: { level: ${material.apiV3Key} }`,
  ]) {
    const from = sidecar.lines.length;
    await replaceFile(path, config);
    await sidecar.event('config-rejected', {}, from);
    const { stdout, stderr } = await paycert(['validate', '--config', path, '--output', 'json']);
    outputs.push(stdout, stderr);
  }
}

describe('canary secrets', { timeout: 900_000 }, () => {
  it('are found by this test in every form', async () => {
    const canaries = new Canaries();
    const secret = Buffer.from('a secret of forty bytes, which is enough');
    canaries.add('it', secret);
    const part = secret.subarray(5, 27);
    for (const form of ['latin1', 'hex', 'base64', 'base64url'] as const)
      for (const prefix of ['', 'x', 'ab', 'abc'])
        assert.deepEqual(canaries.find(`${prefix}${part.toString(form)}`), ['it']);
    assert.deepEqual(canaries.find('nothing of the kind, at some length'), []);
  });

  it('appear in no log line, metric, span, answer, error or report', async (t) => {
    const scene = await setScene(t);
    await exerciseApi(scene);
    await exerciseCommands(scene);
    await exerciseConfiguration(scene);
    scene.sidecar.terminate();
    assert.equal(await scene.sidecar.ended, 0);
    assert.ok(scene.collector.spans.length > 100);
    const spans = scene.collector.requests.map(({ text }) => text);
    const outputs = [...scene.outputs, ...spans, ...scene.sidecar.stdout.split('\n'), scene.sidecar.stderr];
    assert.ok(outputs.length > 500);
    // Nothing here was unforeseen: an internal error would hide what it is about.
    assert.ok(!outputs.some((output) => output.includes('internal-error')));
    for (const type of ['signed', 'not-signed', 'rejected', 'config-rejected'])
      assert.ok(
        outputs.some((output) => output.includes(`"type":"${type}"`)),
        type,
      );
    const leaks = outputs.flatMap((output) => {
      const found = scene.canaries.find(output);
      return found.length > 0 ? [`${found.join()} in ${output.slice(0, 300)}`] : [];
    });
    assert.deepEqual(leaks, []);
  });
});
