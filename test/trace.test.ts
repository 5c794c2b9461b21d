// Trace contexts: what is read of a caller's headers, what continues from them, and what is written for the next.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { beginTrace, childOf, readTrace, siblingOf, traceHeaders } from '../src/trace.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const spanId = '00f067aa0ba902b7';
const traceparent = `00-${traceId}-${spanId}-01`;
const always = () => true;

describe('a traceparent', () => {
  it('is read, with what was decided about recording', () => {
    assert.deepEqual(readTrace({ traceparent }), { traceId, spanId, isSampled: true });
    for (const [flags, isSampled] of [
      ['00', false],
      ['01', true],
      ['02', false],
      ['03', true],
      ['ff', true],
    ] as const)
      assert.equal(readTrace({ traceparent: `00-${traceId}-${spanId}-${flags}` })?.isSampled, isSampled, flags);
  });

  it('of a later version is read as far as it is known', () => {
    for (const later of [`01-${traceId}-${spanId}-01`, `cc-${traceId}-${spanId}-01-what-comes-later`])
      assert.deepEqual(readTrace({ traceparent: later }), { traceId, spanId, isSampled: true });
  });

  it('that is malformed is ignored: a trace begins', () => {
    for (const malformed of [
      '',
      'ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
      `00-${'0'.repeat(32)}-${spanId}-01`,
      `00-${traceId}-${'0'.repeat(16)}-01`,
      `00-${traceId.toUpperCase()}-${spanId}-01`,
      `00-${traceId.slice(1)}-${spanId}-01`,
      `00-${traceId}-${spanId}-0`,
      `00-${traceId}-${spanId}-01-`,
      `00-${traceId}-${spanId}-01-more`,
      `cc-${traceId}-${spanId}-01more`,
      ` ${traceparent}`,
      `${traceparent}, ${traceparent}`,
      [traceparent, traceparent],
    ]) {
      assert.equal(readTrace({ traceparent: malformed }), undefined, String(malformed));
      const begun = beginTrace({ traceparent: malformed, tracestate: 'a=1' }, always);
      assert.deepEqual([begun.parentId, begun.state, begun.traceId === traceId], [undefined, undefined, false]);
    }
  });

  it('takes its state along as it came, if that is a list that may be sent', () => {
    for (const state of ['vendor=1', 'a=1,b@c=x/y z', 'a=1, b=2'])
      assert.equal(readTrace({ traceparent, tracestate: state })?.state, state);
    for (const tracestate of ['', 'novalue', 'a=\u00e9', 'a=1\r\nx: y', `a=${'x'.repeat(511)}`, ['a=1', 'b=2']])
      assert.deepEqual(readTrace({ traceparent, tracestate }), { traceId, spanId, isSampled: true });
  });

  it('of any content is read as two ids that are not zero, or not at all', () => {
    const headers = fc.oneof(
      fc.string(),
      fc.stringMatching(/^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}.{0,3}$/),
    );
    fc.assert(
      fc.property(headers, (hostile) => {
        const read = readTrace({ traceparent: hostile });
        if (read !== undefined)
          assert.ok(/^(?!0+$)[0-9a-f]{32} (?!0+ )[0-9a-f]{16}$/.test(`${read.traceId} ${read.spanId}`));
      }),
    );
  });
});

describe('a span', () => {
  it('continues the trace of its caller, under an id of its own', () => {
    const span = beginTrace({ traceparent, tracestate: 'a=1' }, always);
    assert.deepEqual({ ...span, spanId: '' }, { traceId, spanId: '', parentId: spanId, isSampled: true, state: 'a=1' });
    assert.match(span.spanId, /^(?!0+$)[0-9a-f]{16}$/);
  });

  it('has children and siblings with ids of their own', () => {
    const span = beginTrace({ traceparent }, always);
    const [child, sibling] = [childOf(span), siblingOf(span)];
    assert.equal(new Set([span.spanId, child.spanId, sibling.spanId]).size, 3);
    assert.deepEqual([child.parentId, sibling.parentId, child.traceId], [span.spanId, spanId, traceId]);
  });

  it('is recorded as its sampler says, and says so to the next', () => {
    for (const isSampled of [true, false]) {
      const span = beginTrace({}, () => isSampled);
      assert.deepEqual(traceHeaders(span), { traceparent: `00-${span.traceId}-${span.spanId}-0${isSampled ? 1 : 0}` });
    }
    assert.deepEqual(traceHeaders(beginTrace({ traceparent, tracestate: 'a=1' }, always))['tracestate'], 'a=1');
  });
});
