// Notifications in a trace: one span each, one below it for each delivery, and the application’s own below that.
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { samplerOf } from '../../../src/otlp/sampler.ts';
import { isFromTrusted } from '../../../src/server/notifications/source-address.ts';
import { makeNotification } from '../../../src/testing/index.ts';
import { beginTrace } from '../../../src/trace.ts';
import { makeMaterial, start } from '../../support/api-server.ts';
import { type NotifiedOptions, startNotified } from '../../support/notified.ts';
import { spansOf } from '../../support/spans.ts';

const material = await makeMaterial();
const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const spanId = '00f067aa0ba902b7';
const traceparent = `00-${traceId}-${spanId}-01`;

const tracing: NotifiedOptions['tracing'] = {
  traceOf: ({ headers }) =>
    beginTrace(
      headers,
      samplerOf({}, () => undefined),
    ),
  deliversTo: 'http://localhost/notified',
};

const [platformKey] = material.platformKeys;
const order = '1217752501201407033233368018';

function notification(id: string) {
  assert.ok(platformKey);
  const { headers, body } = makeNotification({ platformKey, apiV3Key: material.apiV3Key, id, resource: { out_trade_no: order }, now: start }); // prettier-ignore
  return { headers: { ...headers, traceparent, tracestate: 'shop=1', 'Request-Id': 'push-7' }, body, path: `/shop/paid/${order}` }; // prettier-ignore
}

const serve = (t: TestContext, more: NotifiedOptions = {}) =>
  startNotified(t, { files: material.files, now: start, tracing, ...more });

describe('a notification that is traced', () => {
  for (const deliver of ['opened', 'raw'] as const)
    it(`is a span of the trace of what stands before it, with its delivery below it (${deliver})`, async (t) => {
      const notified = await serve(t, { deliver });
      assert.equal((await notified.post(notification('1'))).status, 204);
      const [delivery, call, ...others] = spansOf(notified.events);
      assert.deepEqual(others, []);
      assert.deepEqual([call?.traceId, call?.parentSpanId, call?.kind, call?.name], [traceId, spanId, 2, 'POST /shop/paid/*']); // prettier-ignore
      assert.deepEqual(call?.attributes, {
        ...{ 'http.request.method': 'POST', 'url.path': '/shop/paid/*', 'http.response.status_code': 204 },
        ...{ 'paycert.credential': 'shop', 'paycert.operation': 'notification', 'paycert.outcome': 'accepted' },
        ...{ 'paycert.request_id': 'push-7', 'paycert.provider': 'wechatpay' },
      });
      assert.deepEqual([delivery?.traceId, delivery?.parentSpanId, delivery?.kind], [traceId, call.spanId, 3]);
      assert.deepEqual(delivery?.attributes, {
        ...{ 'http.request.method': 'POST', 'url.full': 'http://localhost/notified', 'url.template': '/notified' },
        ...{ 'server.address': 'localhost', 'server.port': 80, 'http.response.status_code': 200 },
        ...{ 'paycert.credential': 'shop', 'paycert.operation': 'delivery', 'paycert.outcome': 'accepted' },
        'paycert.provider': 'wechatpay',
      });
      const { headers } = await notified.application.number(1);
      assert.equal(headers['traceparent'], `00-${traceId}-${delivery.spanId}-01`);
      assert.equal(headers['tracestate'], 'shop=1');
      assert.ok(!JSON.stringify(spansOf(notified.events)).includes(order));
    });

  it('has no delivery where it came before, and one that failed where the application refuses', async (t) => {
    const notified = await serve(t);
    notified.application.status = 500;
    assert.equal((await notified.post(notification('1'))).status, 502);
    notified.application.status = 200;
    await notified.post(notification('1'));
    await notified.post(notification('1'));
    const named = (name: string) => spansOf(notified.events).filter((span) => span.name === name);
    assert.deepEqual(
      named('POST /notified').map(({ attributes, status }) => [attributes['error.type'], status.code]),
      [['500', 2], [undefined, undefined]], // prettier-ignore
    );
    assert.deepEqual(
      named('POST /shop/paid/*').map(({ attributes }) => attributes['paycert.outcome']),
      ['undelivered', 'accepted', 'repeated'],
    );
  });

  it('that is forged has a span that says so, and nothing below it', async (t) => {
    const notified = await serve(t);
    await notified.post({ ...notification('1'), body: Buffer.from('{"id":"1"}') });
    const [call, ...others] = spansOf(notified.events);
    assert.deepEqual([others, call?.attributes['error.type']], [[], 'signature-invalid']);
  });

  it('is none where the caller records none, and the application gets the headers that say so', async (t) => {
    const notified = await serve(t);
    const { headers, ...sent } = notification('1');
    await notified.post({ ...sent, headers: { ...headers, traceparent: `00-${traceId}-${spanId}-00` } });
    assert.deepEqual(spansOf(notified.events), []);
    assert.match(String((await notified.application.number(1)).headers['traceparent']), /-00$/);
  });
});

describe('what is trusted to name the trace of a notification', () => {
  const from = (remoteAddress: string) => ({ socket: { remoteAddress } }) as never;

  it('is a proxy that the configuration names, and nobody behind it', () => {
    const isTrusted = isFromTrusted(['10.0.0.0/8', 'fd00::1']);
    for (const address of ['10.1.2.3', '::ffff:10.1.2.3', 'fd00::1']) assert.ok(isTrusted(from(address)), address);
    for (const address of ['192.0.2.1', '::1', '']) assert.ok(!isTrusted(from(address)), address);
    assert.ok(!isFromTrusted([])(from('127.0.0.1')));
  });
});
