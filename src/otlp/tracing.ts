// The traces of a process: which are recorded, and where their spans go. Loaded only where the environment names a collector.
import type { Observe } from '../events.ts';
import { beginTrace, type TraceOf } from '../trace.ts';
import { type ExportDependencies, ignoring, openExporter } from './open-exporter.ts';
import { samplerOf } from './sampler.ts';
import { type SpanOptions, spanOf } from './spans.ts';

export type TracingDependencies = ExportDependencies & Pick<SpanOptions, 'providerOf'>;

export interface Tracing {
  readonly traceOf: TraceOf;
  /** Makes spans of events. */
  readonly observe: Observe;
  /** Once nothing is traced any more. */
  close(): Promise<void>;
}

/** Undefined: the environment says that nothing is traced. */
export function startTracing(dependencies: TracingDependencies): Tracing | undefined {
  const { environment, clock, observe, providerOf } = dependencies;
  const exporter = openExporter('traces', dependencies);
  if (exporter === undefined) return undefined;
  const samples = samplerOf(environment, ignoring(observe));
  const options = { now: () => clock.now(), providerOf };
  return {
    traceOf: (headers) => beginTrace(headers, samples),
    observe(event) {
      const span = spanOf(event, options);
      if (span !== undefined) exporter.add(JSON.stringify(span));
    },
    close: () => exporter.close(),
  };
}
