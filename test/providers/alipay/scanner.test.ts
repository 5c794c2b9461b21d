// The scanner finds the bytes of every member as JSON.parse reads them, and hostile input is an error of ours or none.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { decodeFields, fieldsOf, formatForm, parseForm, signedText } from '../../../src/providers/alipay/form.ts';
import { readText } from '../../../src/providers/alipay/charsets.ts';
import { scanMembers } from '../../../src/providers/alipay/scanner.ts';
import { PaycertError } from '../../../src/errors.ts';

const scan = (body: Uint8Array) => {
  const text = readText(body);
  if (text === undefined) throw new PaycertError('message-malformed', 'no text');
  return scanMembers(text);
};
const slice = (body: Buffer, { start, end }: { start: number; end: number }) => body.subarray(start, end).toString();

/** JSON text of the value with space wherever JSON allows it. */
const spaced = (value: unknown): string => JSON.stringify(value, undefined, '\t');
const value = fc.oneof(fc.jsonValue(), fc.constantFrom('}"', '\\', '\\"', '{"sign":"x"}', '手机', '\u2028'));
const object = fc.dictionary(
  fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('sign', 'a"', '\\', '__proto__x')),
  value,
);

describe('scanMembers', () => {
  it('finds each member of an object as its bytes, whatever is inside and between', () => {
    fc.assert(
      fc.property(object, fc.boolean(), (members, isSpaced) => {
        const body = Buffer.from(` ${isSpaced ? spaced(members) : JSON.stringify(members)}\n`);
        const spans = scan(body);
        const parsed = JSON.parse(body.toString()) as Record<string, unknown>;
        assert.deepEqual([...spans.keys()].sort(), Object.keys(parsed).sort());
        for (const [name, span] of spans) assert.deepEqual(JSON.parse(slice(body, span)), parsed[name]);
      }),
    );
  });

  it('refuses a name that is there twice, however it is written', () => {
    for (const body of ['{"a":1,"a":2}', '{"a":1,"\\u0061":2}', '{"a":{},"b":[],"a":null}']) {
      assert.throws(() => scan(Buffer.from(body)), { code: 'message-malformed' });
    }
  });

  it('says of any bytes where members are, or that they are no object', () => {
    const bytes = fc.oneof(
      fc.uint8Array(),
      fc.string().map((text) => Buffer.from(text)),
      object.map((one) => Buffer.from(JSON.stringify(one)).subarray(1)),
    );
    fc.assert(
      fc.property(bytes, (body) => {
        try {
          for (const span of scan(body).values()) JSON.parse(slice(Buffer.from(body), span));
        } catch (error) {
          assert.ok(error instanceof PaycertError && error.code === 'message-malformed');
        }
      }),
    );
  });

  it('takes time that grows with the body, not faster', () => {
    const long = `{"a":${'['.repeat(60)}${'[],'.repeat(20_000)}1${']'.repeat(60)},"b":"${'\\"'.repeat(20_000)}"}`;
    assert.equal(scan(Buffer.from(long)).size, 2);
  });

  it('refuses what is nested deeper, or has more members, than any response', () => {
    const deep = (depth: number) => `{"a":${'[{"b":'.repeat(depth / 2)}1${'}]'.repeat(depth / 2)}}`;
    const wide = (count: number) => JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, i) => [i, 0])));
    assert.equal(scan(Buffer.from(deep(64))).size, 1);
    assert.equal(scan(Buffer.from(wide(1000))).size, 1000);
    for (const body of [deep(66), deep(500_000), wide(1001)])
      assert.throws(() => scan(Buffer.from(body)), { code: 'message-malformed' });
  });
});

describe('forms', () => {
  const name = fc
    .string({ minLength: 1, unit: 'grapheme' })
    .filter((text) => text !== 'charset' && text.isWellFormed());
  const parameters = fc.dictionary(
    name,
    fc.string({ unit: 'grapheme' }).filter((text) => text.isWellFormed()),
    { noNullPrototype: true },
  );

  it('are decoded once to what they were made of, and sign the same text', () => {
    fc.assert(
      fc.property(parameters, (given) => {
        const fields = parseForm(Buffer.from(formatForm(given)), 'body');
        assert.deepEqual(decodeFields(fields, 'body'), given);
        assert.deepEqual(signedText(fields), signedText(fieldsOf(given)));
      }),
    );
  });

  it('agree with the browser’s reading of them', () => {
    fc.assert(
      fc.property(parameters, (given) => {
        const form = new URLSearchParams(given).toString();
        assert.deepEqual(decodeFields(parseForm(Buffer.from(form), 'body'), 'body'), given);
      }),
    );
  });

  it('of any bytes are fields, or an error of ours', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.string().map((text) => Buffer.from(text)),
        ),
        (bytes) => {
          try {
            decodeFields(parseForm(bytes, 'body'), 'body');
          } catch (error) {
            assert.ok(error instanceof PaycertError && /^(?:message|notification)-malformed$/.test(error.code));
          }
        },
      ),
    );
  });
});
