// CanaryRejected as a function of what Pods said and of the activation: one Pod is enough, and another activation is another trial.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseSpec, withVerdict } from '../../../src/config/resource.ts';
import type { Status } from '../../../src/operator/resource.ts';
import type { Evaluation } from '../../../src/operator/status/conditions.ts';
import { canaryRejectedOf, evaluateCanary } from '../../../src/operator/status/canary.ts';

const now = new Date('2026-11-22T00:00:00Z');
const specOf = (activate: object) =>
  parseSpec({
    provider: { wechatpay: { merchantId: '1900000001' } },
    source: { staged: { current: { secret: { name: 'keys' } }, next: { secret: { name: 'next' } }, activate } },
  });
const sightingOf = (canaryRejected?: string) => ({ name: 'shop', ...(canaryRejected !== undefined && { canaryRejected }) }); // prettier-ignore
const fleetOf = (...rejected: (string | undefined)[]) => ({
  pods: rejected.map((one) => ({
    pod: 'a',
    isReady: true,
    version: '1',
    unseen: undefined,
    sighting: sightingOf(one),
  })),
  isComplete: false,
  auditsCut: 0,
  trouble: undefined,
});

const evaluationOf = (activate: object, fleet: Evaluation['fleet'], snapshotId: string | undefined = 'n') =>
  ({
    ...{ spec: specOf(activate), secret: undefined, error: undefined, fleet },
    staged: { set: 'next', secret: 'next', activation: { percent: 5 }, evaluation: { snapshotId }, error: undefined },
  }) as unknown as Evaluation;

const statusOf = (canaryRejected: Status['canaryRejected']) =>
  ({ canaryRejected, conditions: [] }) as unknown as Status;
const rejected = canaryRejectedOf(evaluationOf({ percent: 5 }, fleetOf(undefined, 'n')), undefined, now);

describe('a next set that its platform refuses', () => {
  it('is rejected by one Pod that says so of this very set, and by nothing else', () => {
    assert.deepEqual(rejected, {
      snapshotId: 'n',
      secret: 'next',
      activation: '{"percent":5}',
      time: now.toISOString(),
    });
    for (const fleet of [fleetOf(undefined), fleetOf('another'), 'standby', undefined] as const)
      assert.equal(canaryRejectedOf(evaluationOf({ percent: 5 }, fleet), undefined, now), undefined);
    assert.deepEqual(evaluateCanary(undefined), {});
    assert.match(evaluateCanary(rejected)['CanaryRejected']?.message ?? '', /refuses signatures of Secret "next"/);
  });

  it('stays rejected when Pods say no more, also to another replica, until the set or the activation is another', () => {
    const after = (evaluation: Evaluation) => canaryRejectedOf(evaluation, statusOf(rejected), new Date());
    assert.deepEqual(after(evaluationOf({ percent: 5 }, fleetOf(undefined))), rejected);
    assert.deepEqual(after(evaluationOf({ percent: 5 }, 'standby')), rejected);
    assert.equal(after(evaluationOf({ percent: 5 }, fleetOf(undefined), 'repaired')), undefined);
    for (const percent of [0, 25, 100]) assert.equal(after(evaluationOf({ percent }, fleetOf(undefined))), undefined);
  });

  it('signs nowhere by the spec that is followed, which stays as its owner wrote it', () => {
    const spec = specOf({ percent: 5 });
    const followed = withVerdict(spec, statusOf(rejected));
    assert.deepEqual(followed.source.staged?.activate, { percent: 0 });
    assert.deepEqual(spec.source.staged?.activate, { percent: 5 });
    for (const status of [undefined, statusOf(undefined), { canaryRejected: { activation: '{"percent":6}' } }])
      assert.equal(withVerdict(spec, status), spec);
    const ofRequests = specOf({ percent: 5, of: 'requests' });
    assert.equal(withVerdict(ofRequests, statusOf(rejected)), ofRequests, 'another activation');
    const plain = parseSpec({ provider: spec.provider, source: { secret: { name: 'keys' } } });
    assert.equal(withVerdict(plain, statusOf(rejected)), plain);
  });
});
