// What BER would cost is counted before anything is made of it, and the count never exceeds what a file may have.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { BerBudget, berLimits } from '../../src/crypto/ber-bounds.ts';
import { readPkcs12 } from '../../src/crypto/pkcs12.ts';

/** An element around the content, with a length of three octets. */
const wrap = (tag: number, content: Buffer): Buffer =>
  Buffer.concat([
    Buffer.of(tag, 0x83, content.length >> 16, (content.length >> 8) & 255, content.length & 255),
    tag === 0x03 ? Buffer.of(0) : Buffer.alloc(0),
    content,
  ]);

function nest(levels: number, tags: readonly number[], content: Buffer = Buffer.alloc(0)): Buffer {
  let bytes: Buffer = content;
  for (let level = 0; level < levels; level++) {
    const [tag = 0x30] = [tags[level % tags.length]];
    bytes = wrap(tag, bytes);
  }
  return bytes;
}

/** The elements that were counted, and whether all of it may be read. */
function spend(...parts: readonly Buffer[]): { elements: number; isRefused: boolean } {
  const budget = new BerBudget();
  try {
    for (const part of parts) budget.spend(part);
    return { elements: budget.elements, isRefused: false };
  } catch (error) {
    assert.equal((error as Error).name, 'DerError');
    return { elements: budget.elements, isRefused: true };
  }
}

describe('a budget for BER', () => {
  it('counts no more elements than a file may have, of any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000 }), (bytes) => {
        assert.ok(spend(Buffer.from(bytes)).elements <= berLimits.elements + 1);
      }),
      { numRuns: 500 },
    );
  });

  it('counts each element once: twice the elements are twice the count, and no more', () => {
    const flat = (count: number) => Buffer.concat(Array.from({ length: count }, () => Buffer.of(0x05, 0)));
    for (const count of [100, 1000, 4000]) {
      assert.equal(spend(flat(count)).elements, count);
      assert.equal(spend(flat(2 * count)).elements, 2 * count);
    }
  });

  it('ends at the same depth however deep it goes on, in sequences, pieces of strings and bits', () => {
    for (const tags of [[0x30], [0x24], [0x03], [0x30, 0x24, 0x03]]) {
      assert.equal(spend(nest(berLimits.depth, tags)).isRefused, false);
      for (const levels of [2, 4, 8].map((times) => times * berLimits.depth)) {
        const { elements, isRefused } = spend(nest(levels, tags));
        assert.ok(isRefused && elements <= berLimits.depth + 2, String(elements));
      }
    }
  });

  it('takes lengths without an end, and what is cut off, as far as they go', () => {
    const open = Buffer.concat([...Array.from({ length: 1000 }, () => Buffer.of(0x30, 0x80))]);
    assert.ok(spend(open).isRefused);
    assert.deepEqual(spend(Buffer.of(0x30, 0x80, 0x05, 0, 0, 0, 0x05, 0)), { elements: 3, isRefused: false });
    assert.deepEqual(spend(Buffer.of(0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0x05)), { elements: 2, isRefused: false });
  });

  it('is one for all passes over a file', () => {
    const half = Buffer.alloc(berLimits.bytes / 2 + 1, 0x04);
    assert.ok(spend(half, half).isRefused);
  });
});

describe('a PKCS#12 file of nested strings', () => {
  const refused = { code: 'pkcs12-malformed', field: 'the.p12' };

  it('is refused by its depth and by its size, before node-forge reads it', async () => {
    // Strings that hold sequences that hold strings: each pass over one used to begin others.
    for (const levels of [50, 100, 250]) {
      const nested = nest(levels, [0x04, 0x30], Buffer.alloc(50_000, 0x30));
      await assert.rejects(readPkcs12(nested, 'x', 'the.p12'), refused);
    }
    await assert.rejects(readPkcs12(wrap(0x30, Buffer.alloc(900_000, 5)), 'x', 'the.p12'), refused);
  });
});
