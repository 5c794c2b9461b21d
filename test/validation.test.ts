// What a schema refuses is said in one sentence that names the field and never its value.
import { workOf } from './support/work.ts'; // must come first: it counts in what is compiled after it
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

for (const uses of ['few', 'many'] as const)
  describe(`a validator for ${uses} uses`, () => {
    const validate = validator(schema, 'config-invalid', uses);
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

for (const uses of ['few', 'many'] as const)
  describe(`what there is too much of, for a validator of ${uses} uses`, () => {
    const bounded = validator(
      Type.Object({
        names: Type.Optional(
          Type.Record(Type.String({ pattern: '^m' }), Type.String(), {
            additionalProperties: false,
            maxProperties: 1000,
          }),
        ),
        list: Type.Optional(Type.Array(Type.String(), { maxItems: 1000 })),
        text: Type.Optional(Type.String({ pattern: '^[a-z]*$' })),
        choice: Type.Optional(Type.Union([Type.Literal('one'), Type.Literal('two')])),
      }),
      'request-invalid',
      uses,
    );
    const problemsOf = (value: unknown): readonly string[] => {
      try {
        bounded(value);
      } catch (error) {
        if (error instanceof PaycertError) return [error, ...error.others].map(({ message }) => message);
        throw error;
      }
      return [];
    };
    /** Notes when one of its members is read. */
    const watched = (target: object, read: (name: string) => void) =>
      new Proxy(target, {
        get(from, name, receiver): unknown {
          if (typeof name === 'string' && name !== 'length') read(name);
          return Reflect.get(from, name, receiver);
        },
      });

    it('is counted, and none of it is read', () => {
      const read: string[] = [];
      const note = (name: string) => read.push(name);
      const members = Object.fromEntries(Array.from({ length: 1001 }, (_, index) => [`m${index}`, 1]));
      assert.deepEqual(problemsOf({ names: watched(members, note) }), ['names has more than 1000 members']);
      const list = Array.from({ length: 1001 }, () => 1);
      assert.deepEqual(problemsOf({ list: watched(list, note) }), ['list has more than 1000 items']);
      assert.deepEqual(read, []);
    });

    for (const [what, make] of [
      ['a text of the wrong form', (size: number) => ({ text: 'A'.repeat(size) })],
      ['a text for a choice', (size: number) => ({ choice: 'o'.repeat(size) })],
      ['a name that is not known', (size: number) => ({ ['x'.repeat(size)]: 1 })],
      ['a name of the wrong form', (size: number) => ({ names: { ['x'.repeat(size)]: 'a' } })],
      ['blanks before a text', (size: number) => ({ text: `${' '.repeat(size)}a` })],
    ] as const)
      it(`costs what its beginning costs: ${what}`, async () => {
        problemsOf(make(10_000));
        const [small, large] = [make(10_000), make(20_000)];
        assert.deepEqual(problemsOf(small), problemsOf(large));
        const work = [await workOf(() => problemsOf(small)), await workOf(() => problemsOf(large))];
        assert.equal(work[0], work[1]);
      });

    it('costs no more for each name that is not known than the one before', async () => {
      const names = (count: number) =>
        Object.fromEntries(Array.from({ length: count }, (_, index) => [`nmae${index}`, 1]));
      const work = async (count: number) => {
        const value = names(count);
        return workOf(() => problemsOf(value));
      };
      await work(100);
      const [some, more] = [await work(2000), await work(4000)];
      assert.ok(more <= 2.2 * some, `${some} blocks, then ${more}`);
      assert.ok(more <= 20 * 4000, `${more} blocks for 4,000 names`);
    });
  });
