// Fairness between namespaces: nobody waits behind all that another tenant has added.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { FairSet } from '../../src/operator/fair-set.ts';
import { ResourceKey } from '../../src/operator/resource-key.ts';

const key = (namespace: string, name: string) => new ResourceKey('Secret', namespace, name);

describe('keys of several namespaces', () => {
  it('are taken in rotation: the one key of a tenant comes second, however many another has', () => {
    const set = new FairSet();
    for (let i = 0; i < 1000; i += 1) set.add(key('loud', String(i)));
    set.add(key('quiet', 'one'));
    assert.equal(set.take(6)?.namespace, 'loud');
    assert.equal(set.take(6)?.namespace, 'quiet');
    assert.equal(set.size, 999);
  });

  it('leave places free: of one namespace no more than so many are out at once', () => {
    const set = new FairSet();
    for (let i = 0; i < 10; i += 1) set.add(key('loud', String(i)));
    const taken = [set.take(2), set.take(2)];
    assert.equal(set.take(2), undefined);
    set.add(key('quiet', 'one'));
    assert.equal(set.take(2)?.namespace, 'quiet');
    set.giveBack(taken[0]!);
    assert.equal(set.take(2)?.namespace, 'loud');
  });

  it('are each taken once, none is lost, and none waits for more turns than there are namespaces', () => {
    const names = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('1', '2', '3', '4')));
    fc.assert(
      fc.property(names, (added) => {
        const set = new FairSet();
        for (const [namespace, name] of added) set.add(key(namespace, name));
        const distinct = new Set(added.map(([namespace, name]) => `Secret/${namespace}/${name}`));
        assert.equal(set.size, distinct.size);
        const taken: ResourceKey[] = [];
        for (let next = set.take(100); next !== undefined; next = set.take(100)) taken.push(next);
        assert.deepEqual(new Set(taken.map(String)), distinct);
        const count = new Set(taken.map(({ namespace }) => namespace)).size;
        assert.equal(new Set(taken.slice(0, count).map(({ namespace }) => namespace)).size, count);
      }),
    );
  });
});
