// After a restart: what was kept is restored while the source has nothing fit, by the same checks, and gives way to what is.
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { PaycertError } from '../../src/errors.ts';
import type { LastGood } from '../../src/sources/last-good.ts';
import { type Material, material } from '../../src/sources/source.ts';
import { describeCredential } from '../../src/server/credential-status.ts';
import { type Description, describeMaterial } from '../support/fake-provider.ts';
import { unreadable } from '../support/fake-source.ts';
import { Reloading } from '../support/reloading.ts';

const keptAt = new Date('2026-11-20T00:00:00Z');

/** A place that outlives the process. */
class FakeLastGood implements LastGood {
  kept: { readonly material: Material; readonly keptAt: Date } | undefined;
  failure: PaycertError | undefined;

  constructor(description?: Description) {
    this.kept = description && { material: material(describeMaterial(description)), keptAt };
  }

  async read() {
    if (this.failure !== undefined) throw this.failure;
    return this.kept;
  }

  keep(one: Material, at: Date): void {
    this.kept = undefined;
    if (this.failure !== undefined) throw this.failure;
    this.kept = { material: one, keptAt: at };
  }

  drop({ revision }: Material): boolean {
    const isKept = this.kept?.material.revision === revision;
    if (isKept) this.kept = undefined;
    return isKept;
  }
}

const A = { keyId: 'A' };
const bad = { keyId: 'B', problem: 'key-mismatch' } as const;

function start(t: TestContext, lastGood: FakeLastGood): Reloading {
  return new Reloading(t, { lastGood });
}

const types = (loop: Reloading) => loop.recorder.events.map(({ type }) => type);

describe('material that is accepted', () => {
  it('is kept, and nothing that is refused', async (t) => {
    const lastGood = new FakeLastGood();
    const loop = start(t, lastGood);
    await loop.load(A);
    await loop.load(bad);
    assert.deepEqual(lastGood.kept?.material.data, describeMaterial(A));
    assert.deepEqual(loop.entry.kept, { at: loop.clock.now() });
  });

  it('is current though it cannot be kept, says so once, and is kept when there is room again', async (t) => {
    const lastGood = new FakeLastGood();
    lastGood.failure = new PaycertError('last-good-unusable', 'no room');
    const loop = start(t, lastGood);
    await loop.load(A);
    assert.deepEqual([loop.signsWith, loop.entry.kept?.error?.code], ['A', 'last-good-unusable']);
    await loop.look();
    assert.deepEqual(
      loop.recorder.of('last-good-failed').map(({ isNew }) => isNew),
      [true, false],
    );
    lastGood.failure = undefined;
    await loop.look();
    assert.deepEqual([loop.entry.kept?.error, lastGood.kept?.material.data], [undefined, describeMaterial(A)]);
  });
});

