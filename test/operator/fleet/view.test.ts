// Which Pods count for which PaymentCredential, and as what: only what a Pod itself said since the Secret changed makes it current.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { FleetPod } from '../../../src/operator/fleet/pod.ts';
import { keepKnown, type Seen, viewOf as viewSince } from '../../../src/operator/fleet/sightings.ts';
import { dueNow, longestPause, pauseAtRest, pauseWhile, shortestPause } from '../../../src/operator/fleet/turns.ts';
import { countPods, podStates, stateOf } from '../../../src/operator/fleet/view.ts';

const [early, late] = [Date.parse('2026-11-22T00:00:00Z'), Date.parse('2026-11-22T00:01:00Z')];
const pod: FleetPod = {
  ...{ namespace: 'pay', name: 'shop-1', uid: 'u', address: { host: '10.0.0.7', port: 9464 } },
  ...{ declared: [], isComplete: false, isRunning: true, isReady: true, isOver: false },
};
const said = (credentials: readonly object[], askedAt = late): Seen => ({
  ...{
    askedAt,
    unseen: undefined,
    had: { at: askedAt, names: credentials.map((one) => (one as { name: string }).name) },
  },
  sighting: { version: '1.0.0', credentials: credentials as never },
});
const silent = (names?: readonly string[], at = late): Seen => ({
  askedAt: late,
  sighting: undefined,
  unseen: 'it is silent',
  had: names && { at, names },
});

const viewOf = (one: FleetPod, seen: Seen | undefined, name: string, since: number, knownSince = early) =>
  viewSince(one, seen, name, { since, knownSince });

describe('a Pod', () => {
  it('that answered before a PaymentCredential was known may have it, and is unknown until it is asked again', () => {
    const view = viewOf(pod, said([], early), 'a', late, late);
    assert.equal(view?.sighting, undefined);
    assert.match(view?.unseen ?? '', /has not been asked/);
    assert.equal(viewOf(pod, said([], late), 'a', late, late), undefined);
    assert.equal(viewOf(pod, silent([], early), 'a', late, late)?.unseen, 'it is silent');
    assert.equal(viewOf(pod, silent([], late), 'a', late, late), undefined);
  });

  it('that has a credential counts for the PaymentCredential of that name, and for no other', () => {
    const seen = said([{ name: 'a', snapshotId: 'x' }]);
    assert.equal(viewOf(pod, seen, 'a', early)?.sighting?.snapshotId, 'x');
    assert.equal(viewOf(pod, seen, 'b', early), undefined);
  });

  it('that never answered and lists nothing may have any of them, and is unknown for each', () => {
    for (const seen of [undefined, silent()]) assert.equal(viewOf(pod, seen, 'a', early)?.sighting, undefined);
  });

  it('that does not answer is unknown for what it lists, or had when it answered last', () => {
    const lists = { ...pod, declared: ['a'], isComplete: true };
    assert.equal(viewOf(lists, silent(), 'a', early)?.unseen, 'it is silent');
    assert.equal(viewOf(lists, silent(), 'b', early), undefined);
    assert.equal(viewOf(pod, silent(['b']), 'b', early)?.unseen, 'it is silent');
    assert.equal(viewOf(pod, silent(['b']), 'a', early), undefined);
  });

  it('that lists a credential and does not have it is unknown', () => {
    const view = viewOf({ ...pod, declared: ['b'] }, said([{ name: 'a' }]), 'b', early);
    assert.match(view?.unseen ?? '', /no such credential/);
  });

  it('counts no more when it is over, and not yet while nothing in it has started and it does not answer', () => {
    assert.equal(viewOf({ ...pod, isOver: true }, said([{ name: 'a' }]), 'a', early), undefined);
    assert.equal(viewOf({ ...pod, isRunning: false }, silent(), 'a', early), undefined);
    assert.ok(viewOf({ ...pod, isRunning: false }, said([{ name: 'a' }]), 'a', early));
  });

  it('is unknown for what it said before the Secret changed', () => {
    const view = viewOf(pod, said([{ name: 'a', snapshotId: 'x' }], early), 'a', late);
    assert.deepEqual([view?.sighting, stateOf(view!, 'x')], [undefined, 'unknown']);
  });
});

