// The chain of an audit: whatever is done to its lines by somebody who has no key is found.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { beginning, digestWith, type Head, isGenuine, link, numberOf, readLine } from '../../src/audit/chain.ts';
import { auditKey, verify } from '../support/audited.ts';

const records = fc.array(
  fc.record({ type: fc.string(), hash: fc.string(), seq: fc.integer(), about: fc.jsonValue() }),
  { minLength: 1, maxLength: 12 },
);

function chain(of: readonly object[], digest = digestWith(auditKey)) {
  let head: Head = beginning;
  const lines = of.map((record) => {
    const linked = link(record, head, digest);
    head = linked.head;
    return linked.line;
  });
  return { lines, end: { seq: head.seq, number: numberOf(head) } };
}

/** Where in the lines, as a share of them. */
const place = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
const at = (share: number, length: number): number => Math.floor(share * length);

type Tampering = (lines: readonly string[], one: number, other: number, text: string) => readonly string[];

const tamperings: Readonly<Record<string, Tampering>> = {
  'a changed character': (lines, one, other) =>
    lines.map((line, index) => {
      if (index !== at(one, lines.length)) return line;
      const where = at(other, line.length);
      return line.slice(0, where) + (line[where] === 'x' ? 'y' : 'x') + line.slice(where + 1);
    }),
  'a removed line': (lines, one) => lines.toSpliced(at(one, lines.length), 1),
  'a repeated line': (lines, one, other) =>
    lines.toSpliced(at(one, lines.length + 1), 0, lines[at(other, lines.length)] ?? ''),
  'an inserted line that follows the one before it': (lines, one, _, text) => {
    const before = readLine(lines[at(one, lines.length)] ?? '') ?? beginning;
    return lines.toSpliced(
      at(one, lines.length) + 1,
      0,
      link({ text }, before, digestWith('another key, of others')).line,
    );
  },
  'an inserted text': (lines, one, _, text) => lines.toSpliced(at(one, lines.length + 1), 0, text),
  'two lines that changed places': (lines, one, other) => {
    const [a, b] = [at(one, lines.length), at(other, lines.length)];
    return a === b ? lines.slice(1) : lines.with(a, lines[b] ?? '').with(b, lines[a] ?? '');
  },
  'an end that is cut off': (lines, one) => lines.slice(0, at(one, lines.length)),
  'a beginning that is cut off': (lines, one) => lines.slice(at(one, lines.length) + 1),
  'a line that is cut off': (lines, one, other) => {
    const index = at(one, lines.length);
    return lines.with(index, lines[index]?.slice(0, at(other, lines[index].length)) ?? '');
  },
  'another chain in its place': (lines, _, __, text) =>
    chain(
      lines.map(() => ({ text })),
      digestWith('another key, of others'),
    ).lines,
};

describe('the chain of an audit', () => {
  it('is in order as it was written, with a key and without', () => {
    fc.assert(
      fc.property(records, fc.constantFrom(auditKey, undefined), (of, key) => {
        const { lines, end } = chain(of, digestWith(key));
        let head: Head | undefined;
        for (const [index, line] of lines.entries()) {
          const linked = readLine(line) ?? assert.fail(line);
          assert.equal(linked.seq, index + 1);
          assert.equal(linked.previous, head?.hash ?? '');
          assert.ok(isGenuine(line, linked, digestWith(key)));
          head = linked;
        }
        if (key !== undefined) assert.deepEqual(verify(lines, end).faults, []);
      }),
    );
  });

  it('is an HMAC-SHA-256 of what a line says, as anybody computes it, under a key of any length', () => {
    const key = fc.oneof(fc.string(), fc.string({ unit: 'binary', minLength: 60, maxLength: 300 }));
    fc.assert(
      fc.property(key, fc.array(fc.string({ unit: 'grapheme' })), fc.nat(5000), (secret, texts, length) => {
        const digest = digestWith(secret);
        for (const text of [...texts, '张'.repeat(length), 'a', '😀'.repeat(length / 2), 'b'.repeat(length)])
          assert.equal(digest(text), createHmac('sha256', secret).update(text).digest('hex'));
      }),
    );
  });

  for (const [what, tamper] of Object.entries(tamperings))
    it(`shows ${what}`, () => {
      fc.assert(
        fc.property(records, place, place, fc.string(), (of, one, other, text) => {
          const { lines, end } = chain(of);
          const tampered = tamper(lines, one, other, text);
          assert.notDeepEqual(tampered, lines);
          assert.notDeepEqual(verify(tampered, end).faults, []);
        }),
        { numRuns: 300 },
      );
    });

  it('continues under another key, and takes no line of a third one or of none', () => {
    const first = link({ a: 1 }, beginning, digestWith('the first key, of long ago'));
    const second = link({ a: 2 }, first.head, digestWith(auditKey));
    const lines = [first.line, second.line];
    assert.deepEqual(verify(lines, undefined, ['the first key, of long ago', auditKey]).faults, []);
    assert.ok(verify(lines).faults.some(({ kind }) => kind === 'changed'));
    assert.deepEqual(verify([link({ a: 1 }, beginning, digestWith(undefined)).line]).faults[0]?.kind, 'changed');
  });

  it('may begin later, where it says itself that earlier lines were removed', () => {
    const { lines } = chain([{}, {}, {}, { type: 'removed', through: 2 }, {}]);
    assert.deepEqual(verify(lines.slice(2)).faults, []);
    assert.deepEqual(verify(lines.slice(1)).faults, []);
    assert.deepEqual(verify(lines.slice(3)).faults, [{ kind: 'missing', after: 0 }]);
  });

  it('has a number of its end that a metric holds exactly, and says when another line is there', () => {
    const { lines, end } = chain([{}, {}, {}]);
    assert.ok(Number.isSafeInteger(end.number) && end.number > 0);
    assert.equal(String(end.number), String(Number(String(end.number))));
    const kinds = ({ seq, number }: typeof end) => verify(lines, { seq, number }).faults.map(({ kind }) => kind);
    assert.deepEqual(kinds({ ...end, number: end.number + 1 }), ['other-end']);
    assert.deepEqual(kinds({ ...end, seq: 4 }), ['cut']);
  });
});
