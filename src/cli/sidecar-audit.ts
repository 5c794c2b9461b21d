// The audit of a sidecar: where its lines go, and what surrounds calls so that they are written. Loaded only where it is configured.
import { hostname } from 'node:os';
import type { Clock } from '../clock.ts';
import { Audit } from '../audit/audit.ts';
import { DirectoryDisk } from '../audit/disk.ts';
import { auditCalls, type CallAudit } from '../audit/signed.ts';
import { defaults, milliseconds } from '../config/defaults.ts';
import type { AuditConfig } from '../config/schema/audit.ts';
import type { Observe } from '../events.ts';

export interface AuditDependencies {
  readonly clock: Clock;
  readonly observe: Observe;
  readonly version: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The key of the chain, as it is now. */
  readonly key: () => string | undefined;
  readonly print: (line: string) => void;
}

export interface RunningAudit extends CallAudit {
  readonly audit: Audit;
}

export function startAudit(config: AuditConfig, dependencies: AuditDependencies): RunningAudit {
  const { clock, observe, version, environment, key, print } = dependencies;
  const { requests = defaults.auditRequests, stdout = false, volume } = config;
  const audit = new Audit({
    ...{ clock, observe, key, host: hostname() },
    about: { version, podUid: environment['PAYCERT_POD_UID'], chain: key() === undefined ? 'sha256' : 'hmac-sha256' },
    volume: volume && placeOf(volume),
    print: stdout ? print : undefined,
  });
  const { onFailure = defaults.auditOnFailure } = volume ?? {};
  return { audit, ...auditCalls({ audit, requests, onFailure, key }) };
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
