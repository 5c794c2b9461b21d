// Where lines of an audit go, of a sidecar and of an operator: a directory, or the collector that the environment names.
import { AuditCollector, auditedExports } from '../audit/collector.ts';
import { DirectoryDisk } from '../audit/disk.ts';
import { defaults, milliseconds } from '../config/defaults.ts';
import type { AuditConfig } from '../config/schema/audit.ts';
import { type ExportDependencies, openExporter } from '../otlp/open-exporter.ts';

/** `isAlone`: lines have no other place. Undefined: no variable names a collector. */
export function openCollector(isAlone: boolean, dependencies: ExportDependencies): AuditCollector | undefined {
  const { observe } = dependencies;
  const exporter = openExporter('logs', { ...dependencies, observe: isAlone ? auditedExports(observe) : observe });
  return exporter && new AuditCollector(exporter);
}

/** A write costs as much as a tenth of a signature, whatever it holds. */
const gatherMilliseconds = 20;

export const placeOf = (volume: NonNullable<AuditConfig['volume']>) => ({
  disk: new DirectoryDisk(volume.directory),
  maxFileBytes: volume.maxFileBytes ?? defaults.auditFileBytes,
  maxTotalBytes: volume.maxTotalBytes ?? defaults.auditTotalBytes,
  rotateMilliseconds: milliseconds(volume.rotateAfter ?? defaults.rotateAfter),
  retentionMilliseconds: milliseconds(volume.retention ?? defaults.retention),
  gatherMilliseconds,
  fsync: volume.fsync ?? defaults.auditFsync,
});
