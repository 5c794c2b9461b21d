// Whose account a request is about: every spelling of it is found, and nothing else is taken for it.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { PaycertError } from '../../../src/errors.ts';
import { assertOwnJson, assertOwnQuery } from '../../../src/providers/shared/own-account.ts';

const names = ['mchid', 'sp_mchid'];
const own = '1900000001';

/** The field that is refused; undefined where nothing is. */
function refusedJson(text: string | Uint8Array): string | undefined {
  try {
    assertOwnJson(typeof text === 'string' ? Buffer.from(text) : text, names, own);
    return undefined;
  } catch (error) {
    assert.ok(error instanceof PaycertError && error.code === 'request-invalid', String(error));
    return error.field;
  }
}

const refusesQuery = (target: string): boolean => {
  try {
    assertOwnQuery(target, names, own);
    return false;
  } catch {
    return true;
  }
};

/** A JSON string in which some characters are escaped that need not be. */
const spelled = (text: string): fc.Arbitrary<string> =>
  fc
    .array(fc.boolean(), { minLength: text.length, maxLength: text.length })
    .map((escapes) => `"${Array.from(text).map((c, i) => (escapes[i] ? `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}` : c)).join('')}"`); // prettier-ignore

const space = fc.constantFrom('', ' ', '\n', '\t \r\n');
const name = fc.constantFrom(...names).chain((text) => spelled(text).map((key) => ({ text, key })));
const other = fc.json({ maxDepth: 3 });

describe('the members of a JSON body', () => {
  it('that name the account are found in any spelling, at any place among others', () => {
    fc.assert(
      fc.property(name, fc.array(other, { maxLength: 3 }), space, other, ({ text, key }, before, gap, value) => {
        const members = before.map((json, index) => `"m${String(index)}":${json}`);
        const bodyWith = (json: string) =>
          `{${gap}${[...members, `${key}${gap}:${gap}${json}`].join(`,${gap}`)}${gap}}`;
        const parsed: unknown = JSON.parse(value);
        const isOwn = parsed === own || parsed === Number(own);
        assert.equal(refusedJson(bodyWith(value)), isOwn ? undefined : `body.${text}`);
        assert.equal(refusedJson(bodyWith(`"${own}"`)), undefined);
      }),
    );
  });

  it('that name it twice are refused, even if both are the credential’s', () => {
    fc.assert(
      fc.property(spelled('mchid'), spelled('mchid'), other, (first, second, between) => {
        assert.equal(refusedJson(`{${first}:"${own}","x":${between},${second}:"${own}"}`), 'body.mchid');
      }),
    );
  });

  it('below the top, and texts that look like members, are somebody else’s', () => {
    fc.assert(
      fc.property(fc.string(), other, (text, inner) => {
        const looks = JSON.stringify(`${text}","mchid":"1","`);
        assert.equal(
          refusedJson(`{"a":${looks},"b":{"mchid":${inner}},"c":[{"mchid":1},"mchid",":"],${looks}:1}`),
          undefined,
        );
      }),
    );
  });

  it('are those of one object in UTF-8, of at most a megabyte, or there is no body', () => {
    assert.equal(refusedJson(''), undefined);
    for (const text of ['[]', '"mchid"', 'null', '1', '{', '{}{}', "{'mchid':1}", '{"a":1,}', '\ufeff{}'])
      assert.equal(refusedJson(text), 'body', text);
    assert.equal(refusedJson(Buffer.from([0x7b, 0x22, 0xc3, 0x28, 0x22, 0x3a, 0x31, 0x7d])), 'body');
    assert.equal(refusedJson(`{"a":"${'x'.repeat(1024 * 1024)}"}`), 'body');
  });

  it('are not looked for in what would keep everybody else waiting', () => {
    const deep = (levels: number) => `{"a":${'['.repeat(levels)}${']'.repeat(levels)}}`;
    const wide = (values: number) => `{"a":[${'1,'.repeat(values)}1]}`;
    assert.deepEqual([deep(31), deep(32), deep(500_000)].map(refusedJson), [undefined, 'body', 'body']);
    assert.deepEqual([wide(20_000), wide(20_001), wide(500_000)].map(refusedJson), [undefined, 'body', 'body']);
    for (const text of ['{"', '{"a', '{"a\\', '{"a":"\\"}', '"'.repeat(999)])
      assert.equal(refusedJson(text), 'body', text);
  });
});

describe('the parameters of a query', () => {
  it('that name another account are found, encoded as they may be, first or last', () => {
    for (const target of [
      '/v3?mchid=2',
      '/v3?a=1&mchid=2',
      `/v3?mchid=${own}&mchid=2`,
      '/v3?%6dchid=2',
      '/v3?mchid',
      '/v3?mchid=',
      `/v3?mchid=${own}+`,
      '/v3?a?&sp_mchid=2',
    ])
      assert.ok(refusesQuery(target), target);
  });

  it('that name the credential’s, or nothing, are taken', () => {
    for (const target of [
      '/v3',
      '/v3?',
      `/v3?mchid=${own}`,
      `/v3?mchid=${own}&sp_mchid=${own}`,
      '/v3?sub_mchid=2',
      '/mchid=2?a=mchid=2',
    ])
      assert.ok(!refusesQuery(target), target);
  });
});
