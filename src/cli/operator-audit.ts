// The audit of an operator: a chain of lines for each replica, on standard output, in a directory of its own, or at a collector.
import { join } from 'node:path';
import type { Clock } from '../clock.ts';
import { Audit } from '../audit/audit.ts';
import { LeftBehind } from '../audit/left-behind.ts';
import { readToken } from '../config/token.ts';
import type { Observe } from '../events.ts';
import type { Environment } from '../otlp/variables.ts';
import type { Task } from '../tasks.ts';
import { openCollector, placeOf } from './audit-sinks.ts';
import { usageError } from './command.ts';
import type { OperatorAuditFlags } from './operator-audit-options.ts';

export interface OperatorAuditOptions extends OperatorAuditFlags {
  readonly clock: Clock;
  readonly observe: Observe;
  readonly version: string;
  /** Of this replica: the name of its Pod. */
  readonly identity: string;
  readonly environment: Environment;
  readonly print: (line: string) => void;
}

export interface OperatorAudit {
  readonly audit: Audit;
  /** While it runs. */
  readonly tasks: readonly Task[];
}

/** @throws PaycertError `token-unusable`, or `usage` where no collector is named */
export async function startOperatorAudit(options: OperatorAuditOptions): Promise<OperatorAudit> {
  const { clock, observe, version, identity, environment, keyFile, stdout, volume, otlp, print } = options;
  const key = keyFile === undefined ? undefined : await readToken(keyFile, 'audit-key', '--audit-key');
  const about = { version, chain: key === undefined ? 'sha256' : 'hmac-sha256' };
  const collector = otlp ? openCollector(volume === undefined, { environment, clock, observe, version }) : undefined;
  if (otlp && collector === undefined)
    throw usageError('--audit-otlp needs OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_LOGS_ENDPOINT');
  // Two processes that wrote one chain would break it, and replicas may share a volume.
  const own = encodeURIComponent(identity);
  const place = volume && placeOf({ ...volume, directory: join(volume.directory, own) });
  const audit = new Audit({
    ...{ clock, observe, about, host: identity, key: () => key, collector },
    volume: place,
    print: stdout ? print : undefined,
  });
  if (volume === undefined || place === undefined) return { audit, tasks: [] };
  const { retentionMilliseconds } = place;
  const behind = new LeftBehind({ root: volume.directory, own, retentionMilliseconds, clock, audit });
  return { audit, tasks: [(signal) => behind.run(signal)] };
}
