// The words of the command line about the operator's audit, as options.
import { defaults } from '../config/defaults.ts';
import { type AuditConfig, auditTotalRange, leastFiles } from '../config/schema/audit.ts';
import { usageError } from './command.ts';
import { duration } from './duration.ts';

export interface OperatorAuditFlags {
  /** The file of the chain's key. */
  readonly keyFile?: string | undefined;
  readonly stdout: boolean;
  /** Each replica has a directory of its own in it, by its name. */
  readonly volume?:
    Pick<NonNullable<AuditConfig['volume']>, 'directory' | 'maxTotalBytes' | 'maxFileBytes' | 'retention'> | undefined;
  readonly otlp: boolean;
}

export interface OperatorAuditWords {
  readonly isOn?: boolean;
  readonly keyFile?: string | undefined;
  readonly stdout?: boolean;
  readonly directory?: string | undefined;
  readonly maxTotalBytes?: string | undefined;
  readonly retention?: string | undefined;
  readonly otlp?: boolean;
}

/** Lines of a replica that has no other place for them are on standard output. @throws PaycertError `usage` */
export function readOperatorAudit(words: OperatorAuditWords): OperatorAuditFlags | undefined {
  const { isOn = false, keyFile, stdout = false, directory, otlp = false, maxTotalBytes: most, retention } = words;
  const given = { key: keyFile, stdout: stdout || undefined, directory, otlp: otlp || undefined, 'max-bytes': most, retention }; // prettier-ignore
  for (const [name, value] of Object.entries(given))
    if (value !== undefined && !isOn) throw usageError(`--audit-${name} stands beside --audit`);
  if (!isOn) return undefined;
  if (directory === undefined && (most ?? retention) !== undefined)
    throw usageError('--audit-max-bytes and --audit-retention stand beside --audit-directory');
  if (directory === '') throw usageError('--audit-directory is a directory');
  if (retention !== undefined) duration(retention, 'audit-retention');
  return {
    ...{ keyFile, otlp, stdout: stdout || (directory === undefined && !otlp) },
    volume:
      directory === undefined
        ? undefined
        : { directory, ...(retention && { retention }), ...(most !== undefined && readSize(most)) },
  };
}

/** As `audit.volume` of a sidecar. */
function readSize(text: string): { readonly maxTotalBytes: number; readonly maxFileBytes: number } {
  const { minimum, maximum } = auditTotalRange;
  const maxTotalBytes = /^[0-9]{1,13}$/.test(text) ? Number(text) : 0;
  if (maxTotalBytes < minimum || maxTotalBytes > maximum)
    throw usageError(`--audit-max-bytes is a number of bytes from ${String(minimum)} to ${String(maximum)}`);
  return { maxTotalBytes, maxFileBytes: Math.min(defaults.auditFileBytes, Math.floor(maxTotalBytes / leastFiles)) };
}