describe('after a restart', () => {
  it('on bad material the last good signs, and status and rejection say that it does', async (t) => {
    const loop = start(t, new FakeLastGood(A));
    await loop.load(bad);
    assert.deepEqual([loop.signsWith, loop.rejection], ['A', 'key-mismatch']);
    const { restored, lastGood, lastReload, ready } = describeCredential(loop.entry, loop.clock.now());
    const at = loop.clock.now().toISOString();
    assert.deepEqual(restored, { at, keptAt: keptAt.toISOString() });
    assert.deepEqual([lastGood, ready], [{ kept: true, at: keptAt.toISOString() }, true]);
    assert.equal(lastReload?.outcome, 'rejected');
    assert.deepEqual(types(loop), ['rejected', 'swapped']);
    assert.deepEqual(loop.recorder.of('swapped')[0]?.keptAt, keptAt);
  });

  it('it signs too while the source cannot be read, or its material is not valid yet', async (t) => {
    const loop = start(t, new FakeLastGood(A));
    loop.source.failure = unreadable();
    await loop.look();
    assert.deepEqual([loop.signsWith, loop.entry.sourceError?.error.code], ['A', 'source-unreadable']);
    const other = start(t, new FakeLastGood(A));
    await other.load({ keyId: 'B', notBefore: '2027-01-01T00:00:00Z' });
    assert.deepEqual([other.signsWith, other.deferral], ['A', 'certificate-not-yet-valid']);
  });

  it('it never stands in the way of fit material, older or newer', async (t) => {
    const loop = start(t, new FakeLastGood(A));
    await loop.load({ keyId: 'C' });
    assert.deepEqual([loop.signsWith, loop.entry.restored, types(loop)], ['C', undefined, ['swapped']]);
    assert.equal(loop.recorder.of('swapped')[0]?.keptAt, undefined);
  });

  it('it gives way to fit material as soon as there is some', async (t) => {
    const lastGood = new FakeLastGood(A);
    const loop = start(t, lastGood);
    await loop.load(bad);
    await loop.load({ keyId: 'C' });
    assert.deepEqual([loop.signsWith, loop.entry.restored, loop.rejection], ['C', undefined, undefined]);
    assert.deepEqual(lastGood.kept?.material.data, describeMaterial({ keyId: 'C' }));
  });

  it('it is restored no more when the source has it again', async (t) => {
    const loop = start(t, new FakeLastGood(A));
    await loop.load(bad);
    await loop.load(A);
    assert.deepEqual([loop.signsWith, loop.entry.restored, loop.current.generation], ['A', undefined, 1]);
    assert.deepEqual(types(loop), ['rejected', 'swapped', 'unchanged']);
  });

  it('while it runs nothing is restored over what is current', async (t) => {
    const lastGood = new FakeLastGood();
    const loop = start(t, lastGood);
    await loop.load({ keyId: 'C' });
    lastGood.kept = { material: material(describeMaterial(A)), keptAt };
    await loop.load(bad);
    assert.deepEqual([loop.signsWith, loop.entry.restored], ['C', undefined]);
  });

  const unfit: readonly [title: string, description: Description, code: string][] = [
    ['its key fails the self-test', { ...A, breaksSelfTest: true }, 'self-test-failed'],
    ['it has expired since', { ...A, notAfter: '2026-11-21T00:00:00Z' }, 'certificate-expired'],
    ['its certificate was revoked since', { ...A, problem: 'certificate-revoked' }, 'certificate-revoked'],
  ];
  for (const [title, description, code] of unfit)
    it(`it is checked like anything else: not restored if ${title}`, async (t) => {
      const loop = start(t, new FakeLastGood(description));
      await loop.load(bad);
      assert.deepEqual(
        [loop.signsWith, loop.rejection, loop.entry.kept?.error?.code],
        [undefined, 'key-mismatch', code],
      );
      assert.deepEqual(types(loop), ['rejected', 'last-good-failed']);
    });

  it('what cannot be read costs no start: the source counts', async (t) => {
    const lastGood = new FakeLastGood(A);
    lastGood.failure = new PaycertError('last-good-refused', 'half');
    const loop = start(t, lastGood);
    await loop.load(bad);
    assert.deepEqual([loop.signsWith, loop.entry.kept?.error?.code], [undefined, 'last-good-refused']);
    lastGood.failure = undefined;
    await loop.load({ keyId: 'C' });
    assert.deepEqual([loop.signsWith, loop.entry.kept?.error], ['C', undefined]);
  });
});

describe('material that turns out to be revoked', () => {
  const revoked = { ...A, problem: 'certificate-revoked' } as const;

  it('is not kept for a restart any more', async (t) => {
    const lastGood = new FakeLastGood();
    const loop = start(t, lastGood);
    await loop.load(revoked);
    lastGood.kept = { material: material(describeMaterial(revoked)), keptAt };
    await loop.step(() => loop.clock.advance(500));
    assert.equal(lastGood.kept, undefined);
    assert.equal(loop.entry.kept?.error?.code, 'certificate-revoked');
  });

  it('leaves other material that is kept', async (t) => {
    const lastGood = new FakeLastGood();
    const loop = start(t, lastGood);
    await loop.load({ keyId: 'C' });
    await loop.load(revoked);
    assert.deepEqual([loop.signsWith, lastGood.kept?.material.data], ['C', describeMaterial({ keyId: 'C' })]);
  });
});
