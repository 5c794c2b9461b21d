// Calls of the proxy in a trace: one span each, one below it for each attempt, and nothing of it for a platform that is not meant to get it.
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { samplerOf } from '../../../src/otlp/sampler.ts';
import { startWechatpayGateway } from '../../../src/testing/wechatpay-gateway.ts';
import { beginTrace } from '../../../src/trace.ts';
import { makeMaterial, start } from '../../support/api-server.ts';
import { startProxied } from '../../support/proxied.ts';
import { startRawPlatform } from '../../support/raw-platform.ts';
import { spansOf } from '../../support/spans.ts';

const material = await makeMaterial();
const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const spanId = '00f067aa0ba902b7';
const traceparent = `00-${traceId}-${spanId}-01`;
const order = '1217752501201407033233368018';

const traceOf: Parameters<typeof startProxied>[1]['traceOf'] = (headers) => beginTrace(headers, samplerOf({}, () => undefined)); // prettier-ignore

async function serve(t: TestContext, passesTraceOn = false) {
  const platform = await startWechatpayGateway({ now: () => start });
  t.after(() => platform.close());
  platform.admit(material);
  const proxied = await startProxied(t, { material, double: platform.url, traceOf, passesTraceOn });
  return { proxied, platform, spans: () => spansOf(proxied.events) };
}

async function serveRaw(t: TestContext, options: Partial<Parameters<typeof startProxied>[1]> = {}) {
  const platform = await startRawPlatform(t);
  const proxied = await startProxied(t, { material, double: platform.origin, ...options });
  return { proxied, platform, spans: () => spansOf(proxied.events) };
}

const refusal = (status: string) => `HTTP/1.1 ${status}\r\nContent-Length: 2\r\n\r\n{}`;

