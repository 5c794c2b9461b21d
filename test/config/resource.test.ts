// What a PaymentCredential says beside its spec, and what an entry that names one says beside it.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { credentialOf, suspendedSince } from '../../src/config/resource.ts';

const write = (time: string, spec: object) => ({ time, fieldsV1: { 'f:spec': spec } });
const metadata = {
  name: 'wechat-main',
  creationTimestamp: '2026-01-01T00:00:00Z',
  managedFields: [
    write('2026-03-03T00:00:00Z', { 'f:provider': {} }),
    write('2026-02-02T00:00:00Z', { 'f:suspend': {} }),
    { time: '2026-04-04T00:00:00Z', subresource: 'status', fieldsV1: { 'f:status': {} } },
  ],
};

describe('a PaymentCredential', () => {
  it('is suspended since its suspension was written, whatever is written beside it', () => {
    assert.deepEqual(suspendedSince({ spec: { suspend: true }, metadata }), new Date('2026-02-02T00:00:00Z'));
  });

  it('is suspended since it was made when nobody owns its suspension', () => {
    const { managedFields: _, ...made } = metadata;
    assert.deepEqual(suspendedSince({ spec: { suspend: true }, metadata: made }), new Date('2026-01-01T00:00:00Z'));
  });

  it('that is not suspended says nothing of it', () => {
    for (const spec of [undefined, {}, { suspend: false }, { suspend: 'yes' }])
      assert.equal(suspendedSince({ spec, metadata }), undefined);
  });
});

describe('an entry that names a PaymentCredential', () => {
  const spec = { provider: { wechatpay: { merchantId: '1900000001' } }, source: { secret: { name: 'wechat' } } };

  it('is the credential of the resource, under its name, where nothing else is said', () => {
    assert.deepEqual(credentialOf({ resource: 'wechat-main' }, spec), { name: 'wechat-main', ...spec });
  });

  it('says what concerns this process alone: its name, readiness, downloads and checks', () => {
    const own = { required: true, platformCertificates: 'download', check: { otherwise: 'reject' } } as const;
    const entry = { resource: 'wechat-main', name: 'shop', namespace: 'pay', ...own };
    const source = { secret: { name: 'wechat', namespace: 'pay' } };
    assert.deepEqual(credentialOf(entry, spec), { name: 'shop', provider: spec.provider, source, ...own });
  });
});
