// What no schema can say of the audit.
import { defaults } from '../defaults.ts';
import { leastFiles } from '../schema/audit.ts';
import type { Config } from '../schema/config.ts';
import type { Sound } from '../sound.ts';
import type { Fault } from './fault.ts';

/** Lines go somewhere, and there is room for more files than the current one. */
export function* auditFaults(audit: Sound<Config['audit']>): Generator<Fault> {
  if (audit === undefined) return;
  const { stdout, volume, otlp } = audit;
  if (stdout !== true && volume === undefined && otlp === undefined)
    yield {
      path: ['audit'],
      message: 'needs volume, otlp, or stdout: true',
      absent: [
        ['audit', 'volume'],
        ['audit', 'otlp'],
        ['audit', 'stdout'],
      ],
    };
  const { maxFileBytes = defaults.auditFileBytes, maxTotalBytes = defaults.auditTotalBytes } = volume ?? {};
  if (maxTotalBytes < leastFiles * maxFileBytes)
    yield {
      path: ['audit', 'volume', 'maxTotalBytes'],
      message: `is less than ${leastFiles} files of ${maxFileBytes} bytes`,
      absent: [['audit', 'volume', 'maxFileBytes']],
    };
}
