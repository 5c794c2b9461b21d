// What a PaymentCredential says beside its spec: since when it is suspended.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { suspendedSince } from '../../src/config/resource.ts';

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
