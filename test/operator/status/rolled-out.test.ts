// RolledOut as a function of what is stored and what Pods said: True needs each of them, and what is known of an older version decides nothing.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PaycertError } from '../../../src/errors.ts';
import type { Look } from '../../../src/operator/fleet/view.ts';
import type { Status } from '../../../src/operator/resource.ts';
import type { SecretEvaluation } from '../../../src/operator/status/evaluate.ts';
import { evaluateRollout } from '../../../src/operator/status/rolled-out.ts';

const now = new Date('2026-11-22T00:00:00Z');
const secretOf = (more: Partial<SecretEvaluation> = {}) =>
  ({
    secretResourceVersion: '7',
    snapshotId: 'x',
    keys: [{}],
    violations: [],
    deferredUntil: undefined,
    ...more,
  }) as SecretEvaluation;
const pod = (snapshotId?: string, more: object = {}) => ({
  ...{ pod: 'a', isReady: true, version: '1.0.0', unseen: undefined },
  sighting: snapshotId === undefined ? undefined : { name: 'shop', snapshotId, ...more },
});
const lookAt = (pods: Look['pods'], more: Partial<Look> = {}): Look => ({
  pods,
  isComplete: true,
  auditsCut: 0,
  trouble: undefined,
  ...more,
});
const spec = {} as never;
const rollout = (fleet: Look | 'standby', secret: SecretEvaluation | undefined = secretOf(), previous?: Status) =>
  evaluateRollout({ spec, secret, error: undefined, fleet }, previous, now);
const said = (fleet: Look | 'standby', secret?: SecretEvaluation, previous?: Status) => {
  const { status, reason } = rollout(fleet, secret, previous).outcomes['RolledOut']!;
  return `${status} ${reason}`;
};
const rejection = new PaycertError('key-mismatch', 'it does not fit');

const previously = (status: 'True' | 'False', version: string) =>
  ({
    observedSecretVersion: version,
    conditions: [{ type: 'RolledOut', status, reason: 'Before', message: 'as before' }],
    fleet: {
      current: 9,
      old: 0,
      deferred: 0,
      rejected: 0,
      unknown: 0,
      snapshotId: 'x',
      since: '2026-11-01T00:00:00.000Z',
    },
  }) as unknown as Status;

describe('RolledOut', () => {
  it('is True when every Pod has the stored snapshot', () => {
    assert.equal(said(lookAt([pod('x'), pod('x')])), 'True RolledOut');
  });

  it('is not True with one Pod that is old, rejects, waits or is unknown, or with none', () => {
    const rejects = pod('y', { rejection: 'key-mismatch' });
    const waits = pod('y', { deferredUntil: '2027-01-01T00:00:00.000Z' });
    assert.equal(said(lookAt([pod('x'), pod('y')])), 'False InProgress');
    assert.equal(said(lookAt([pod('x'), waits])), 'False InProgress');
    assert.equal(said(lookAt([pod('x'), rejects, pod()])), 'False PodsReject');
    assert.equal(said(lookAt([pod('x'), pod()])), 'Unknown PodsUnknown');
    assert.equal(said(lookAt([])), 'Unknown NoPods');
  });

  it('is not True while the next of two sets signs in some Pods, or some requests, only', () => {
    const fleet = lookAt([pod('x'), pod('x')]);
    const staged = (set: 'next' | 'current', percent: number, of?: 'requests') =>
      ({
        set,
        secret: 'next',
        activation: { percent, ...(of && { of }) },
        share: percent,
        evaluation: undefined,
        error: undefined,
      }) as const;
    const reasonWith = (...of: Parameters<typeof staged>) =>
      evaluateRollout({ spec, secret: secretOf(), error: undefined, fleet, staged: staged(...of) }, undefined, now)
        .outcomes['RolledOut']?.reason;
    assert.deepEqual([reasonWith('next', 50), reasonWith('next', 50, 'requests')], ['InSomePods', 'InSomeRequests']);
    assert.deepEqual([reasonWith('next', 0), reasonWith('current', 100)], ['RolledOut', 'RolledOut']);
  });

  it('is not True while Pods may be missing, or what is stored is rejected, deferred, suspended or not there', () => {
    const all = lookAt([pod('x')]);
    const trouble = new PaycertError('cluster-forbidden', 'list pods is forbidden');
    assert.equal(said({ ...all, trouble }), 'Unknown ClusterForbidden');
    assert.equal(said({ ...all, isComplete: false }), 'Unknown NotAsked');
    assert.equal(said(all, secretOf({ violations: [rejection] })), 'False StoredRejected');
    assert.equal(said(all, secretOf({ violations: [rejection], deferredUntil: now })), 'False Deferred');
    const suspended = evaluateRollout({ spec: { suspend: true } as never, secret: secretOf(), error: undefined, fleet: all }, undefined, now); // prettier-ignore
    assert.deepEqual([suspended.outcomes['RolledOut']?.reason, suspended.fleet], ['Suspended', undefined]);
    const missing = new PaycertError('object-missing', 'there is no Secret');
    const gone = evaluateRollout({ spec, secret: undefined, error: missing, fleet: all }, previously('True', '7'), now);
    assert.deepEqual([gone.outcomes['RolledOut']?.status, gone.fleet], ['Unknown', undefined]);
  });

  it('names no snapshot of what cannot be read, and counts who rejects it', () => {
    const unread = secretOf({ snapshotId: 'of nothing', keys: [], violations: [rejection] });
    const look = lookAt([pod('y'), pod('y', { rejection: 'key-mismatch' }), pod()]);
    const { fleet, outcomes } = rollout(look, unread);
    assert.equal(fleet && 'snapshotId' in fleet, false);
    assert.deepEqual([fleet?.old, fleet?.rejected, fleet?.unknown], [1, 1, 1]);
    assert.match(outcomes['RolledOut']?.message ?? '', /Pods that run: 3\. Others: 1 old, 1 rejected, 1 unknown\./);
    assert.doesNotMatch(outcomes['RolledOut']?.message ?? '', /of nothing/);
  });

  it('stays what it was for the same version until each Pod is asked again, and for no other version', () => {
    const unfinished = lookAt([pod('x'), pod()], { isComplete: false });
    for (const look of ['standby', unfinished] as const) {
      const kept = rollout(look, secretOf(), previously('True', '7'));
      assert.deepEqual([kept.outcomes['RolledOut']?.message, kept.fleet?.current], ['as before', 9]);
      assert.equal(said(look, secretOf(), previously('True', '6')), 'Unknown NotAsked');
    }
  });

  it('says since when, which does not move while it stays so', () => {
    const pods = lookAt([pod('x')]);
    assert.equal(rollout(pods, secretOf(), previously('True', '7')).fleet?.since, '2026-11-01T00:00:00.000Z');
    assert.equal(rollout(pods, secretOf(), previously('False', '7')).fleet?.since, now.toISOString());
    const message = rollout(pods, secretOf(), previously('True', '7')).outcomes['RolledOut']?.message;
    assert.match(message ?? '', /in all Pods that run \(1\), since 2026-11-01/);
  });

  it('is not there where nobody asks sidecars', () => {
    const none = evaluateRollout({ spec, secret: secretOf(), error: undefined }, previously('True', '7'), now);
    assert.deepEqual(none, { fleet: undefined, outcomes: {} });
  });
});
