// A real sidecar whose environment names a collector: spans of the local API and of the proxy, through a collector that is silent, to the end.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createSecretVolume } from '../../src/testing/secret-volume.ts';
import { startWechatpayGateway } from '../../src/testing/wechatpay-gateway.ts';
import { exchange } from '../support/http-client.ts';
import { startOtlpReceiver } from '../support/otlp-receiver.ts';
import { call, configuration, credential, makeDirectory, makeMaterial, startSidecar } from '../support/sidecar.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const parentId = '00f067aa0ba902b7';
const headers = { traceparent: `00-${traceId}-${parentId}-01` };
const authorize = '/v1/credentials/wechat-main/authorize';
const request = { method: 'GET', url: '/v3/certificates' };
const collectorToken = 'a-token-of-the-collector';

describe('a sidecar with a collector', { timeout: 900_000 }, () => {
  it('exports a span of each operation, call and attempt, and those of its last second before it ends', async (t) => {
    const directory = await makeDirectory(t);
    const [material, collector, platform] = [await makeMaterial(), await startOtlpReceiver(t), await startWechatpayGateway()]; // prettier-ignore
    t.after(() => platform.close());
    platform.admit(material);
    await createSecretVolume(join(directory, 'keys'), material.files);
    const proxy = `proxy: { listen: { socket: ${JSON.stringify(join(directory, 'proxy.sock'))} }, routes: [{ credential: wechat-main, double: "${platform.url}" }] }\n`;
    const config = configuration(directory, [credential({ path: join(directory, 'keys') })], proxy);
    const sidecar = await startSidecar(t, directory, config, {
      args: ['--drain', '0s'],
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.origin,
        OTEL_EXPORTER_OTLP_HEADERS: `Authorization=Bearer%20${collectorToken}`,
        OTEL_EXPORTER_OTLP_TIMEOUT: '5000',
        OTEL_SERVICE_NAME: 'shop-signer',
        OTEL_TRACES_SAMPLER: 'no-such-sampler',
      },
    });
    const post = (path: string, body: unknown) => call(sidecar.socket, path, { body, headers });
    const overProxy = () => exchange(join(directory, 'proxy.sock'), { path: '/wechat-main/v3/certificates', headers });

    await post(authorize, request);
    await post(`${authorize}/batch`, { items: [request, request] });
    await post('/v1/credentials/wechat-main/decrypt', {});
    assert.equal((await overProxy()).status, 200);
    await collector.until(({ spans }) => spans.length === 6);
    const named = (name: string) => collector.spans.filter((span) => span.name === name);
    const [alone, first, second, ...more] = named('authorize');
    assert.deepEqual([named('decrypt').length, named('GET /v3/certificates').length, more.length], [1, 2, 0]);
    for (const span of collector.spans) {
      assert.deepEqual([span.traceId, span.resource['service.name']], [traceId, 'shop-signer']);
      assert.ok(BigInt(span.endTimeUnixNano) >= BigInt(span.startTimeUnixNano));
    }
    for (const one of [alone, first, second]) assert.equal(one?.parentSpanId, parentId);
    assert.equal(new Set(collector.spans.map(({ spanId }) => spanId)).size, 6);
    assert.equal(alone?.attributes['paycert.listener'], 'socket');
    assert.equal(named('decrypt')[0]?.attributes['error.type'], 'caller-error');
    assert.equal(collector.requests[0]?.headers.authorization, `Bearer ${collectorToken}`);

    // It says nothing: callers notice nothing of it.
    const failed = sidecar.event('export-failed');
    collector.respond(() => undefined);
    for (let made = 0; made < 20; made += 1) assert.equal((await overProxy()).status, 200);
    assert.deepEqual([(await failed)['signal'], (await failed)['reason']], ['traces', 'no response within 5 s']);
    assert.equal((await post(authorize, request)).status, 200);
    const metrics = (await call(sidecar.admin, '/metrics')).content;
    assert.match(metrics, /^paycert_exported_total\{signal="traces"\} 6$/m);
    assert.match(metrics, /^paycert_export_failing\{signal="traces"\} 1$/m);

    const [before, recovered] = [new Set(collector.spans.map(({ spanId }) => spanId)).size, sidecar.event('export-recovered')]; // prettier-ignore
    collector.respond((response) => void response.end('{}'));
    await recovered;
    await post(authorize, request);
    sidecar.terminate();
    assert.equal(await sidecar.ended, 0);
    const all = new Set(collector.spans.map(({ spanId }) => spanId));
    assert.equal(all.size, 6 + 2 * 20 + 2, `${before} before`);
    assert.ok(sidecar.lines.some(({ event, variable }) => event === 'variable-ignored' && variable === 'OTEL_TRACES_SAMPLER')); // prettier-ignore
    assert.ok(!`${sidecar.stdout}${sidecar.stderr}${metrics}`.includes(collectorToken));
  });
});
