// The audit of a sidecar: where its lines go, and what surrounds calls so that they are written. Loaded only where it is configured.
import { hostname } from 'node:os';
import { Audit } from '../audit/audit.ts';
import { AuditCollector, auditedExports } from '../audit/collector.ts';
import { DirectoryDisk } from '../audit/disk.ts';
import { auditCalls, type CallAudit } from '../audit/signed.ts';
import { defaults, milliseconds } from '../config/defaults.ts';
import type { AuditConfig } from '../config/schema/audit.ts';
import { PaycertError } from '../errors.ts';
import { type ExportDependencies, openExporter } from '../otlp/open-exporter.ts';

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
  const audit = new Audit({
    ...{ clock, observe, key, host: hostname() },
    about: { version, podUid: environment['PAYCERT_POD_UID'], chain: key() === undefined ? 'sha256' : 'hmac-sha256' },
    volume: volume && placeOf(volume),
    collector: otlp && openCollector(volume === undefined, dependencies),
    print: stdout ? print : undefined,
    waitsFor,
  });
  const onFailure = waitsFor.volume || waitsFor.collector ? 'refuse' : 'count';
  return { audit, ...auditCalls({ audit, requests, onFailure, key }) };
}

/** `isAlone`: lines have no other place. @throws PaycertError `config-invalid` */
function openCollector(isAlone: boolean, dependencies: ExportDependencies): AuditCollector {
  const { observe } = dependencies;
  const exporter = openExporter('logs', { ...dependencies, observe: isAlone ? auditedExports(observe) : observe });
  if (exporter !== undefined) return new AuditCollector(exporter);
  throw new PaycertError(
    'config-invalid',
    'audit.otlp needs a collector: set OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_LOGS_ENDPOINT',
    { field: 'audit.otlp' },
  );
}

/** A write costs as much as a tenth of a signature, whatever it holds. */
const gatherMilliseconds = 20;

const placeOf = (volume: NonNullable<AuditConfig['volume']>) => ({
  disk: new DirectoryDisk(volume.directory),
  maxFileBytes: volume.maxFileBytes ?? defaults.auditFileBytes,
  maxTotalBytes: volume.maxTotalBytes ?? defaults.auditTotalBytes,
  rotateMilliseconds: milliseconds(volume.rotateAfter ?? defaults.rotateAfter),
  retentionMilliseconds: milliseconds(volume.retention ?? defaults.retention),
  gatherMilliseconds,
  fsync: volume.fsync ?? defaults.auditFsync,
});
