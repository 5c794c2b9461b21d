// A status always fits its definition, whatever keys and messages are made of.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Condition, type Key, type Status, StatusSchema } from '../../../src/operator/resource.ts';
import { boundStatus } from '../../../src/operator/status/bounds.ts';
import { validator } from '../../../src/validation.ts';

const validate = validator(StatusSchema, 'resource-invalid');
const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ minLength: 0, maxLength: 6000, size: 'max' }));
const time = fc.date({ noInvalidDate: true }).map((date) => date.toISOString());
const condition: fc.Arbitrary<Condition> = fc.record({ type: text, status: fc.constantFrom('True', 'False', 'Unknown'), reason: text, message: text, lastTransitionTime: time, observedGeneration: fc.nat() }); // prettier-ignore
const key: fc.Arbitrary<Key> = fc.record({ role: text, id: text, algorithm: text, fingerprint: text, notBefore: time, notAfter: time, replaceBy: time }); // prettier-ignore
const status: fc.Arbitrary<Status> = fc.record({
  observedGeneration: fc.nat(),
  observedSecretVersion: text,
  provider: text,
  keyId: text,
  notAfter: time,
  conditions: fc.array(condition, { maxLength: 12 }),
  accepted: fc.record({
    snapshotId: text,
    secretResourceVersion: text,
    time,
    capabilities: fc.array(text, { maxLength: 12 }),
    trust: fc.array(text, { maxLength: 70 }),
    can: fc.array(text, { maxLength: 12 }),
    ignored: fc.array(text, { maxLength: 70 }),
  }),
  rejected: fc.record({ secretResourceVersion: text, time, reason: text, message: text }),
  keys: fc
    .array(key, { maxLength: 4 })
    .map((keys) => Array.from({ length: 300 }, (_, i) => keys[i % keys.length]!).filter(Boolean)),
});

describe('a status', () => {
  it('fits its schema, is well-formed Unicode, and changes no more when it is bounded again', () => {
    fc.assert(
      fc.property(status, (one) => {
        const fitting = boundStatus(one);
        validate(fitting);
        assert.ok(JSON.stringify(fitting).isWellFormed());
        assert.deepEqual(boundStatus(fitting), fitting);
      }),
      { numRuns: 50 },
    );
  });

  it('keeps names apart that differ only behind the bound, as the joined serial numbers of many roots do', () => {
    const of = (keyId: string) => boundStatus({ observedGeneration: 1, conditions: [], keyId }).keyId!;
    const long = '687b59193f3f462dd5336e5abf83c5d8_'.repeat(20);
    assert.notEqual(of(`${long}a`), of(`${long}b`));
    assert.equal(of(long).length, 256);
    assert.ok(of(long).startsWith('687b59193f3f462dd5336e5abf83c5d8_687b'));
    assert.equal(of('5157F09EFDC096DE15EBE81A47057A7232F1B8E1'), '5157F09EFDC096DE15EBE81A47057A7232F1B8E1');
  });

  it('holds no year that its format has no room for', () => {
    const { notAfter } = boundStatus({
      observedGeneration: 1,
      conditions: [],
      notAfter: new Date(8.64e15).toISOString(),
    });
    assert.equal(notAfter, '9999-12-31T23:59:59.999Z');
  });
});
