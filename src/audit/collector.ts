// A collector of OpenTelemetry as a place for lines of an audit: each is a log record whose body is the line, so that the chain goes with it.
import type { Event, Observe } from '../events.ts';
import { attributesOf, nanosecondsOf, type Value } from '../otlp/encoding.ts';
import type { Exporter } from '../otlp/exporter.ts';
import { type AuditSink, unavailable } from './sink.ts';

/** INFO, as OpenTelemetry numbers it: that something is bad news is what the log is for. */
const severityNumber = 9;

export class AuditCollector implements AuditSink {
  readonly #exporter: Exporter;

  constructor(exporter: Exporter) {
    this.#exporter = exporter;
  }

  get failure() {
    const reason = this.#exporter.failure;
    return reason === undefined ? undefined : unavailable(reason);
  }

  get failingSince() {
    return this.#exporter.failingSince;
  }

  get hasRoom(): boolean {
    return this.#exporter.hasRoom;
  }

  add(line: string, seq: number, record: Readonly<Record<string, unknown>>): void {
    const { time, type, outcome, credential } = record as { readonly time: string } & Readonly<Record<string, Value>>;
    this.#exporter.add(
      JSON.stringify({
        timeUnixNano: nanosecondsOf(Date.parse(time)),
        severityNumber,
        body: { stringValue: line },
        attributes: attributesOf({
          ...{ 'paycert.audit.seq': seq, 'paycert.audit.type': type, 'paycert.outcome': outcome },
          'paycert.credential': credential,
        }),
      }),
    );
  }

  async written(): Promise<void> {
    try {
      await this.#exporter.taken();
    } catch (error) {
      throw unavailable((error as { readonly reason?: string }).reason ?? 'unknown');
    }
  }

  close(): Promise<void> {
    return this.#exporter.close();
  }
}

/** Of a collector that is all that an audit has: that it takes nothing is a failure of the audit, too. */
export function auditedExports(observe: Observe): Observe {
  return (event: Event) => {
    observe(event);
    if (event.type === 'export-failed' && event.isNew)
      observe({ type: 'audit-failed', error: unavailable(event.reason) });
    if (event.type === 'export-recovered') observe({ type: 'audit-recovered' });
    if (event.type === 'export-dropped') observe({ type: 'audit-lines-lost', lines: event.items });
  };
}
