// What a role means is the same in sidecar, operator, checks and documents: all of them read one row.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { KeyFacts } from '../../src/providers/provider.ts';
import { replacedPattern, type Role, roleOf, roles } from '../../src/providers/roles.ts';
import { soonestExpiry } from '../../src/operator/status/expiry.ts';
import { Limiter } from '../../src/store/limiter.ts';
import { Snapshot } from '../../src/store/snapshot.ts';
import { gauges } from '../../src/telemetry/gauges.ts';
import { storedGauges } from '../../src/telemetry/stored-gauges.ts';
import { fakeContext, facts } from '../support/fake-provider.ts';
import { quoted, sections, tableRows } from './documents.ts';

const names = Object.keys(roles) as Role[];
const day = 86_400;

const aKey = fc.record({ role: fc.constantFrom(...names), day: fc.integer({ min: 1, max: 40_000 }) });
const someKeys = fc
  .array(aKey, { maxLength: 12 })
  .map((keys) => keys.map(({ role, day: at }, i) => facts(role, `K${i}`, undefined, new Date(at * day * 1000).toISOString()))); // prettier-ignore

/** Role → seconds, as a sidecar with these keys in memory says. */
function inMemory(keys: readonly KeyFacts[]): Map<string, number> {
  const about = { generation: 1, loadedAt: new Date(0), version: undefined, retired: [] };
  const { set, operations } = fakeContext({ keyId: 'K' });
  const snapshot = new Snapshot({ set: { ...set, keys }, operations }, about, new Limiter(1));
  const entry = { name: 'w', provider: 'fake', isRequired: true, requires: [], snapshot };
  return new Map(
    gauges.paycert_certificate_not_after_timestamp_seconds.read(entry).map(({ role, value }) => [String(role), value]),
  );
}

const stored = (keys: readonly KeyFacts[]) =>
  keys.map(({ role, keyId, algorithm, fingerprint, notAfter }) => ({
    role,
    id: keyId,
    algorithm,
    fingerprint,
    ...(notAfter && { notAfter: notAfter.toISOString() }),
  }));

/** The same, as an operator says that sees these keys in a Secret. */
function inSecret(keys: readonly KeyFacts[]): Map<string, number> {
  const credential = { kind: 'PaymentCredential', namespace: 'pay', name: 'w', conditions: [], keys: stored(keys) } as const; // prettier-ignore
  const row = storedGauges.paycert_stored_certificate_not_after_timestamp_seconds;
  const samples = [...row.read({ credentials: () => [credential], queueLength: () => 0, writeFailures: () => [] })];
  return new Map(samples.map(({ role, value }) => [String(role), value]));
}

describe('a role', () => {
  it('expires at the same time for a sidecar that has its keys and an operator that sees them', () => {
    fc.assert(fc.property(someKeys, (keys) => assert.deepEqual(inSecret(keys), inMemory(keys))));
  });

  it('is worth a warning of the operator when its gauge is, unless it is replaced', () => {
    fc.assert(
      fc.property(someKeys, (keys) => {
        const ends = [...inMemory(keys)].flatMap(([role, end]) => (roleOf(role)?.isReplaced ? [] : [end]));
        const soonest = soonestExpiry(stored(keys))?.at.getTime();
        assert.equal(soonest, ends.length === 0 ? undefined : Math.min(...ends) * 1000);
      }),
    );
  });

  it('is left out of queries about expiry exactly if it is replaced', () => {
    const pattern = new RegExp(`^(?:${replacedPattern})$`);
    for (const name of names) assert.equal(pattern.test(name), name.endsWith('-retired') || name.endsWith('-previous'), name); // prettier-ignore
  });

  it('that nobody here knows says nothing, also by the name of a member that every object has', () => {
    for (const name of ['', 'hasOwnProperty', '__proto__', 'merchant ']) assert.equal(roleOf(name), undefined);
  });

  it('stands in docs/metrics.md, and no other does', () => {
    const [{ body } = { body: '' }] = sections('docs/metrics.md').filter(({ title }) => title === 'Roles');
    assert.deepEqual(tableRows(body).map(([name = '']) => quoted(name).join()), names); // prettier-ignore
  });
});
