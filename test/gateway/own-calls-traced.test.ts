// Calls that paycert makes by itself, in a trace: one span each, one below it for each attempt.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OwnCalls } from '../../src/gateway/own-calls.ts';
import { samplerOf } from '../../src/otlp/sampler.ts';
import { certificateList } from '../../src/providers/wechatpay/certificate-list.ts';
import { wechatpay } from '../../src/providers/wechatpay/provider.ts';
import { Limiter } from '../../src/store/limiter.ts';
import { startWechatpayGateway } from '../../src/testing/index.ts';
import { beginTrace } from '../../src/trace.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { Recorder } from '../support/recorder.ts';
import { spansOf } from '../support/spans.ts';
import { makeMaterial, merchantId, now } from '../support/wechatpay.ts';

describe('a call that paycert makes by itself and that is traced', () => {
  it('begins a trace, with each attempt below it and what it is for', async (t) => {
    const [material, recorder, clock] = [await makeMaterial(), new Recorder(), new FakeClock(now)];
    const platform = await startWechatpayGateway({ now: () => now });
    platform.admit(material);
    const { operations } = await wechatpay({ merchantId }).load(material.files);
    const { authorize } = operations;
    assert.ok(authorize);
    const calls = new OwnCalls({
      ...{ clock, observe: recorder.observe, limiter: new Limiter(8), milliseconds: () => clock.now().getTime() },
      traceOf: () =>
        beginTrace(
          {},
          samplerOf({}, () => undefined),
        ),
    });
    t.after(() => Promise.all([calls.close(), platform.close()]));
    const origin = 'https://api.mch.weixin.qq.com';
    const destinations = ['http://127.0.0.1:1', platform.url].map((address) => ({ origin, address }));
    const call = { credential: 'shop', operation: 'list-certificates', request: certificateList.request, authorize };
    const { status } = await calls.send({ ...call, destinations }, new AbortController().signal);
    assert.equal(status, 200);
    const [refused, answered, own, ...others] = spansOf(recorder.events);
    assert.deepEqual(others, []);
    assert.deepEqual([own?.name, own?.kind, own?.parentSpanId], ['list-certificates', 1, undefined]);
    assert.deepEqual([own?.attributes['paycert.outcome'], own?.attributes['paycert.attempts']], ['ok', 2]);
    for (const attempt of [refused, answered]) {
      assert.deepEqual([attempt?.traceId, attempt?.parentSpanId, attempt?.kind], [own?.traceId, own?.spanId, 3]);
      assert.deepEqual(
        [attempt?.name, attempt?.attributes['paycert.operation']],
        ['GET /v3/certificates', 'list-certificates'],
      );
    }
    assert.equal(refused?.attributes['error.type'], 'not-sent');
    assert.equal(answered?.attributes['http.request.resend_count'], 1);

    await assert.rejects(calls.send({ ...call, destinations: destinations.slice(0, 1) }, new AbortController().signal));
    const failed = spansOf(recorder.events).at(-1);
    assert.deepEqual([failed?.attributes['error.type'], failed?.status.code], ['gateway-error', 2]);
  });
});
