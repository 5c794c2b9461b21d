// Material that changes in nothing that is used: no generation, and the status knows the newest version all the same.
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { withIgnored } from '../../src/providers/shared/ignored.ts';
import { describeCredential } from '../../src/server/credential-status.ts';
import { material, type Staged } from '../../src/sources/source.ts';
import { attempt } from '../../src/store/attempt.ts';
import { UsedParts } from '../../src/store/used-parts.ts';
import { type Description, describeMaterial, fakeProvider } from '../support/fake-provider.ts';
import { unreadable } from '../support/fake-source.ts';
import { Reloading, type ReloadingOptions } from '../support/reloading.ts';

const provider = withIgnored(fakeProvider);

function start(t: TestContext, options: ReloadingOptions = {}) {
  const loop = new Reloading(t, { provider, ...options });
  /** A set, with parts that its provider does not read. */
  const load = (description: Description, foreign: Readonly<Record<string, string>>, version: string) => {
    loop.source.about = { ...loop.source.about, version };
    loop.source.content = withForeign(description, foreign);
    return loop.look();
  };
  return { loop, load };
}

const withForeign = (description: Description, foreign: Readonly<Record<string, string>>) =>
  new Map([...describeMaterial(description), ...Object.entries(foreign).map(([name, text]) => [name, Buffer.from(text)] as const)]); // prettier-ignore

describe('a part that nothing uses', () => {
  it('is no new generation when it comes, changes or goes, and its version is the one shown', async (t) => {
    const { loop, load } = start(t);
    await load({ keyId: 'A' }, {}, '1');
    await load({ keyId: 'A' }, { notes: 'a' }, '2');
    await load({ keyId: 'A' }, { notes: 'b' }, '3');
    const { generation, version, ignored } = describeCredential(loop.entry, loop.clock.now());
    assert.deepEqual([generation, version, ignored], [1, '3', ['notes']]);
    await load({ keyId: 'A' }, {}, '4');
    assert.deepEqual([loop.current.generation, loop.current.version, loop.current.retired], [1, '4', []]);
    assert.equal(loop.recorder.of('swapped').length, 1);
    assert.equal(loop.recorder.of('unchanged').length, 3);
  });

  it('hides no change of one that is used', async (t) => {
    const { loop, load } = start(t);
    await load({ keyId: 'A' }, {}, '1');
    await load({ keyId: 'B' }, { notes: 'a' }, '2');
    assert.deepEqual([loop.signsWith, loop.current.generation], ['B', 2]);
    await load({ keyId: 'A' }, { notes: 'a' }, '3');
    assert.deepEqual([loop.signsWith, loop.current.generation], ['A', 3]);
  });

  it('is no obstacle for the current set to be put right', async (t) => {
    const { loop, load } = start(t);
    await load({ keyId: 'A' }, {}, '1');
    await load({ keyId: 'B', problem: 'key-mismatch' }, {}, '2');
    await load({ keyId: 'A' }, { notes: 'a' }, '3');
    assert.deepEqual(
      [loop.rejection, loop.current.generation, loop.entry.lastReload?.outcome],
      [undefined, 1, 'unchanged'],
    );
    assert.equal(loop.recorder.of('unchanged').at(-1)?.isRecovery, true);
    loop.source.failure = unreadable();
    await loop.look();
    loop.source.failure = undefined;
    await load({ keyId: 'A' }, {}, '4');
    assert.equal(loop.recorder.of('unchanged').at(-1)?.isRecovery, true);
  });

  it('leaves retired keys until their time is over, and what could not be opened', async (t) => {
    const { loop, load } = start(t);
    await load({ keyId: 'A' }, {}, '1');
    await load({ keyId: 'B' }, {}, '2');
    const now = loop.clock.now();
    await assert.rejects(loop.current.decrypt({ ciphertext: 'C:secret' }, now));
    const before = loop.current;
    await load({ keyId: 'B' }, { notes: 'a' }, '3');
    assert.deepEqual(loop.current.retired, before.retired);
    assert.deepEqual(loop.current.unopened, before.unopened);
    assert.equal((await loop.current.decrypt({ ciphertext: 'A:secret' }, now)).isRetired, true);
  });

  it('is one of this configuration: what another one makes of the same parts is new', async (t) => {
    const { loop, load } = start(t);
    await load({ keyId: 'A' }, {}, '1');
    await attempt(loop.credential, material(withForeign({ keyId: 'A' }, { notes: 'a' })), loop.dependencies, {
      used: new UsedParts(),
    });
    assert.equal(loop.current.generation, 2);
  });

  it('is one in either of two staged sets, whose roles and keys count', async (t) => {
    const { loop, load } = start(t);
    const at = new Date('2026-12-01T00:00:00Z');
    const stage = (isActive: boolean, other: Map<string, Uint8Array>) => {
      const staged: Staged = { isActive, isRejected: false, share: isActive ? 100 : 0, activation: { at }, other };
      loop.source.about = { staged };
    };
    stage(false, describeMaterial({ keyId: 'B' }));
    await load({ keyId: 'A' }, {}, '1');
    stage(false, withForeign({ keyId: 'B' }, { notes: 'b' }));
    await load({ keyId: 'A' }, { notes: 'a' }, '2');
    assert.equal(loop.current.generation, 1);
    stage(false, describeMaterial({ keyId: 'C' }));
    await load({ keyId: 'A' }, {}, '3');
    assert.equal(loop.current.generation, 2);
    stage(true, describeMaterial({ keyId: 'A' }));
    await load({ keyId: 'C' }, { notes: 'c' }, '4');
    assert.deepEqual([loop.current.generation, loop.signsWith], [3, 'C']);
  });
});
