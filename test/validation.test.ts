// What a schema refuses is said in one sentence that names the field and never its value.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Type } from 'typebox';
import { PaycertError } from '../src/errors.ts';
import { validator } from '../src/validation.ts';

const schema = Type.Object(
  {
    name: Type.String({ pattern: '^[a-z]+$' }),
    items: Type.Optional(
      Type.Array(
        Type.Object({ 'a/b': Type.Optional(Type.Number()), size: Type.Integer() }, { additionalProperties: false }),
      ),
    ),
    form: Type.Optional(Type.Union([Type.Literal('one'), Type.Literal('two')])),
    share: Type.Optional(Type.Union([Type.Literal('all'), Type.Object({ percent: Type.Number({ maximum: 100 }) })])),
  },
  { additionalProperties: false },
);
const validate = validator(schema, 'config-invalid');
const refused = (value: unknown): PaycertError => {
  try {
    validate(value);
  } catch (error) {
    assert.ok(error instanceof PaycertError);
    assert.equal(error.code, 'config-invalid');
    return error;
  }
  return assert.fail('was accepted');
};

describe('a validator', () => {
  it('returns the very value that fits', () => {
    const value = { name: 'a', items: [{ size: 1 }], form: 'one' };
    assert.equal(validate(value), value);
  });

  it('names a missing member', () => {
    assert.deepEqual([refused({}).field, refused({}).message], ['name', 'name is missing']);
    assert.equal(refused({ name: 'a', items: [{ size: 1 }, {}] }).field, 'items[1].size');
  });

  it('names an unknown member before what follows from it', () => {
    assert.equal(refused({ nmae: 'a' }).message, 'nmae is not a field here (did you mean name?)');
    assert.equal(refused({ name: 'a', items: [{ size: 1, extra: 1 }] }).field, 'items[0].extra');
  });

  it('names the place of a wrong value, with escapes undone', () => {
    assert.equal(refused({ name: 'A' }).field, 'name');
    assert.equal(refused({ name: 'a', items: [{ size: 1, 'a/b': 'x' }] }).field, 'items[0].a/b');
    assert.equal(refused({ name: 'a', items: {} }).field, 'items');
  });

  it('answers a choice of forms with one error, at the choice, or in the form that was meant', () => {
    assert.equal(refused({ name: 'a', form: 'three' }).message, 'form must be one of one, two');
    assert.equal(refused({ name: 'a', share: { percent: 101 } }).field, 'share.percent');
    assert.equal(refused({ name: 'a', share: 'some' }).message, 'share must be one of all');
  });

  it('calls a value of the wrong kind altogether the document', () => {
    for (const value of [null, undefined, 'text', [], 1]) assert.equal(refused(value).field, 'the document');
  });

  it('never shows a value', () => {
    for (const value of [
      'canary',
      { name: 'CANARY-canary' },
      { name: 'a', form: 'canary' },
      { name: 'a', items: 'canary' },
    ]) {
      assert.ok(!refused(value).message.includes('canary'));
    }
  });
});
