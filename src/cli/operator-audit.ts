// The audit of an operator: a chain of lines for each replica, on standard output, in a directory of its own, or at a collector.
import { join } from 'node:path';
import type { Clock } from '../clock.ts';
import { Audit } from '../audit/audit.ts';
import { readToken } from '../config/token.ts';
import type { Observe } from '../events.ts';
import type { Environment } from '../otlp/variables.ts';
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

/** @throws PaycertError `token-unusable`, or `usage` where no collector is named */
export async function startOperatorAudit(options: OperatorAuditOptions): Promise<Audit> {
  const { clock, observe, version, identity, environment, keyFile, stdout, volume, otlp, print } = options;
  const key = keyFile === undefined ? undefined : await readToken(keyFile, 'audit-key');
  const about = { version, chain: key === undefined ? 'sha256' : 'hmac-sha256' };
  const collector = otlp ? openCollector(volume === undefined, { environment, clock, observe, version }) : undefined;
  if (otlp && collector === undefined)
    throw usageError('--audit-otlp needs OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_LOGS_ENDPOINT');
  return new Audit({
    ...{ clock, observe, about, host: identity, key: () => key, collector },
    // Two processes that wrote one chain would break it, and replicas may share a volume.
    volume: volume && placeOf({ ...volume, directory: join(volume.directory, encodeURIComponent(identity)) }),
    print: stdout ? print : undefined,
  });
}
