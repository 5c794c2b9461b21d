// Makes a metric of every row that counts, and lets each event move those whose rows read it.
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Event } from '../../events.ts';
import type { Sample } from '../fact-gauge.ts';
import { audit } from './audit.ts';
import { exportRows } from './exports.ts';
import { forwarding } from './forwarding.ts';
import { notifications } from './notifications.ts';
import { operations } from './operations.ts';
import { operator } from './operator.ts';
import { keyServices } from './key-services.ts';
import { processRows } from './process.ts';
import { reloads } from './reloads.ts';
import type { CountedRow } from './row.ts';
import { Tally } from './tally.ts';

/** Every metric that events move, by its name. */
export const counted: Readonly<Record<string, CountedRow>> = {
  ...reloads,
  ...operations,
  ...keyServices,
  ...forwarding,
  ...notifications,
  ...audit,
  ...operator,
  ...exportRows,
  ...processRows,
};

export interface Counting {
  readonly count: (event: Event) => void;
  /** Drops the series of a credential that is gone: a counter that never changes again would be a lie. */
  readonly forget: (credential: string) => Promise<void>;
}

type Move = (sample: Sample) => void;

export function countEvents(registry: Registry): Counting {
  const moves = new Map<string, ((event: Event) => void)[]>();
  const counters: Counter[] = [];
  for (const [name, row] of Object.entries(counted)) {
    const move = make(name, row, registry, counters);
    for (const [type, read] of Object.entries(row.on) as [string, (event: Event) => Sample | undefined][]) {
      const before = moves.get(type) ?? [];
      moves.set(type, [
        ...before,
        (event) => {
          const sample = read(event);
          if (sample !== undefined) move(sample);
        },
      ]);
    }
  }
  return {
    count: (event) => moves.get(event.type)?.forEach((move) => move(event)),
    async forget(credential) {
      await Promise.all(counters.map((counter) => forgetIn(counter, credential)));
    },
  };
}

function make(
  name: string,
  { type, help, labels, buckets = [] }: CountedRow,
  registry: Registry,
  counters: Counter[],
): Move {
  const options = { name, help, labelNames: [...labels], registers: [registry] };
  if (type === 'histogram') {
    const histogram = new Histogram({ ...options, buckets: [...buckets] });
    return ({ value, ...its }) => histogram.observe(its, value);
  }
  const tally = new Tally(labels);
  if (type === 'gauge') {
    const gauge: Gauge = new Gauge({
      ...options,
      collect() {
        tally.empty((its, value) => (Number.isNaN(value) ? gauge.remove(its) : gauge.set(its, value)));
      },
    });
    return (sample) => tally.set(sample);
  }
  const counter = new Counter({
    ...options,
    collect() {
      tally.empty((its, value) => this.inc(its, value));
    },
  });
  counters.push(counter);
  return (sample) => tally.add(sample);
}

async function forgetIn(counter: Counter, credential: string): Promise<void> {
  const { values } = await counter.get();
  for (const { labels } of values) if (labels['credential'] === credential) counter.remove(labels);
}
