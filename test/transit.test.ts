// What became of a message on its way here: told for what programs make of one, and nothing is said of anything else.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { looksLikeJson, oddBase64, oddDecoding, oddForm, traceOf, unlikeReceived } from '../src/transit.ts';

describe('a body that was written again', () => {
  it('is found as it was before, with whatever blanks it has now', () => {
    const spaces = fc.constantFrom(1, 4, '\t');
    fc.assert(
      fc.property(
        fc.oneof(fc.dictionary(fc.string(), fc.jsonValue()), fc.array(fc.jsonValue())),
        spaces,
        (value, space) => {
          const compact = Buffer.from(JSON.stringify(value));
          const again = Buffer.from(JSON.stringify(value, undefined, space));
          const found = traceOf(again)?.before;
          // Values such as -0 are written in one way only.
          assert.ok(again.equals(compact) ? found === undefined : found !== undefined && compact.equals(found));
        },
      ),
    );
  });

  it('is none where it is no JSON, is nested deeply, or is long', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), (bytes) => {
        const before = traceOf(bytes)?.before;
        assert.ok(before === undefined || Buffer.compare(before, bytes) !== 0);
      }),
    );
    for (const text of ['[', 'a=1', '<xml/>', '[ '.repeat(16_000), `[${' '.repeat(40_000)}]`])
      assert.equal(traceOf(Buffer.from(text)), undefined, text.slice(0, 10));
  });
});

describe('what is as it was received', () => {
  it('has nothing odd about it', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.dictionary(fc.string(), fc.string()), (bytes, headers) => {
        const base64 = Buffer.from(bytes).toString('base64');
        assert.deepEqual([oddBase64(base64), oddDecoding(base64)], [undefined, undefined]);
        assert.deepEqual([unlikeReceived('body', base64), unlikeReceived('headers', headers)], [undefined, undefined]);
        assert.equal(oddForm(Buffer.from(new URLSearchParams(headers).toString())), undefined);
      }),
    );
  });

  it('is taken for JSON only where it begins as an object does', () => {
    assert.deepEqual(
      [' {"a":1}', '{}', '{a}', 'a={"b":1}', '<xml/>', ''].map((text) => looksLikeJson(Buffer.from(text))),
      [true, true, false, false, false, false],
    );
  });
});
