// What a file says nothing with: blanks of any kind, and no byte more.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isBlank } from '../src/blank.ts';

describe('a file', () => {
  for (const text of ['', ' \t\r\n', '\ufeff\n', '\u00a0\u3000', '\\n\\r\\n', '\n'.repeat(1000), '\u3000'.repeat(22)])
    it(`that holds ${JSON.stringify(text.slice(0, 8))}, ${text.length} characters, says nothing`, () =>
      assert.equal(isBlank(Buffer.from(text)), true));

  for (const text of ['x', '\\', '\\t', '\0', `${' '.repeat(1000)}x`, `x${' '.repeat(1000)}`])
    it(`that holds ${JSON.stringify(text.trim())} says something`, () =>
      assert.equal(isBlank(Buffer.from(text)), false));

  it('whose bytes are no text says something', () => assert.equal(isBlank(Uint8Array.of(0x30, 0x82, 0xff)), false));

  it('that begins with more blanks than anybody writes is looked at no further', () =>
    assert.equal(isBlank(Buffer.from(`${' '.repeat(64 * 1024)}x`)), true));

  it('is looked at without what lies beside its bytes', () => {
    const whole = Buffer.from('before   after');
    assert.equal(isBlank(whole.subarray(6, 9)), true);
  });
});
