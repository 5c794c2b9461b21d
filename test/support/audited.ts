// An audit on a disk in memory, with a clock that a test moves, and what a verification says of its lines.
import { Audit } from '../../src/audit/audit.ts';
import { digestWith, type KnownEnd } from '../../src/audit/chain.ts';
import { Verification, type Verdict } from '../../src/audit/verification.ts';
import type { VolumeOptions } from '../../src/audit/volume.ts';
import type { Event } from '../../src/events.ts';
import { FakeClock } from './fake-clock.ts';
import { FakeDisk } from './fake-disk.ts';

export const auditKey = 'a-key-for-the-chain-of-tests';

export interface AuditedOptions extends Partial<Omit<VolumeOptions, 'disk' | 'clock' | 'observe' | 'announce'>> {
  readonly disk?: FakeDisk;
  readonly clock?: FakeClock;
  readonly key?: string | undefined;
}

export const day = 86_400_000;

export function startAudited({ disk = new FakeDisk(), clock = new FakeClock(), ...options }: AuditedOptions = {}) {
  const events: Event[] = [];
  const printed: string[] = [];
  const { key = auditKey, ...volume } = options;
  const audit = new Audit({
    ...{ clock, host: 'shop-1', about: { version: '1.2.3' }, key: () => key },
    observe: (event) => void events.push(event),
    print: (line) => void printed.push(line),
    volume: {
      ...{ disk, maxFileBytes: 1_000_000, maxTotalBytes: 10_000_000, retentionMilliseconds: 190 * day },
      ...{ rotateMilliseconds: day, gatherMilliseconds: 0, fsync: 'never', ...volume },
    },
  });
  return { audit, disk, clock, events, printed };
}

export function verify(lines: readonly string[], known?: KnownEnd, keys: readonly string[] = [auditKey]): Verdict {
  const verification = new Verification({ digests: keys.map(digestWith), known });
  lines.forEach((line, index) => verification.take(line, `:${index + 1}`));
  return verification.end();
}

/** Lets everything run that waits for nothing but its turn. */
export const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};
