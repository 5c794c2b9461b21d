// Patterns that schemas hold as text, which no lint rule sees: none takes longer than in proportion to what it looks at.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { analyse } from 'scslre';
import { ResourceSpecSchema } from '../../src/config/resource.ts';
import { ConfigSchema } from '../../src/config/schema/config.ts';
import { CredentialSchema } from '../../src/config/schema/credential.ts';
import { matches, type Schema } from '../../src/json-schema.ts';
import { platforms } from '../../src/providers/registry.ts';
import * as api from '../../src/server/schema.ts';

function* patternsIn(schema: unknown): Generator<string> {
  if (typeof schema !== 'object' || schema === null) return;
  const { pattern, patternProperties = {} } = schema as { pattern?: unknown; patternProperties?: object };
  if (typeof pattern === 'string') yield pattern;
  yield* Object.keys(patternProperties);
  for (const inside of Object.values(schema)) yield* patternsIn(inside);
}

/** Every map of names to values: what it says of its names. */
function* mapsIn(schema: unknown): Generator<{ readonly patterns: readonly string[]; readonly isClosed: boolean }> {
  if (typeof schema !== 'object' || schema === null) return;
  const { patternProperties, additionalProperties } = schema as Schema;
  if (patternProperties) yield { patterns: Object.keys(patternProperties), isClosed: additionalProperties === false };
  for (const inside of Object.values(schema)) yield* mapsIn(inside);
}

const schemas = [
  ConfigSchema,
  CredentialSchema,
  ResourceSpecSchema,
  ...Object.values(platforms).map(({ options }) => options),
  ...Object.values(api),
];
const patterns = new Set(schemas.flatMap((schema) => [...patternsIn(schema)]));

describe('the patterns of the schemas', () => {
  it('are found by this test', () => {
    assert.ok(patterns.size > 30, String(patterns.size));
  });

  it('take no longer than in proportion to the text', () => {
    for (const pattern of patterns) assert.deepEqual(analyse(new RegExp(pattern, 'u')).reports, [], pattern);
  });

  it('would be found if they did', () => {
    assert.equal(analyse(/^(?:a+)+$/u).reports.length > 0, true);
  });
});

describe('a map of names to values', () => {
  const maps = schemas.flatMap((schema) => [...mapsIn(schema)]);

  it('is found by this test', () => {
    assert.ok(maps.length > 5, String(maps.length));
  });

  it('looks at what stands under any name, or refuses the name', () => {
    for (const { patterns: names, isClosed } of maps)
      for (const name of ['a\nb', 'a\r', '\u2028', '\u2029', '', '\0', '\uD800', '__proto__', 'a'.repeat(300)])
        assert.ok(isClosed || names.some((pattern) => matches(pattern, name)), `${names.join()}: ${JSON.stringify(name)}`); // prettier-ignore
  });
});
