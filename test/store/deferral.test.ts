// Deferral: material that is good and not valid yet waits for its time, and nobody has to act while the current set lasts.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findRefusal } from '../../src/store/checks.ts';
import { isBridged } from '../../src/store/store.ts';
import { type Description, fakeContext, facts } from '../support/fake-provider.ts';
import { Reloading } from '../support/reloading.ts';

const minute = 60_000;
const day = 24 * 60 * minute;
const now = new Date('2026-11-22T00:00:00Z');
const later = (milliseconds: number): string => new Date(now.getTime() + milliseconds).toISOString();
const early = { keyId: 'B', notBefore: later(day), notAfter: later(90 * day) };

const refusalOf = async (description: Description, current?: Description) => {
  const candidate = { context: fakeContext(description), current: current && fakeContext(current).set, older: 'accept' } as const; // prettier-ignore
  const refusal = await findRefusal(candidate, now);
  return refusal && [refusal.outcome, refusal.error.code, refusal.outcome === 'deferred' ? refusal.until.toISOString() : undefined]; // prettier-ignore
};

describe('material that is not valid yet', () => {
  it('is deferred until it is, if nothing else is wrong with it', async () => {
    assert.deepEqual(await refusalOf(early), ['deferred', 'certificate-not-yet-valid', later(day)]);
  });

  const alsoWrong: [title: string, code: string, description: Description, current?: Description][] = [
    ['its key fails the self-test', 'self-test-failed', { ...early, breaksSelfTest: true }],
    ['its parts contradict each other', 'key-mismatch', { ...early, problem: 'key-mismatch' }],
    ['it is expired before it begins', 'certificate-expired', { ...early, notAfter: later(-day) }],
    ['it ends when it begins', 'certificate-expired', { ...early, notAfter: later(day) }],
    ['it empties the platform set', 'platform-set-emptied', early, { keyId: 'A', platform: { P: later(90 * day) } }],
    [
      'its platform set ends before it begins',
      'platform-set-emptied',
      { ...early, platform: { Q: later(day) } },
      { keyId: 'A', platform: { P: later(90 * day) } },
    ],
  ];
  for (const [title, code, description, current] of alsoWrong)
    it(`is rejected for what is really wrong with it: ${title}`, async () => {
      assert.deepEqual(await refusalOf(description, current), ['rejected', code, undefined]);
    });

  it('waits for the last of several certificates that are presented in TLS', async () => {
    const begins = (days: number) => facts('tls', `T${days}`, later(days * day), later(90 * day));
    const fake = fakeContext({ keyId: 'A' });
    const context = { ...fake, set: { ...fake.set, keys: [begins(2), begins(5), begins(3)] } };
    const refusal = await findRefusal({ context, current: undefined, older: 'accept' }, now);
    assert.deepEqual(refusal?.outcome === 'deferred' && refusal.until, new Date(later(5 * day)));
  });

  it('is rejected if one of several certificates ends before the last begins', async () => {
    const keys = [facts('tls', 'T1', later(-day), later(2 * day)), facts('tls', 'T2', later(5 * day), later(90 * day))];
    const fake = fakeContext({ keyId: 'A' });
    const context = { ...fake, set: { ...fake.set, keys } };
    const refusal = await findRefusal({ context, current: undefined, older: 'accept' }, now);
    assert.deepEqual([refusal?.outcome, refusal?.error.code], ['rejected', 'certificate-expired']);
    assert.match(refusal?.error.message ?? '', /T1 is not valid after/);
  });
});

const at = (loop: Reloading, milliseconds: number) => new Date(loop.clock.now().getTime() + milliseconds).toISOString();

describe('deferred material', () => {
  it('becomes current by itself at its time, and says nothing of a rejection before', async (t) => {
    const loop = new Reloading(t);
    await loop.load({ keyId: 'A' });
    await loop.load({ keyId: 'B', notBefore: at(loop, minute) });
    assert.deepEqual([loop.signsWith, loop.deferral, loop.rejection], ['A', 'certificate-not-yet-valid', undefined]);
    assert.equal(loop.entry.lastReload?.outcome, 'deferred');
    await loop.step(() => loop.clock.advance(minute));
    assert.deepEqual([loop.signsWith, loop.deferral], ['B', undefined]);
    assert.deepEqual(
      loop.recorder.events.map(({ type }) => type),
      ['swapped', 'deferred', 'swapped'],
    );
  });

  it('is reported once, though it is checked again until its time', async (t) => {
    const loop = new Reloading(t);
    await loop.load({ keyId: 'A' });
    await loop.load({ keyId: 'B', notBefore: at(loop, 12 * minute) });
    await loop.step(() => loop.clock.advance(5 * minute));
    await loop.step(() => loop.clock.advance(5 * minute));
    assert.deepEqual(
      loop.recorder.of('deferred').map(({ isNew }) => isNew),
      [true, false, false],
    );
    assert.deepEqual(loop.clock.sleeping, [2 * minute], 'and it is tried at its time, not later');
  });

  it('gives way to what is written next: good, bad, or the current material again', async (t) => {
    for (const [next, expected] of [
      [{ keyId: 'C' }, ['C', undefined, undefined]],
      [{ keyId: 'C', problem: 'key-mismatch' }, ['A', undefined, 'key-mismatch']],
      [{ keyId: 'A' }, ['A', undefined, undefined]],
    ] as const) {
      const loop = new Reloading(t);
      await loop.load({ keyId: 'A' });
      await loop.load({ keyId: 'B', notBefore: at(loop, day) });
      await loop.load(next);
      assert.deepEqual([loop.signsWith, loop.deferral, loop.rejection], expected);
    }
  });

  it('follows a rejection, and takes its place', async (t) => {
    const loop = new Reloading(t);
    await loop.load({ keyId: 'A' });
    await loop.load({ keyId: 'B', problem: 'key-mismatch' });
    await loop.load({ keyId: 'B', notBefore: at(loop, day) });
    assert.deepEqual([loop.rejection, loop.deferral], [undefined, 'certificate-not-yet-valid']);
  });

  it('is bridged exactly while the current set can do until then what it must', async (t) => {
    for (const [title, current, isExpected] of [
      ['nothing is current', undefined, false],
      ['the current set never ends', { keyId: 'A' }, true],
      ['it ends at the very moment', { keyId: 'A', notAfter: 1 }, true],
      ['it ends before', { keyId: 'A', notAfter: 0.5 }, false],
      ['it lost a key that `require` asks for before', { keyId: 'A', platform: 0.5 }, false],
    ] as const) {
      const loop = new Reloading(t);
      loop.store.declare(loop.name, { provider: 'fake', isRequired: true, requires: ['sign', 'verify'] });
      const until = (days: number) => at(loop, days * day);
      const { notAfter, platform } = { notAfter: undefined, platform: 9, ...current };
      if (current !== undefined)
        await loop.load({
          keyId: 'A',
          platform: { P: until(platform) },
          ...(notAfter !== undefined && { notAfter: until(notAfter) }),
        });
      await loop.load({ keyId: 'B', notBefore: until(1), platform: { P: until(9) } });
      assert.equal(loop.deferral, 'certificate-not-yet-valid', title);
      assert.equal(isBridged(loop.entry), isExpected, title);
      assert.equal(loop.recorder.of('deferred')[0]?.isBridged, isExpected, title);
    }
  });
});
