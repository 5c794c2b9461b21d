// A snapshot: its identity, and verifying and decrypting over current and retired keys.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Limiter } from '../../src/store/limiter.ts';
import type { KeySet } from '../../src/providers/provider.ts';
import { Snapshot, snapshotId } from '../../src/store/snapshot.ts';
import { type Description, facts, fakeContext } from '../support/fake-provider.ts';
import { Reloading } from '../support/reloading.ts';

const day = 86_400_000;
const now = new Date('2026-11-22T00:00:00Z');
const later = (days: number) => new Date(now.getTime() + days * day);
const message = (keyId: string, signature = 'good') =>
  ({ kind: 'message', message: Buffer.from('m'), signature, keyId }) as const;
const until2027 = (id: string): Description => ({ keyId: id, platform: { [`P${id}`]: '2027-01-01' } });

describe('a snapshot id', () => {
  const withKeys = (...keys: KeySet['keys']): KeySet => ({ ...fakeContext({ keyId: 'x' }).set, keys });

  it('does not depend on the order of the keys', () => {
    const [a, b] = [facts('platform', 'A'), facts('platform', 'B')];
    assert.equal(snapshotId(withKeys(a, b)), snapshotId(withKeys(b, a)));
  });

  it('changes with every role, key id and fingerprint', () => {
    const a = facts('platform', 'A');
    const ids = [a, { ...a, role: 'merchant' as const }, { ...a, keyId: 'B' }, { ...a, fingerprint: 'f' }];
    assert.equal(new Set(ids.map((key) => snapshotId(withKeys(key)))).size, 4);
  });

  it('is a short digest that is the same in every process', () => {
    assert.equal(snapshotId(withKeys(facts('platform', 'A'))), 'f3d0f85b25810f45');
  });
});

describe('a snapshot', () => {
  it('verifies and decrypts with the keys that a swap replaced, until their grace ends', async (t) => {
    const loop = new Reloading(t, { graceMilliseconds: 7 * day });
    await loop.load(until2027('A'));
    await loop.load(until2027('B'));
    const { current } = loop;
    assert.equal((await current.verify(message('PA'), later(6))).keyId, 'PA');
    assert.equal((await current.verify(message('PB'), later(6))).keyId, 'PB');
    await assert.rejects(current.verify(message('PA'), later(7)), { code: 'key-id-unknown' });
    const old = await current.decrypt({ ciphertext: 'A:secret' }, later(6));
    assert.deepEqual([Buffer.from(old.plaintext).toString(), old.isRetired], ['secret', true]);
    assert.equal((await current.decrypt({ ciphertext: 'B:secret' }, now)).isRetired, false);
    await assert.rejects(current.decrypt({ ciphertext: 'A:secret' }, later(7)), { code: 'decryption-failed' });
  });

  it('verifies with a retired set when the current one has nothing valid', async (t) => {
    const loop = new Reloading(t);
    await loop.load({ keyId: 'A', platform: { PA: '2027-01-01' } });
    await loop.load({ keyId: 'B', platform: { PB: '2026-11-24' } });
    assert.equal((await loop.current.verify(message('PA'), later(3))).keyId, 'PA');
    await assert.rejects(loop.current.verify(message('PX'), later(3)), { code: 'no-platform-key' });
  });

  it('encrypts for the key that is named, also one that a swap has just replaced', async (t) => {
    const loop = new Reloading(t);
    await loop.load(until2027('A'));
    await loop.load(until2027('B'));
    for (const keyId of ['PA', 'PB'])
      assert.equal((await loop.current.encrypt(Buffer.from('m'), now, keyId)).keyId, keyId);
    await assert.rejects(loop.current.encrypt(Buffer.from('m'), now, 'PX'), { code: 'key-unknown' });
    await assert.rejects(loop.current.encrypt(Buffer.from('m'), later(7), 'PA'), { code: 'key-unknown' });
  });

  it('does not use expired platform keys, current or retired', async (t) => {
    const loop = new Reloading(t);
    await loop.load({ keyId: 'A', platform: { PA: '2026-11-23' } });
    await loop.load({ keyId: 'B', platform: { PB: '2026-11-24', PC: '2027-01-01' } });
    await assert.rejects(loop.current.verify(message('PA'), later(1)), { code: 'key-id-unknown' });
    await assert.rejects(loop.current.verify(message('PB'), later(2)), { code: 'key-id-unknown' });
    assert.equal((await loop.current.verify(message('PC'), later(2))).keyId, 'PC');
  });

  it('does not ask retired keys about a signature that its own key refuses', async (t) => {
    const loop = new Reloading(t);
    await loop.load(until2027('A'));
    await loop.load(until2027('B'));
    await assert.rejects(loop.current.verify(message('PB', 'forged'), now), { code: 'signature-invalid' });
  });

  it('keeps at most 16 retired contexts, the youngest', async (t) => {
    const loop = new Reloading(t);
    for (let i = 0; i <= 20; i += 1) await loop.load(until2027(String(i)));
    const { retired } = loop.current;
    assert.equal(retired.length, 16);
    assert.deepEqual(
      retired.map(({ context }) => context.set.signer?.facts.keyId),
      Array.from({ length: 16 }, (_, i) => String(19 - i)),
    );
  });

  it('never keeps a context twice, nor beside itself, however often two sets alternate', async (t) => {
    const loop = new Reloading(t);
    for (const id of ['A', 'B', 'A', 'B', 'A', 'C', 'B', 'A']) await loop.load(until2027(id));
    const ids = [loop.current, ...loop.current.retired].map(({ context }) => context.set.signer?.facts.keyId);
    assert.deepEqual(ids, ['A', 'B', 'C']);
  });

  it('drops with the next swap what has outlived its grace, and keeps nothing without a grace', async (t) => {
    const loop = new Reloading(t, { graceMilliseconds: 1000 });
    await loop.load(until2027('A'));
    await loop.load(until2027('B'));
    loop.clock.advance(1000);
    await loop.load(until2027('C'));
    assert.deepEqual(
      loop.current.retired.map(({ context }) => context.set.signer?.facts.keyId),
      ['B'],
    );
    const none = new Reloading(t, { graceMilliseconds: 0 });
    await none.load(until2027('A'));
    await none.load(until2027('B'));
    assert.deepEqual(none.current.retired, []);
  });

  it('is frozen, and says which operation is not supported', async () => {
    const about = { generation: 1, loadedAt: now, version: undefined, retired: [] };
    const snapshot = new Snapshot(fakeContext({ keyId: 'A' }), about, new Limiter(1));
    assert.ok(Object.isFrozen(snapshot));
    await assert.rejects(snapshot.sign(Buffer.from('m')), { code: 'operation-unsupported' });
  });
});
