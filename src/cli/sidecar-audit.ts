// The audit of a sidecar: where its lines go, and what surrounds calls so that they are written. Loaded only where it is configured.
import { hostname } from 'node:os';
import { Audit } from '../audit/audit.ts';
import { auditCalls, type CallAudit } from '../audit/signed.ts';
import { defaults } from '../config/defaults.ts';
import type { AuditConfig } from '../config/schema/audit.ts';
import { PaycertError } from '../errors.ts';
import type { ExportDependencies } from '../otlp/open-exporter.ts';
import { openCollector, placeOf } from './audit-sinks.ts';

export interface AuditDependencies extends ExportDependencies {
  /** The key of the chain, as it is now. */
  readonly key: () => string | undefined;
  readonly print: (line: string) => void;
}

export interface RunningAudit extends CallAudit {
  readonly audit: Audit;
}

/** @throws PaycertError `config-invalid` */
export function startAudit(config: AuditConfig, dependencies: AuditDependencies): RunningAudit {
  const { clock, observe, version, environment, key, print } = dependencies;
  const { requests = defaults.auditRequests, stdout = false, volume, otlp } = config;
  const { auditOnFailure: otherwise } = defaults;
  const isStrict = (sink: typeof otlp) => (sink?.onFailure ?? otherwise) === 'refuse';
  const waitsFor = { volume: isStrict(volume), collector: isStrict(otlp) };
  const collector = otlp && openCollector(volume === undefined, dependencies);
  if (otlp && collector === undefined)
    throw new PaycertError(
      'config-invalid',
      'audit.otlp needs a collector: set OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_LOGS_ENDPOINT',
      { field: 'audit.otlp' },
    );
  const audit = new Audit({
    ...{ clock, observe, key, host: hostname() },
    about: { version, podUid: environment['PAYCERT_POD_UID'], chain: key() === undefined ? 'sha256' : 'hmac-sha256' },
    volume: volume && placeOf(volume),
    collector,
    print: stdout ? print : undefined,
    waitsFor,
  });
  const onFailure = waitsFor.volume || waitsFor.collector ? 'refuse' : 'count';
  return { audit, ...auditCalls({ audit, requests, onFailure, key }) };
}
