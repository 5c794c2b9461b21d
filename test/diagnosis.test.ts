// Whatever a schema refuses has a problem with a place, in words that a person can act on, and no value.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Compile } from 'typebox/compile';
import { ConfigSchema } from '../src/config/schema/config.ts';
import { CredentialSchema } from '../src/config/schema/credential.ts';
import { diagnose } from '../src/diagnosis.ts';
import type { Schema } from '../src/json-schema.ts';
import { fieldOf } from '../src/validation.ts';

const schema = CredentialSchema as unknown as Schema;
const good = {
  name: 'wechat-main',
  provider: { wechatpay: { merchantId: '1900000001' } },
  source: { files: { path: '/etc/paycert' } },
};
const told = (value: object): string[] =>
  diagnose(schema, value).map(({ path, message }) => `${fieldOf(path)} ${message}`);

describe('a diagnosis', () => {
  for (const [title, change, sentences] of [
    [
      'names a misspelled field with the one that was meant, and does not call that one missing',
      { naem: 'a', name: undefined },
      ['naem is not a field here (did you mean name?)'],
    ],
    [
      'names a misspelled provider with the one that was meant',
      { provider: { wechat_pay: {} } },
      ['provider.wechat_pay is not a field here (did you mean wechatpay?)'],
    ],
    [
      'says of a number without quotes to put it in quotes',
      { provider: { wechatpay: { merchantId: 1900000001 } } },
      ['provider.wechatpay.merchantId is a number, and must be text: put it in quotes'],
    ],
    [
      'says of quotes around true to remove them',
      { required: 'true' },
      ['required is text, and must be true or false: write it without quotes'],
    ],
    [
      'names the character that does not belong in a name',
      { name: 'wechat_main' },
      [
        'name is not a name of at most 63 lower-case letters, digits, - and . that begins and ends with a letter or digit',
      ],
    ],
    [
      'names a value that is nearly right',
      { require: ['sgin'] },
      ['require[0] must be one of sign, verify, decrypt (did you mean sign?)'],
    ],
    [
      'says of a choice that nothing was chosen',
      { source: {} },
      ['source needs exactly one of files, env, secret, vault, consul, etcd, pki, unwrap, merge, fallback, staged'],
    ],
    [
      'names everything that is wrong inside one object',
      { name: '', grace: '5 minutes', maxAge: 90 },
      [
        'name is empty; it must be a name of at most 63 lower-case letters, digits, - and . that begins and ends with a letter or digit',
        'grace has a space at character 2; it must be a duration such as 500ms, 10s, 5m, 12h or 7d',
        'maxAge is a number, and must be a duration above zero such as 30d or 12h',
      ],
    ],
  ] as const)
    it(title, () => assert.deepEqual(told({ ...good, ...change }), sentences));

  it('shows no regular expression, whatever is wrong', () => {
    const patterns = JSON.stringify(ConfigSchema)
      .match(/"pattern":"[^"]*"/g)!
      .map((text) => text.slice(11, -1));
    for (const { message } of diagnose(
      ConfigSchema as unknown as Schema,
      everyTextWrong(ConfigSchema as unknown as Schema),
    ))
      for (const pattern of patterns) assert.ok(!message.includes(pattern) && !message.includes('^'), message);
  });

  const compiled = Compile(CredentialSchema);
  it('finds a problem in exactly what the schema refuses', () => {
    const junk = fc.oneof(
      fc.constantFrom(null, true, '', ' ', 'a', '粤', '5m', 0, -1, 1e9, 'sign'),
      fc.jsonValue({ maxDepth: 1 }),
    );
    const names = fc.constantFrom(
      'name',
      'provider',
      'source',
      'grace',
      'maxAge',
      'require',
      'required',
      'older',
      'extra',
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(names, junk), { maxLength: 3 }), (changes) => {
        const value = { ...good, ...Object.fromEntries(changes) };
        assert.equal(diagnose(schema, value).length === 0, compiled.Check(value), JSON.stringify(value));
      }),
      { numRuns: 2000 },
    );
  });

  it('of a document that is wrong a million times ends after 64 problems', () => {
    const list = { type: 'array', items: { type: 'string' } };
    assert.equal(
      diagnose(
        list,
        Array.from({ length: 1_000_000 }, () => 1),
      ).length,
      64,
    );
  });
});

/** A value with every text of the schema in a form that its pattern refuses. */
function everyTextWrong({ anyOf, properties, items, type }: Schema): unknown {
  if (anyOf) return everyTextWrong(anyOf.at(-1) ?? {});
  if (properties)
    return Object.fromEntries(Object.entries(properties).map(([name, inside]) => [name, everyTextWrong(inside)]));
  if (items) return [everyTextWrong(items)];
  return type === 'string' ? '\u00e4 ' : type === 'boolean' ? true : 1;
}
