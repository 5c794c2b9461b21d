// What a pipeline may conclude from a status: nothing from one about an older Secret or an older spec.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PaymentCredential, Status } from '../../../src/operator/resource.ts';
import { gateOf } from '../../../src/operator/status/gate.ts';

const resource = (over: Partial<Status>, reason = 'Ready', generation = 1): PaymentCredential => {
  const status = reason === 'Ready' ? 'True' : reason === 'ClusterForbidden' ? 'Unknown' : 'False';
  const ready = { type: 'Ready', status, reason, message: `text of ${reason}`, lastTransitionTime: '2026-03-01T00:00:00.000Z', observedGeneration: 1 } as const; // prettier-ignore
  return { kind: 'PaymentCredential', namespace: 'pay', name: 'w', uid: 'u', resourceVersion: '1', generation, spec: {}, status: { observedGeneration: 1, conditions: [ready], ...over } }; // prettier-ignore
};
const isOpen = (over: Partial<Status>, version: string, ...more: [reason?: string, generation?: number]) =>
  gateOf(resource(over, ...more), version).isOpen;

describe('the gate', () => {
  it('opens for the version that was asked about, and for a later one', () => {
    for (const seen of ['99', '100', '1000']) assert.equal(isOpen({ observedSecretVersion: seen }, '99'), true, seen);
  });

  it('stays shut for an earlier version, however ready or rejected that is', () => {
    for (const seen of ['98', '9'])
      for (const reason of ['Ready', 'KeyMismatch'])
        assert.equal(isOpen({ observedSecretVersion: seen }, '99', reason), false);
  });

  it('stays shut while there is no status, no Secret, or a status about an older spec', () => {
    assert.equal(gateOf({ ...resource({}), status: undefined }, '99').isOpen, false);
    for (const reason of ['SecretMissing', 'ClusterForbidden']) assert.equal(isOpen({}, '99', reason), false);
    assert.equal(isOpen({ observedSecretVersion: '99' }, '99', 'KeyMismatch', 2), false);
  });

  it('opens for what is deferred while what was accepted lasts, and waits where nothing does', () => {
    for (const isBridged of [true, false]) {
      const deferred = { snapshotId: 'a', secretResourceVersion: '99', until: '2026-04-01T00:00:00.000Z', time: '2026-03-01T00:00:00.000Z', reason: 'CertificateNotYetValid', isBridged }; // prettier-ignore
      assert.equal(isOpen({ observedSecretVersion: '99', deferred }, '99', 'Deferred'), isBridged);
    }
  });

  it('fails at once when that version or a later one is not ready, and says why', () => {
    for (const [seen, reason] of [
      ['99', 'KeyMismatch'],
      ['100', 'RequirementUnmet'],
      ['100', 'Suspended'],
    ] as const)
      assert.throws(() => isOpen({ observedSecretVersion: seen }, '99', reason), {
        code: 'credential-rejected',
        message: `w is not ready with version ${seen} of the Secret: ${reason}: text of ${reason}`,
      });
  });

  it('sends no control characters to a terminal', () => {
    const { says } = gateOf(resource({ observedSecretVersion: '1' }, 'A\u001b[2J'), '99');
    assert.doesNotMatch(says, /\p{Cc}/u);
  });
});
