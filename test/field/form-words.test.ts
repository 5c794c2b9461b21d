// Messages a tired person can act on: no schema of ours shows a regular expression, and each says what it wants in words.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ConfigSchema } from '../../src/config/schema/config.ts';
import { diagnose, type Schema } from '../../src/diagnosis.ts';
import { platforms } from '../../src/providers/registry.ts';
import type { PaycertError } from '../../src/errors.ts';
import * as api from '../../src/server/schema.ts';
import { validator } from '../../src/validation.ts';

const all: Readonly<Record<string, unknown>> = {
  configuration: ConfigSchema,
  ...Object.fromEntries(Object.entries(platforms).map(([id, { options }]) => [`options of ${id}`, options])),
  ...Object.fromEntries(Object.entries(api).map(([name, schema]) => [`API: ${name}`, schema])),
};

interface Patterned extends Schema {
  readonly nameForm?: string;
}

/** Every schema inside that has a pattern, for a text or for the names of members. */
function* patternedIn(value: unknown, path: string): Generator<{ path: string; schema: Patterned }> {
  if (typeof value !== 'object' || value === null) return;
  const schema = value as Patterned & Record<string, unknown>;
  if (schema.pattern !== undefined) yield { path, schema };
  else if (schema.patternProperties && schema.additionalProperties === false) yield { path, schema };
  for (const [name, inside] of Object.entries(schema))
    if (name !== 'patternProperties') yield* patternedIn(inside, `${path}.${name}`);
    else for (const one of Object.values(inside as object)) yield* patternedIn(one, `${path}.*`);
}

const patterned = Object.entries(all).flatMap(([name, schema]) => [...patternedIn(schema, name)]);

/** What people write by accident, and what shows a regular expression. */
const odd = ['粤', ' ', '“x”', '"x"', 'a b', 'x：1', '\u3000', '\n', '', '^$', 'a'.repeat(300)];
const expression = /\^|\$$|\[[^\]]*-[^\]]*\]|\{\d|\\[a-z]|\(\?/;

describe('every pattern of every schema', () => {
  it('is found by this test', () => {
    assert.ok(patterned.length > 30, String(patterned.length));
  });

  it('says in words what it wants', () => {
    const silent = patterned.filter(
      ({ schema }) => (schema.pattern === undefined ? schema.nameForm : schema.form) === undefined,
    );
    assert.deepEqual(
      silent.map(({ path }) => path),
      [],
    );
  });

  it('shows no regular expression, whatever was written', () => {
    for (const { path, schema } of patterned)
      for (const text of odd) {
        const value = schema.pattern === undefined ? { [text]: 'x' } : text;
        for (const { message } of diagnose(schema, value)) {
          const own = message.replace('^$', '').replaceAll('* for', '');
          assert.doesNotMatch(own, expression, `${path}: ${message}`);
        }
      }
  });

  it('names what does not belong, and its place', () => {
    for (const { path, schema } of patterned) {
      if (schema.pattern === undefined) continue;
      const [problem] = diagnose(schema, 'x粤');
      // What takes any text has nothing to say.
      if (problem !== undefined) assert.match(problem.message, /粤 at character 2|longer|must be/, path);
    }
  });
});

describe('the local API', () => {
  const validate = validator(api.AuthorizeRequest, 'request-invalid');
  const refused = (value: object): PaycertError => {
    try {
      validate(value);
    } catch (error) {
      return error as PaycertError;
    }
    return assert.fail('was accepted');
  };

  for (const [title, value, message] of [
    [
      'a raw character of a query',
      { url: '/v3/x?name=粤' },
      /^url has the character 粤 at character 12, which is not ASCII; it must be .+percent-encoded/,
    ],
    ['a space in an address', { url: '/v3/x y' }, /^url has a space at character 6/],
    ['a missing scheme', { url: 'api.mch.weixin.qq.com/v3' }, /^url is not an address that begins with https:\/\//],
    ['a full-width colon', { url: 'https：//a' }, /^url has a full-width ： at character 6: write :/],
    ['quotes', { url: '"/v3/x"' }, /^url is in quotes: remove them/],
    ['a misspelled field', { ulr: '/' }, /^ulr is not a field here \(did you mean url\?\)/],
    [
      'a header’s name with a blank',
      { headers: { 'Accept Language': 'zh' } },
      /has a space at character 7; a name here is the name of a header/,
    ],
  ] as const)
    it(`names ${title}`, () => {
      assert.match(refused(value).message, message);
    });

  it('says everything that is wrong with a request at once, in order', () => {
    const { message, others } = refused({ method: 'GE T', url: 'x', nonce: 'a b' });
    assert.deepEqual(
      [message, ...others.map((one) => one.message)].map((text) => text.split(' ')[0]),
      ['method', 'url', 'nonce'],
    );
  });
});
