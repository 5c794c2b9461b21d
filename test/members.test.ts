// Copies of objects by their members: what a list of pairs would make of them, whatever the names are.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { membersWhere } from '../src/members.ts';

const names = fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', 'toString', '1'));
const objects = fc
  .array(fc.tuple(names, fc.oneof(fc.string(), fc.constant(undefined))))
  .map((pairs): Record<string, string | undefined> => Object.fromEntries(pairs));

describe('members of an object', () => {
  it('are copied as they are, those that are wanted, in their order and under any name', () => {
    fc.assert(
      fc.property(objects, fc.string({ maxLength: 1 }), (all, end) => {
        const isKept = (value: string | undefined, name: string) => value !== undefined && !name.endsWith(end || '\0');
        const expected = Object.fromEntries(Object.entries(all).filter(([name, value]) => isKept(value, name)));
        const kept = membersWhere(all, isKept);
        assert.deepEqual(kept, expected);
        assert.deepEqual(Object.keys(kept), Object.keys(expected));
        assert.equal(Object.getPrototypeOf(kept), Object.prototype);
      }),
    );
  });
});