describe('keepKnown', () => {
  it('names a credential by the resource that it follows, and drops what follows one of another namespace', () => {
    const credentials = [
      { name: 'shop', resource: 'a', snapshotId: 'x' },
      { name: 'b', resource: 'b', namespace: 'other' },
      { name: 'c', resource: 'c', namespace: 'pay' },
      { name: 'unheard-of' },
    ];
    const kept = keepKnown(pod, { version: '1', credentials }, (name) => ['a', 'b', 'c'].includes(name));
    assert.deepEqual(kept.credentials.map(({ name }) => name), ['a', 'c']); // prettier-ignore
  });
});

describe('a state', () => {
  it('is current for the stored snapshot alone; else what the sidecar says of the newest material', () => {
    const states = [
      { snapshotId: 'x' },
      { snapshotId: 'y' },
      { snapshotId: 'y', deferredUntil: '2027-01-01T00:00:00.000Z' },
      { snapshotId: 'y', rejection: 'key-mismatch' },
      { snapshotId: 'x', rejection: 'key-mismatch' },
      {},
    ].map((one) => stateOf({ sighting: { name: 'a', ...one } }, 'x'));
    assert.deepEqual(states, ['current', 'old', 'deferred', 'rejected', 'current', 'unknown']);
    assert.equal(stateOf({ sighting: { name: 'a', snapshotId: 'x' } }, undefined), 'unknown');
  });

  it('of every Pod is counted once, and current only where the Pod said so itself, fresh', () => {
    const text = fc.constantFrom('x', 'y', undefined);
    const seen = fc.option(fc.record({ snapshotId: text, isFresh: fc.boolean(), answers: fc.boolean() }), {
      nil: undefined,
    });
    fc.assert(
      fc.property(fc.array(seen, { maxLength: 20 }), (all) => {
        const views = all.map((one) => {
          if (one === undefined) return viewOf(pod, undefined, 'a', late)!;
          const { snapshotId, isFresh, answers } = one;
          if (!answers) return viewOf(pod, silent(['a']), 'a', late)!;
          return viewOf(
            pod,
            said([{ name: 'a', ...(snapshotId && { snapshotId }) }], isFresh ? late : early),
            'a',
            late,
          )!;
        });
        const { counts } = countPods(views, 'x');
        assert.equal(podStates.reduce((sum, state) => sum + counts[state], 0), all.length); // prettier-ignore
        const expected = all.filter((one) => one?.snapshotId === 'x' && one.isFresh && one.answers).length;
        assert.equal(counts.current, expected);
      }),
    );
  });
});

describe('the key that is longest in use', () => {
  it('is that of the Pod without the stored snapshot that has had its own for longest', () => {
    const view = (snapshotId: string, keyId: string, loadedAt: string) =>
      viewOf(pod, said([{ name: 'a', snapshotId, keyId, loadedAt }]), 'a', early)!;
    const views = [
      view('x', 'new', '2020-01-01T00:00:00.000Z'),
      view('y', 'old', '2026-01-02T00:00:00.000Z'),
      view('z', 'older', '2026-01-01T00:00:00Z'),
      view('z', 'never', 'yesterday'),
    ];
    assert.deepEqual(countPods(views, 'x').oldest, { keyId: 'older', since: '2026-01-01T00:00:00.000Z' });
    assert.equal(countPods(views.slice(0, 1), 'x').oldest, undefined);
  });
});

describe('turns', () => {
  it('come often after a change, less and less often while it is not everywhere, and seldom at rest', () => {
    assert.deepEqual([0, 60_000, 600_000, 86_400_000].map(pauseWhile), [shortestPause, 6000, 60_000, longestPause]);
    for (const random of [0, 0.5, 1]) assert.ok(pauseAtRest(random) <= longestPause && pauseAtRest(random) >= 240_000);
  });

  it('go to those that answer before those that did not last time, and to so many at most', () => {
    const turn = (nextAt: number, isFailing = false) => ({ nextAt, isFailing });
    const all = [turn(1, true), turn(5), turn(2), turn(11), turn(0, true)];
    assert.deepEqual(dueNow(all, 10, 3).map(({ nextAt }) => nextAt), [2, 5, 0]); // prettier-ignore
  });
});
