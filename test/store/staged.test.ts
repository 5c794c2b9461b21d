// Two staged sets: one signs, the other one verifies and decrypts, and what is wrong with it is known before its time.
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { PaycertError } from '../../src/errors.ts';
import type { Staged } from '../../src/sources/source.ts';
import { describeCredential } from '../../src/server/credential-status.ts';
import { describeForFleet } from '../../src/store/sighting.ts';
import { isBridged } from '../../src/store/store.ts';
import { type Description, describeMaterial } from '../support/fake-provider.ts';
import { Reloading, type ReloadingOptions } from '../support/reloading.ts';

const until = new Date('2026-12-01T00:00:00Z');
const A = { keyId: 'A', platform: { PA: '2028-01-01T00:00:00Z' } };
const B = { keyId: 'B', platform: { PB: '2028-01-01T00:00:00Z' } };
const waits = { isActive: false, isRejected: false, share: 0, activation: { at: until } } as const;
const signs = { isActive: true, isRejected: false, share: 100, activation: { at: until } } as const;

/** A loop over a source with two sets: the first signs. */
function start(t: TestContext, options: ReloadingOptions = {}) {
  const loop = new Reloading(t, options);
  const load = (signing: Description, about: Omit<Staged, 'other'>, other: Description | PaycertError) => {
    loop.source.about = {
      staged: { ...about, other: other instanceof PaycertError ? other : describeMaterial(other) },
    };
    return loop.load(signing);
  };
  return { loop, load };
}

const message = (keyId: string) => ({ kind: 'message', message: Buffer.from('m'), signature: 'good', keyId }) as const;

