// The traces of a sidecar: which are recorded, and where their spans go. Loaded only where the environment names a collector.
import type { Observe } from '../events.ts';
import { samplerOf } from '../otlp/sampler.ts';
import type { TraceOf } from '../server/caller.ts';
import type { Store } from '../store/store.ts';
import { spanOf } from '../telemetry/spans.ts';
import { beginTrace } from '../trace.ts';
import { type ExportDependencies, ignoring, openExporter } from './exporting.ts';

export interface TracingDependencies extends ExportDependencies {
  readonly store: Store;
}

export interface RunningTracing {
  readonly traceOf: TraceOf;
  /** Makes spans of events. */
  readonly observe: Observe;
  /** Once nothing is traced any more. */
  close(): Promise<void>;
}

/** Undefined: the environment says that nothing is traced. */
export function startTracing(dependencies: TracingDependencies): RunningTracing | undefined {
  const { environment, clock, observe, store } = dependencies;
  const exporter = openExporter('traces', dependencies);
  if (exporter === undefined) return undefined;
  const samples = samplerOf(environment, ignoring(observe));
  const providerOf = (name: string) => (store.has(name) ? store.entry(name).provider : undefined);
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
