// What an annotation or a file says of when staged keys sign: read whole or refused, whoever wrote it.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatActivations, readActivations } from '../../src/config/activations.ts';
import type { ActivateConfig } from '../../src/config/schema/source.ts';
import { PaycertError } from '../../src/errors.ts';

describe('what says when staged keys sign', () => {
  it('is read as it was written, and is empty where nothing was', () => {
    const said = new Map<string, ActivateConfig>([
      ['wechat-main', { percent: 5, of: 'pods' }],
      ['alipay', { at: '2026-12-01T02:00:00Z' }],
      ['third', { from: '2026-12-01T02:00:00Z', steps: [{ percent: 5, for: '10m' }] }],
    ]);
    assert.deepEqual(readActivations(formatActivations(said)), said);
    for (const text of ['', '\n', '{}']) assert.deepEqual(readActivations(text), new Map());
  });

  it('is refused with its field where it is anything else', () => {
    const bad: [text: string, expected: RegExp][] = [
      ['{', /is not JSON/],
      ['[]', /./],
      ['null', /./],
      ['{"a":{}}', /^a needs at, percent or steps/],
      ['{"a":{"percent":101}}', /a\.percent/],
      ['{"a":{"percent":1,"at":"2026-12-01T02:00:00Z"}}', /give one/],
      ['{"a":{"at":"soon"}}', /a\.at/],
      ['{"x y":{"percent":1}}', /./],
      ['{"__proto__":{"percent":1}}', /./],
      ['{"a":{"percent":1,"secret":"mine"}}', /a\.secret/],
      [`{"a":${' '.repeat(20_000)}{"percent":1}}`, /is longer than 16384 characters/],
    ];
    for (const [text, expected] of bad)
      assert.throws(() => readActivations(text), { code: 'activation-invalid', message: expected }, text.slice(0, 40));
  });

  it('of any shape is read or refused, and never more than a time or a share', () => {
    const value = fc.oneof(fc.jsonValue(), fc.dictionary(fc.constantFrom('a', '__proto__', 'x y'), fc.record({ percent: fc.integer() }))); // prettier-ignore
    fc.assert(
      fc.property(value, (one) => {
        try {
          for (const { percent = 0 } of readActivations(JSON.stringify(one)).values())
            assert.ok(percent >= 0 && percent <= 100);
        } catch (error) {
          assert.ok(error instanceof PaycertError && error.code === 'activation-invalid', String(error));
        }
      }),
    );
  });
});