describe('a call of the proxy that is traced', () => {
  it('is a span of its application’s trace, with its attempt below it', async (t) => {
    const { proxied, platform, spans } = await serve(t);
    const path = '/v3/certificates';
    const { status } = await proxied.call({ path: `/shop${path}`, headers: { traceparent, 'Request-Id': 'order-7' } });
    const [attempt, call, ...others] = spans();
    assert.deepEqual([status, others], [200, []]);
    assert.deepEqual([call?.traceId, call?.parentSpanId, call?.kind, call?.name], [traceId, spanId, 2, `GET ${path}`]);
    assert.deepEqual(call?.attributes, {
      ...{ 'http.request.method': 'GET', 'url.path': path, 'http.response.status_code': 200 },
      ...{ 'paycert.credential': 'shop', 'paycert.operation': 'forward', 'paycert.outcome': 'ok' },
      ...{
        'paycert.verified': 'yes',
        'paycert.attempts': 1,
        'paycert.request_id': 'order-7',
        'paycert.provider': 'wechatpay',
      },
    });
    assert.deepEqual([attempt?.traceId, attempt?.parentSpanId, attempt?.kind], [traceId, call.spanId, 3]);
    const { host, hostname, port } = new URL(platform.url);
    assert.deepEqual(attempt?.attributes, {
      ...{ 'http.request.method': 'GET', 'url.full': `http://${host}${path}`, 'url.template': path },
      ...{ 'server.address': hostname, 'server.port': Number(port), 'network.protocol.version': '1.1' },
      ...{ 'http.response.status_code': 200, 'paycert.credential': 'shop', 'paycert.provider': 'wechatpay' },
      ...{ 'paycert.key_id': material.merchant.serialNumber, 'paycert.generation': 1 },
    });
    assert.deepEqual([call.status, attempt.status], [{}, {}]);
  });

  it('has a span for each attempt, as siblings, which say how often it was tried before and how it ended', async (t) => {
    const { proxied, platform, spans } = await serveRaw(t, { traceOf });
    platform.respond(refusal('503 Busy'), '', refusal('404 Not Found'));
    const { status } = await proxied.call({ path: `/shop/v3/pay/transactions/out-trade-no/${order}?mchid=1900000001` });
    const [first, second, third, call] = spans();
    assert.equal(status, 404);
    assert.deepEqual(
      [first, second, third].map((one) => [
        one?.attributes['http.request.resend_count'],
        one?.attributes['error.type'],
        one?.status,
      ]),
      [
        [undefined, '503', { code: 2 }],
        [1, 'interrupted', { code: 2 }],
        [2, '404', { code: 2 }],
      ],
    );
    assert.equal(new Set(spans().map((one) => one.spanId)).size, 4);
    for (const one of [first, second, third]) assert.equal(one?.parentSpanId, call?.spanId);
    assert.deepEqual(
      [call?.attributes['paycert.attempts'], call?.attributes['error.type'], call?.status],
      [3, '404', {}],
    );
  });

  it('names no order, no merchant and no query', async (t) => {
    const { proxied, platform, spans } = await serveRaw(t, { traceOf });
    platform.respond(refusal('404 Not Found'));
    await proxied.call({ path: `/shop/v3/pay/transactions/out-trade-no/${order}?mchid=1900000001` });
    const template = '/v3/pay/transactions/out-trade-no/*';
    assert.deepEqual(
      spans().map(({ name }) => name),
      [`GET ${template}`, `GET ${template}`],
    );
    const text = JSON.stringify(spans());
    for (const hidden of [order, '1900000001', 'mchid']) assert.ok(!text.includes(hidden), hidden);
  });

  it('that fails here is an error of the span, by its code', async (t) => {
    const { proxied, platform, spans } = await serveRaw(t, { traceOf });
    platform.respond('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}');
    const { status } = await proxied.call({ method: 'POST', path: '/shop/v3/pay/transactions/jsapi', body: '{}' });
    const call = spans().at(-1);
    assert.deepEqual([status, call?.attributes['error.type'], call?.status], [502, 'response-unverified', { code: 2 }]);
    assert.equal(call?.attributes['paycert.outcome'], 'unknown');
  });

  it('begins a trace where its application sends none, or one that is malformed', async (t) => {
    const { proxied, spans } = await serve(t);
    for (const headers of [{}, { traceparent: `00-${traceId}-${spanId}` }]) {
      const from = spans().length;
      await proxied.call({ path: '/shop/v3/certificates', headers });
      const [attempt, call] = spans().slice(from);
      assert.deepEqual([call?.parentSpanId, attempt?.parentSpanId], [undefined, call?.spanId]);
      assert.notEqual(call?.traceId, traceId);
    }
  });

  it('is no span where its application does not record, and its platform gets nothing of it', async (t) => {
    const { proxied, platform, spans } = await serveRaw(t, { traceOf });
    platform.respond(refusal('404 Not Found'));
    const headers = { traceparent: `00-${traceId}-${spanId}-00`, tracestate: 'a=1', baggage: 'user=1' };
    await proxied.call({ path: '/shop/v3/certificates', headers });
    assert.deepEqual(spans(), []);
    for (const name of ['traceparent', 'tracestate', 'baggage'])
      assert.ok(!(name in (platform.requests[0]?.headers ?? {})));
  });
});

describe('a platform that may have the trace', () => {
  const sent = { traceparent, tracestate: 'vendor=1' };

  it('gets the span of the attempt as its parent, and the state as it came', async (t) => {
    const { proxied, platform, spans } = await serveRaw(t, { traceOf, passesTraceOn: true });
    platform.respond(refusal('404 Not Found'));
    await proxied.call({ path: '/shop/v3/certificates', headers: sent });
    const [attempt] = spans();
    const { headers } = platform.requests[0]!;
    assert.deepEqual(
      [headers['traceparent'], headers['tracestate']],
      [`00-${traceId}-${attempt?.spanId}-01`, 'vendor=1'],
    );
    assert.equal(attempt?.traceState, 'vendor=1');
  });

  it('gets what the application sent where nothing is traced here, and nothing that is malformed', async (t) => {
    const { proxied, platform } = await serveRaw(t, { passesTraceOn: true });
    platform.respond(refusal('404 Not Found'));
    await proxied.call({ path: '/shop/v3/certificates', headers: sent });
    await proxied.call({ path: '/shop/v3/certificates', headers: { ...sent, traceparent: 'x' } });
    const [first, second] = platform.requests.map(({ headers }) => [headers['traceparent'], headers['tracestate']]);
    assert.deepEqual(
      [first, second],
      [
        [traceparent, 'vendor=1'],
        [undefined, undefined],
      ],
    );
  });

  it('still gets exactly what was signed', async (t) => {
    const { proxied } = await serve(t, true);
    assert.equal((await proxied.call({ path: '/shop/v3/certificates', headers: sent })).status, 200);
  });
});
