// What a metric is that events move: a row with its help, its labels, and what each event adds, observes or sets.
import type { Event } from '../../events.ts';
import type { Sample } from '../fact-gauge.ts';

/** Part of docs/metrics.md. */
export type About = 'keys' | 'reloads' | 'operations' | 'proxy' | 'notifications' | 'audit' | 'operator' | 'process';

/** What every row of a metric has. */
export interface MetricRow {
  readonly about: About;
  readonly help: string;
  /** More than a scrape needs, for docs/metrics.md. */
  readonly more?: string;
  readonly labels: readonly string[];
}

/** The value is what a counter grows by, a histogram observes, and a gauge becomes; absent, if that is no number. Undefined: nothing. */
type Readers = { readonly [T in Event['type']]?: (event: Extract<Event, { type: T }>) => Sample | undefined };

export interface CountedRow extends MetricRow {
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** Upper edges, of a histogram. */
  readonly buckets?: readonly number[];
  readonly on: Readers;
}

/** One more of these labels. */
export const one = (labels: Readonly<Record<string, string>> = {}): Sample => ({ value: 1, ...labels });
