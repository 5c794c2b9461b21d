// A gauge that is computed at each scrape.
import { Gauge, type MetricObjectWithValues, type MetricValue, type Registry } from 'prom-client';

export type Sample = { readonly value: number } & Readonly<Record<string, string | number>>;

export interface FactGaugeOptions {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  readonly read: () => Iterable<Sample>;
}

/** prom-client remembers what it has written for an object of shared labels; without this one it makes one for each series. */
const sharedLabels = {};

/**
 * Its series are not set and kept: with thousands of them, prom-client would check and index at each scrape what is thrown
 * away before the next, and half of a scrape goes into that.
 */
export class FactGauge extends Gauge {
  readonly #read: () => Iterable<Sample>;

  constructor({ name, help, labels, read }: FactGaugeOptions, registry: Registry) {
    super({ name, help, labelNames: [...labels], registers: [registry] });
    this.#read = read;
  }

  override async get(): Promise<MetricObjectWithValues<MetricValue<string>>> {
    const values = Array.from(this.#read(), ({ value, ...labels }) => ({ value, labels, sharedLabels }));
    return { ...(await super.get()), values };
  }
}
