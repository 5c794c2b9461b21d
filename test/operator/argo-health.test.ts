// The health script for Argo CD in docs/operator.md, run in Lua on statuses that the operator writes.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PaycertError } from '../../src/errors.ts';
import type { SecretEvaluation } from '../../src/operator/status/evaluate.ts';
import type { Evaluation } from '../../src/operator/status/conditions.ts';
import { type PaymentCredential, unwrittenStatus } from '../../src/operator/resource.ts';
import { statusOf } from '../../src/operator/status/status.ts';
import { healthOf } from '../support/argo-health.ts';

const spec = { provider: { wechatpay: { merchantId: '1900000001' } }, source: { secret: { name: 'keys' } } };
const secret: SecretEvaluation = { secretResourceVersion: '5', revision: '5', snapshotId: 'a', keys: [], formerFingerprints: new Map(), signer: undefined, capabilities: ['sign'], abilities: { can: ['sign'] }, trust: [], violations: [], createdAt: undefined, deferredUntil: undefined, usableUntil: undefined, until: undefined }; // prettier-ignore
const resource: PaymentCredential = { kind: 'PaymentCredential', namespace: 'pay', name: 'w', uid: 'u', resourceVersion: '1', generation: 1, spec, status: undefined }; // prettier-ignore
const health = async (evaluation: Partial<Evaluation>, generation = 1) => {
  const status = statusOf(
    resource,
    { spec, secret, error: undefined, ...evaluation },
    new Date('2026-03-01T00:00:00Z'),
  );
  return healthOf({ metadata: { generation }, spec, status });
};

describe('the health script for Argo CD', () => {
  it('finds healthy what is ready, also while a warning is True', async () => {
    assert.equal((await health({})).status, 'Healthy');
    assert.equal((await health({ copiedIn: { secret: 'keys', annotations: ['a/b'] } })).status, 'Healthy');
  });

  it('finds degraded what is rejected, and says why', async () => {
    const { status, message } = await health({ secret: { ...secret, violations: [new PaycertError('key-mismatch', 'key and certificate differ')] } }); // prettier-ignore
    assert.deepEqual([status, /key and certificate differ/.test(message)], ['Degraded', true]);
    assert.equal((await health({ secret: { ...secret, capabilities: [] } })).status, 'Degraded');
  });

  it('finds suspended what somebody has suspended', async () => {
    assert.equal((await health({ spec: { ...spec, suspend: true } })).status, 'Suspended');
  });

  it('finds progressing what is missing, and what no operator has looked at, or not since the last change', async () => {
    const missing = await health({ secret: undefined, error: new PaycertError('object-missing', 'no Secret') });
    assert.deepEqual([missing.status, /no Secret/.test(missing.message)], ['Progressing', true]);
    assert.equal((await health({}, 2)).status, 'Progressing');
    for (const status of [undefined, unwrittenStatus])
      assert.equal((await healthOf({ metadata: { generation: 1 }, spec, status })).status, 'Progressing');
  });
});