describe('the set that comes next', () => {
  it('verifies and decrypts already, and does not sign', async (t) => {
    const { loop, load } = start(t);
    await load(A, waits, B);
    const now = loop.clock.now();
    assert.equal(loop.signsWith, 'A');
    for (const keyId of ['PA', 'PB']) assert.equal((await loop.current.verify(message(keyId), now)).keyId, keyId);
    for (const ciphertext of ['A:secret', 'B:secret'])
      assert.equal(Buffer.from((await loop.current.decrypt({ ciphertext }, now)).plaintext).toString(), 'secret');
    assert.equal((await loop.current.encrypt(Buffer.from('x'), now, 'PB')).keyId, 'PB');
  });

  it('is shown with its time, and refuses nobody anything', async (t) => {
    const { loop, load } = start(t);
    await load(A, waits, B);
    const { staged, ready, rejection } = describeCredential(loop.entry, loop.clock.now());
    assert.deepEqual([staged?.active, staged?.until, staged?.keyId], [false, until.toISOString(), 'B']);
    assert.deepEqual([ready, rejection, isBridged(loop.entry)], [true, undefined, true]);
    const [told] = loop.recorder.of('staged');
    assert.deepEqual([told?.isActive, told?.until, told?.keyId, told?.error], [false, until, 'B', undefined]);
  });

  it('is awaited by a current set that ends before: somebody has to act', async (t) => {
    const { loop, load } = start(t);
    await load({ ...A, notAfter: '2026-11-30T00:00:00Z' }, waits, B);
    assert.equal(isBridged(loop.entry), false);
  });

  it('is judged by what is said of its own key, and of no other', async (t) => {
    const { loop, load } = start(t);
    const judged: boolean[] = [];
    const tried = { ...signs, activation: { percent: 5 }, judge: (isRefused: boolean) => void judged.push(isRefused) };
    await load(B, tried, A);
    loop.current.judge('A', true);
    loop.current.judge('B', true);
    loop.current.judge('B', false);
    assert.deepEqual(judged, [true, false]);
    await load(A, { ...waits, isRejected: true, activation: { percent: 5 } }, B);
    loop.current.judge('A', true);
    assert.equal(judged.length, 2);
    assert.equal(describeCredential(loop.entry, loop.clock.now()).staged?.rejected, true);
  });

  it('signs the calls of its share, and is judged by what is said of its own key', async (t) => {
    const { loop, load } = start(t);
    const judged: boolean[] = [];
    const tried = {
      ...{ ...waits, share: 50, activation: { percent: 50, of: 'requests' } as const },
      signs: (id: string) => id === 'tried',
      judge: (isRefused: boolean) => void judged.push(isRefused),
    };
    await load(A, tried, B);
    const [others, one] = ['other', 'tried'].map((id) => loop.current.signingFor({ id }));
    assert.deepEqual([others, one].map((each) => each?.context.set.signer?.facts.keyId), ['A', 'B']); // prettier-ignore
    assert.equal(one?.generation, others?.generation);
    const now = loop.clock.now();
    for (const each of [others, one])
      for (const keyId of ['PA', 'PB']) assert.equal((await each?.verify(message(keyId), now))?.keyId, keyId);
    for (const each of [others, one]) each?.judge('A', true);
    for (const each of [others, one]) each?.judge('B', true);
    assert.deepEqual(judged, [true, true]);
    const { staged } = describeCredential(loop.entry, now);
    assert.deepEqual([staged?.active, staged?.percent, staged?.of, staged?.keyId], [false, 50, 'requests', 'B']);
    assert.equal(describeForFleet('1', [loop.entry]).credentials[0]?.canary, true);

    await load(A, { ...waits, isRejected: true, share: 50, activation: tried.activation }, B);
    assert.equal(loop.current.signingFor({ id: 'tried' }), loop.current);
    // What it has signed may still be answered for its key.
    loop.source.about = {};
    await loop.load({ ...A, keyId: 'C' });
    assert.equal((await loop.current.decrypt({ ciphertext: 'B:secret' }, now)).keyId, 'B');
    assert.equal(describeForFleet('1', [loop.entry]).credentials[0]?.canary, undefined);
  });

  it('signs no call when it is not fit, whatever its share, and nothing is said against it by its neighbour', async (t) => {
    const { loop, load } = start(t);
    const judged: boolean[] = [];
    const tried = {
      ...{ ...waits, share: 99, activation: { percent: 99, of: 'requests' } as const },
      signs: () => true,
      judge: (isRefused: boolean) => void judged.push(isRefused),
    };
    await load(A, tried, { ...B, breaksSelfTest: true });
    const { context } = loop.current.signingFor({ id: 'any' });
    assert.equal(context.set.signer?.facts.keyId, 'A');
    for (const keyId of ['A', 'B']) loop.current.judge(keyId, true);
    assert.deepEqual(judged, []);
    assert.equal(describeForFleet('1', [loop.entry]).credentials[0]?.canary, undefined);
  });

  it('signs from its activation on, and what signed before verifies and decrypts still', async (t) => {
    const { loop, load } = start(t, { graceMilliseconds: 0 });
    await load(A, waits, B);
    await load(B, signs, A);
    const now = loop.clock.now();
    assert.deepEqual([loop.signsWith, describeCredential(loop.entry, now).staged?.active], ['B', true]);
    for (const keyId of ['PA', 'PB']) assert.equal((await loop.current.verify(message(keyId), now)).keyId, keyId);
    assert.equal((await loop.current.decrypt({ ciphertext: 'A:secret' }, now)).keyId, 'A');
  });

  const unfit: readonly [title: string, other: Description, code: string][] = [
    ['its parts contradict each other', { ...B, problem: 'key-mismatch' }, 'key-mismatch'],
    ['its key fails the self-test', { ...B, breaksSelfTest: true }, 'self-test-failed'],
    ['it has expired when it is to sign', { ...B, notAfter: '2026-11-30T00:00:00Z' }, 'certificate-expired'],
    [
      'it is not valid yet when it is to sign',
      { ...B, notBefore: '2026-12-02T00:00:00Z' },
      'certificate-not-yet-valid',
    ],
    ['it empties the platform set', { keyId: 'B' }, 'platform-set-emptied'],
  ];
  for (const [title, other, code] of unfit)
    it(`is known not to be fit before its time, and stands in no way: ${title}`, async (t) => {
      const { loop, load } = start(t);
      await load(A, waits, other);
      assert.deepEqual([loop.signsWith, loop.rejection, loop.entry.staged?.error?.code], ['A', undefined, code]);
      await assert.rejects(loop.current.verify(message('PB'), loop.clock.now()));
    });

  it('is judged as of its time: valid then, it is fit now', async (t) => {
    const { loop, load } = start(t);
    await load(A, waits, { ...B, notBefore: '2026-11-30T00:00:00Z' });
    assert.equal(loop.entry.staged?.error, undefined);
  });

  it('that cannot be read is said, and changes nothing', async (t) => {
    const { loop, load } = start(t);
    await load(A, waits, new PaycertError('source-unreadable', 'away'));
    assert.deepEqual([loop.signsWith, loop.entry.staged?.error?.code], ['A', 'source-unreadable']);
  });

  it('that is not fit at its activation leaves the set that signed before', async (t) => {
    const { loop, load } = start(t);
    await load(A, waits, B);
    await load({ ...B, problem: 'key-mismatch' }, signs, A);
    assert.deepEqual([loop.signsWith, loop.rejection], ['A', 'key-mismatch']);
  });
});

describe('a set that signed before', () => {
  const older = { ...A, notBefore: '2026-01-01T00:00:00Z' };
  const newer = { ...B, notBefore: '2026-11-01T00:00:00Z' };

  it('signs again after a rollback, though older material is refused', async (t) => {
    const { loop, load } = start(t, { older: 'reject' });
    await load(older, waits, newer);
    await load(newer, signs, older);
    await load(older, waits, newer);
    assert.deepEqual([loop.signsWith, loop.rejection], ['A', undefined]);
    await load({ ...older, keyId: 'Z', notBefore: '2025-01-01T00:00:00Z' }, waits, newer);
    assert.deepEqual([loop.signsWith, loop.rejection], ['A', 'material-older']);
  });

  it('verifies still when it has expired, and not if anything else is wrong with it', async (t) => {
    const { loop, load } = start(t);
    await load(B, signs, { ...A, notAfter: '2026-11-01T00:00:00Z' });
    assert.equal((await loop.current.verify(message('PA'), loop.clock.now())).keyId, 'PA');
    await load(B, signs, { ...A, problem: 'key-mismatch' });
    assert.equal(loop.entry.staged?.error?.code, 'key-mismatch');
  });

  it('is forgotten when the source has one set again', async (t) => {
    const { loop, load } = start(t);
    await load(A, waits, B);
    loop.source.about = {};
    await loop.load({ ...A, keyId: 'C' });
    assert.equal(loop.entry.staged, undefined);
  });
});
