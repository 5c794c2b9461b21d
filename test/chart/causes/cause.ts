// What an incident is: a cause of ninety minutes, what Prometheus sees of it, and how soon its alert must begin and end.
import { labelled } from '../alert-cases/series.ts';
import { scraped, type Series } from '../incident.ts';

export interface Cause {
  readonly series: Series;
  /** Of the alert. */
  readonly labels: Readonly<Record<string, string>>;
  /** Minutes from the cause until it fires, at the latest. */
  readonly within: number;
  /** Minutes from the end of the cause until it is resolved, at the latest. */
  readonly after: number;
}

/** With half an hour before the cause, and half an hour after it. */
export const how = { minutes: 150, scrape: 30 };
export const minute = 60;
export const [begins, over] = [30 * minute, 120 * minute];

export const isNow = (at: number): boolean => at >= begins && at < over;

/** One value while the cause lasts, and another one otherwise. */
export const during = (bad: number | undefined, good: number | undefined): string =>
  scraped(how, (at) => (isNow(at) ? bad : good));

/** A counter that grows by so many a minute. */
export function counting(bad: number, good: number): string {
  let total = 0;
  return scraped(how, (at) => (total += ((isNow(at) ? bad : good) * how.scrape) / minute));
}

/** A counter of what never happened before, and happened so many minutes after the cause began. */
export const happened = (...times: readonly number[]): string =>
  scraped(how, (at) => times.filter((time) => at >= begins + time * minute).length || undefined);

/** A series of a sidecar that names no credential. */
export const ofSidecar = (metric: string, more: object = {}): string =>
  `${metric}${labelled({ namespace: 'pay', job: 'paycert', instance: 'a', pod: 'a', ...more })}`;

export const ofOperator = (metric: string, more: object = {}): string =>
  `${metric}${labelled({ namespace: 'paycert-system', job: 'operator', instance: 'o', pod: 'o', ...more })}`;
