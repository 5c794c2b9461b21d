// Which traces are recorded, as `OTEL_TRACES_SAMPLER` says: what the caller decided counts, unless it says otherwise.
import type { Sampler } from '../trace.ts';
import type { Environment, Ignore } from './variables.ts';

const always: Sampler = () => true;
const never: Sampler = () => false;

/** By the last 56 bits of the trace's id, so that all programs with the same share choose the same traces. */
const ratio =
  (share: number): Sampler =>
  (traceId) =>
    share === 1 || Number.parseInt(traceId.slice(-14), 16) / 2 ** 56 < share;

const byParent =
  (root: Sampler): Sampler =>
  (traceId, parent) =>
    parent?.isSampled ?? root(traceId, parent);

const samplers: Readonly<Record<string, (share: number) => Sampler>> = {
  always_on: () => always,
  always_off: () => never,
  traceidratio: ratio,
  parentbased_always_on: () => byParent(always),
  parentbased_always_off: () => byParent(never),
  parentbased_traceidratio: (share) => byParent(ratio(share)),
};

export function samplerOf(environment: Environment, ignore: Ignore): Sampler {
  const [name, argument] = ['OTEL_TRACES_SAMPLER', 'OTEL_TRACES_SAMPLER_ARG'].map((one) => environment[one]?.trim());
  const chosen = Object.entries(samplers).find(([known]) => known === name)?.[1];
  if (chosen === undefined && name !== undefined && name !== '')
    ignore('OTEL_TRACES_SAMPLER', `it is not one of ${Object.keys(samplers).join(', ')}`);
  const share = argument === undefined || argument === '' ? 1 : Number(argument);
  const isShare = share >= 0 && share <= 1;
  if (!isShare) ignore('OTEL_TRACES_SAMPLER_ARG', 'it is no share from 0 to 1');
  return (chosen ?? (() => byParent(always)))(isShare ? share : 1);
}
