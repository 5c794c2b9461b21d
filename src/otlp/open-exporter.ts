// An exporter of one signal, as the environment of this process says where to and under which name.
import { hostname } from 'node:os';
import { type Clock, flushMilliseconds } from '../clock.ts';
import type { ExportedSignal, Observe } from '../events.ts';
import { Exporter } from './exporter.ts';
import { type Environment, type Ignore, resourceOf, targetOf } from './variables.ts';

export interface ExportDependencies {
  readonly environment: Environment;
  readonly clock: Clock;
  readonly observe: Observe;
  /** Of paycert, where that is the program that exports. */
  readonly version?: string | undefined;
}

/** Undefined: no variable names a collector, or one says that nothing is exported. */
export function openExporter(signal: ExportedSignal, dependencies: ExportDependencies): Exporter | undefined {
  const { environment, clock, observe, version } = dependencies;
  const ignore = ignoring(observe);
  const target = targetOf(signal, environment, ignore);
  if (target === undefined) return undefined;
  const about = { 'service.version': version, 'host.name': hostname(), 'k8s.pod.uid': environment['PAYCERT_POD_UID'] };
  const resource = resourceOf(environment, about, ignore);
  return new Exporter({ signal, target, resource, version, clock, observe, random: Math.random, flushMilliseconds });
}

export const ignoring =
  (observe: Observe): Ignore =>
  (variable, why) =>
    observe({ type: 'variable-ignored', variable, why });
