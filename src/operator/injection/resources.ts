// CPU and memory of an injected sidecar: a default gives way to what the Pod says of the other end, so that the API server takes both.
import type { PaycertError } from '../../errors.ts';
import { cpuLimitAnnotation, cpuRequestAnnotation, memoryLimitAnnotation, memoryRequestAnnotation } from '../labels.ts';
import { refusal } from './refusal.ts';

export interface Resources {
  readonly request: string;
  readonly limit: string | undefined;
}

interface Row {
  readonly request: { readonly annotation: string; readonly default: string };
  readonly limit: { readonly annotation: string; readonly default: string | undefined };
}

export const resources = {
  cpu: {
    request: { annotation: cpuRequestAnnotation, default: '50m' },
    limit: { annotation: cpuLimitAnnotation, default: undefined },
  },
  memory: {
    request: { annotation: memoryRequestAnnotation, default: '96Mi' },
    limit: { annotation: memoryLimitAnnotation, default: '256Mi' },
  },
} as const satisfies Record<string, Row>;

const factors: Readonly<Record<string, number>> = {
  ...{ m: 1 / 1000, k: 1e3, M: 1e6, G: 1e9 },
  ...{ Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30 },
};

/** CPUs or bytes, of a text that has the form of its annotation. */
function amountOf(text: string): number {
  const [, digits = '', unit = ''] = /^([0-9.]+)([a-zA-Z]*)$/.exec(text) ?? [];
  return Number(digits) * (factors[unit] ?? 1);
}

export interface ResourcesFound {
  readonly found: Resources;
  readonly warnings: readonly string[];
  readonly faults: readonly PaycertError[];
}

/** `said`: what the annotations say, where they say something. */
export function resourcesOf(
  { request, limit }: Row,
  said: { readonly request: string | undefined; readonly limit: string | undefined },
): ResourcesFound {
  const found = { request: said.request ?? request.default, limit: said.limit ?? limit.default };
  const isFine = found.limit === undefined || amountOf(found.request) <= amountOf(found.limit);
  if (isFine || found.limit === undefined) return { found, warnings: [], faults: [] };
  if (said.request !== undefined && said.limit !== undefined)
    return {
      found,
      warnings: [],
      faults: [refusal(`annotation ${request.annotation}`, `is larger than ${limit.annotation}`)],
    };
  // The Pod names one of the two: that one counts for both.
  const both = said.limit ?? found.request;
  const warning =
    said.limit === undefined
      ? `Annotation ${request.annotation} is above the default limit of ${found.limit}: the limit of the sidecar is ${both}.`
      : `Annotation ${limit.annotation} is below the ${request.default} that a sidecar asks for: it asks for ${both}, and may be slow or be ended.`;
  return { found: { request: both, limit: both }, warnings: [warning], faults: [] };
}
