// Which traces are recorded, for each name that OpenTelemetry knows.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { samplerOf } from '../../src/otlp/sampler.ts';

const [low, high] = [`${'a'.repeat(18)}${'0'.repeat(14)}`, 'f'.repeat(32)];
const parent = (isSampled: boolean) => ({ traceId: low, spanId: '1'.repeat(16), isSampled });

/** For a trace that begins with a low id, one with a high id, and one whose caller records, or does not. */
function decisions(name?: string, argument?: string) {
  const ignored: string[] = [];
  const samples = samplerOf({ OTEL_TRACES_SAMPLER: name, OTEL_TRACES_SAMPLER_ARG: argument }, (variable) => ignored.push(variable)); // prettier-ignore
  const decided = [samples(low, undefined), samples(high, undefined), samples(high, parent(true)), samples(low, parent(false))]; // prettier-ignore
  return { decided, ignored };
}

describe('a sampler', () => {
  it('decides as its name says', () => {
    for (const [name, argument, decided] of [
      [undefined, undefined, [true, true, true, false]],
      ['', '', [true, true, true, false]],
      ['parentbased_always_on', undefined, [true, true, true, false]],
      ['parentbased_always_off', undefined, [false, false, true, false]],
      ['parentbased_traceidratio', '0.5', [true, false, true, false]],
      ['always_on', undefined, [true, true, true, true]],
      ['always_off', undefined, [false, false, false, false]],
      ['traceidratio', '0.5', [true, false, false, true]],
      ['traceidratio', '0', [false, false, false, false]],
      ['traceidratio', '1', [true, true, true, true]],
      ['traceidratio', undefined, [true, true, true, true]],
    ] as const)
      assert.deepEqual(decisions(name, argument), { decided, ignored: [] }, `${name} ${argument}`);
  });

  it('that is not known, or whose share is none, is ignored by name', () => {
    const asDefault = [true, true, true, false];
    assert.deepEqual(decisions('jaeger_remote'), { decided: asDefault, ignored: ['OTEL_TRACES_SAMPLER'] });
    assert.deepEqual(decisions('constructor').ignored, ['OTEL_TRACES_SAMPLER']);
    for (const share of ['2', '-0.1', 'half', 'NaN'])
      assert.deepEqual(decisions('traceidratio', share).ignored, ['OTEL_TRACES_SAMPLER_ARG'], share);
  });
});
