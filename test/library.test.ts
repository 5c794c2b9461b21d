// The library inside a program: it waits for the first look, refuses to start unfit, and ends without a trace.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Event, isReady, PaycertError, startPaycert } from '../src/index.ts';
import { createSecretVolume } from '../src/testing/secret-volume.ts';
import { startWechatpayGateway } from '../src/testing/wechatpay-gateway.ts';
import { startOtlpReceiver } from './support/otlp-receiver.ts';
import { makeDirectory, makeMaterial, merchantId } from './support/sidecar.ts';

const describeCredential = (path: string, more: object = {}) => ({
  name: 'wechat-main',
  provider: { wechatpay: { merchantId } },
  source: { files: { path } },
  ...more,
});

async function runProgram(
  ...args: readonly string[]
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, args);
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: child.exitCode, stdout, stderr };
}

const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

describe('the library', { timeout: 900_000 }, () => {
  it('is ready to sign when it has started, and tells what happened', async (t) => {
    const directory = await makeDirectory(t);
    const material = await makeMaterial();
    await createSecretVolume(directory, material.files);
    const events: Event['type'][] = [];
    await using paycert = await startPaycert([describeCredential(directory)], {
      observe: ({ type }) => type !== 'unchanged' && events.push(type),
    });
    const { keyId } = await paycert.current('wechat-main').sign(Buffer.from('x'));
    assert.equal(keyId, material.merchant.serialNumber);
    assert.deepEqual(events, ['credential-added', 'swapped', 'operated']);
    assert.ok(paycert.entries().every((entry) => isReady(entry, new Date())));
  });

  it('exports a span of each operation where it is asked to, below the one that the program names', async (t) => {
    const directory = await makeDirectory(t);
    await createSecretVolume(directory, (await makeMaterial()).files);
    const collector = await startOtlpReceiver(t);
    const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.origin, OTEL_SERVICE_NAME: 'shop' };
    const [traceId, spanId] = ['4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7'];
    for (const tracing of [false, true]) {
      await using paycert = await startPaycert([describeCredential(directory)], { environment, tracing });
      const current = paycert.current('wechat-main', { traceparent: `00-${traceId}-${spanId}-01` });
      await current.sign(Buffer.from('x'));
    }
    const [span, ...others] = collector.spans;
    assert.deepEqual([span?.name, span?.kind, span?.traceId, span?.parentSpanId], ['sign', 1, traceId, spanId]);
    assert.deepEqual([span?.resource['service.name'], span?.attributes['paycert.listener']], ['shop', 'library']);
    assert.deepEqual(others, []);
  });

  it('follows a rotation', async (t) => {
    const directory = await makeDirectory(t);
    const volume = await createSecretVolume(directory, (await makeMaterial()).files);
    const swapped = Promise.withResolvers<undefined>();
    const observe = (event: Event) => {
      if (event.type === 'swapped' && event.generation === 2) swapped.resolve(undefined);
    };
    await using paycert = await startPaycert([describeCredential(directory)], { observe });
    const next = await makeMaterial(1);
    await volume.write(next.files);
    await swapped.promise;
    assert.equal((await paycert.current('wechat-main').sign(Buffer.from('x'))).keyId, next.merchant.serialNumber);
  });

  it('asks a platform about orders, tells each as it is settled, and continues an earlier run', async (t) => {
    const directory = await makeDirectory(t);
    const material = await makeMaterial();
    await createSecretVolume(directory, material.files);
    await using platform = await startWechatpayGateway();
    platform.admit(material);
    await using paycert = await startPaycert([describeCredential(directory), { ...describeCredential(directory), name: 'bank', provider: { mtls: {} } }]); // prettier-ignore
    const told: string[] = [];
    const firstAt = new Map([['1002', new Date(0)]]);
    const results = await paycert.reconcile('wechat-main', ['1001', '1002'], {
      ...{ double: platform.url, afterMilliseconds: [0, 5], firstAt },
      settled: ({ order }) => void told.push(order),
    });
    const facts = results.map(({ order, state, isFinal, queries }) => [order, state, isFinal, queries]).sort();
    // What an earlier run has asked at all of its times is asked once more.
    assert.deepEqual(facts, [['1001', 'open', false, 2], ['1002', 'open', false, 1]]); // prettier-ignore
    assert.deepEqual(told.sort(), ['1001', '1002']);
    await assert.rejects(paycert.reconcile('bank', []), { code: 'operation-unsupported' });
    await assert.rejects(paycert.reconcile('nobody', []), { code: 'credential-unknown' });
  });

  it('refuses to start without valid material for a required credential, and says why', async (t) => {
    const directory = await makeDirectory(t);
    await mkdir(join(directory, 'unfit'));
    await writeFile(join(directory, 'unfit/apiv3_key'), 'short');
    for (const [path, code] of [
      ['missing', 'source-unreadable'],
      ['unfit', 'apiv3-key-length'],
    ] as const) {
      const start = startPaycert([describeCredential(join(directory, path), { required: true })]);
      await assert.rejects(start, (error) => {
        assert.ok(error instanceof PaycertError && error.cause instanceof PaycertError);
        assert.deepEqual([error.code, error.field, error.cause.code], ['credential-not-loaded', 'wechat-main', code]);
        return true;
      });
    }
  });

  it('starts without material for a credential that is not required, and says so when it is used', async (t) => {
    await using paycert = await startPaycert([describeCredential(join(await makeDirectory(t), 'missing'))]);
    assert.throws(() => paycert.current('wechat-main'), { code: 'credential-not-loaded' });
    assert.throws(() => paycert.current('nobody'), { code: 'credential-unknown' });
  });

  it('refuses a configuration that is not valid, before anything starts', async () => {
    const one = describeCredential('/nowhere');
    for (const credentials of [{}, [{ ...one, name: 'Bad Name' }], [one, one], [{ ...one, surprise: 1 }], undefined])
      await assert.rejects(startPaycert(credentials as never), { code: 'config-invalid' });
  });

  it('is not hurt by an observer that throws', async (t) => {
    const directory = await makeDirectory(t);
    await createSecretVolume(directory, (await makeMaterial()).files);
    const observe = () => {
      throw new Error('of the observer');
    };
    await using paycert = await startPaycert([describeCredential(directory)], { observe });
    await paycert.current('wechat-main').sign(Buffer.from('x'));
  });

  it('keeps what it was given: changing it afterwards changes nothing', async (t) => {
    const directory = await makeDirectory(t);
    await createSecretVolume(directory, (await makeMaterial()).files);
    const credentials = [describeCredential(directory)];
    await using paycert = await startPaycert(credentials);
    credentials.length = 0;
    assert.equal(paycert.entries().length, 1);
  });

  it('lets the process end after stop, also when it could not start', async (t) => {
    const directory = await makeDirectory(t);
    await createSecretVolume(join(directory, 'good'), (await makeMaterial()).files);
    const program = join(directory, 'program.ts');
    const credential = (name: string) => JSON.stringify(describeCredential(join(directory, name), { required: true }));
    await writeFile(
      program,
      `import { startPaycert } from ${JSON.stringify(file('../src/index.ts'))};
const paycert = await startPaycert([${credential('good')}]);
await paycert.stop();
await paycert.stop();
const code = await startPaycert([${credential('missing')}]).catch((error) => error.code);
console.log(code);`,
    );
    assert.deepEqual(await runProgram(program), { code: 0, stdout: 'credential-not-loaded\n', stderr: '' });
  });

  it('loads neither the log, the metrics nor the server when it is imported', async () => {
    const listing = `import { registerHooks } from 'node:module';
registerHooks({ load(url, context, next) { console.log(url); return next(url, context); } });
await import(${JSON.stringify(file('../src/index.ts'))});`;
    const { code, stdout } = await runProgram('--input-type=module', '--eval', listing);
    assert.equal(code, 0);
    assert.match(stdout, /src\/library\.ts/);
    assert.doesNotMatch(
      stdout,
      /node_modules\/(pino|prom-client|@kubernetes|node-forge)\/|src\/(server|telemetry|cli)\//,
    );
  });

  it('certifies a person at Alipay as its example says, and writes no personal data', async () => {
    const [name, number] = ['司马相如', '11010119900307001X'];
    const { code, stdout, stderr } = await runProgram(file('../examples/alipay-certify.ts'), name, number);
    assert.deepEqual([code, stderr], [0, '']);
    const lines = [
      'certifying 司*, 110***********001X',
      'her browser opens https://openapi.alipay.com, signed',
      'the page answers 302',
      'passed: true',
      'the gateway verified 3 requests and refused 0',
    ];
    assert.deepEqual(stdout.trimEnd().split('\n'), lines);
    assert.ok(!stdout.includes(name) && !stdout.includes(number));
  });

  it('does what its example says', async () => {
    const { code, stdout, stderr } = await runProgram(file('../examples/library.ts'));
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(
      stdout,
      /^current: generation 1, key \w+\nsigned: WECHATPAY2-SHA256-RSA2048 .*…\nnotification: TRANSACTION\.SUCCESS \{"out_trade_no":"1001","trade_state":"SUCCESS"\}\ncurrent: generation 2, key \w+\nsigns with the new key: true\n$/,
    );
  });
});
