// The options of paycert operator: words of the command line, checked, as values.
import { defaults } from '../config/defaults.ts';
import { parseWayOut } from '../config/load.ts';
import { PaycertError } from '../errors.ts';
import type { WayOut } from '../gateway/way-out.ts';
import { defaultTiming, type Timing } from '../kube/lease-record.ts';
import type { Rate } from '../kube/rate-limit.ts';
import type { LogLevel } from '../telemetry/log-lines.ts';
import { type AdmissionFlags, type AdmissionWords, readAdmission } from './admission-options.ts';
import { usageError } from './command.ts';
import { duration } from './duration.ts';
import { type OperatorAuditFlags, type OperatorAuditWords, readOperatorAudit } from './operator-audit-options.ts';
import { assertAddress, type Named, readNamed } from './places.ts';

export interface OperatorFlags {
  readonly namespaces: readonly string[];
  readonly namespaceSelector?: string | undefined;
  readonly operatorClass?: string | undefined;
  readonly secrets: readonly Named[];
  readonly lease: Named | undefined;
  readonly timing: Timing;
  readonly concurrency: number;
  /** Of calls to the API server, elections and the checks of tokens aside; without it as many as there are. */
  readonly apiRate?: Rate | undefined;
  readonly refreshesPods: boolean;
  /** Whether sidecars are asked what they have. */
  readonly asksFleet?: boolean;
  /** Where the leader remembers how far audits went. */
  readonly auditEnds?: Named | undefined;
  /** Whether the certificates that platforms sign with are downloaded; and the proxy on the way to them. */
  readonly downloadsCertificates?: boolean;
  readonly wayOut?: WayOut | undefined;
  readonly secretOptIn: boolean;
  readonly address: string;
  readonly tls?: string | undefined;
  readonly metricsAuth?: boolean;
  /** Reviews for the API server; without it there are none. */
  readonly admission?: AdmissionFlags | undefined;
  readonly logLevel: LogLevel;
  /** Where what is reviewed and injected is written down; without it, nowhere. */
  readonly audit?: OperatorAuditFlags | undefined;
}

/** The words of the command line as options. @throws PaycertError `usage` */
export function parseOperatorOptions(words: {
  readonly namespaces: readonly string[];
  readonly namespaceSelector?: string | undefined;
  readonly operatorClass?: string | undefined;
  readonly secrets: readonly string[];
  readonly lease: string | undefined;
  readonly leaseDuration: string | undefined;
  readonly renewDeadline: string | undefined;
  readonly retryPeriod: string | undefined;
  readonly concurrency: string | undefined;
  readonly apiQps?: string | undefined;
  readonly apiBurst?: string | undefined;
  readonly tls?: string | undefined;
  readonly metricsAuth?: boolean;
  readonly admission?: AdmissionWords;
  readonly refreshesPods: boolean;
  readonly asksFleet?: boolean;
  readonly auditEnds?: string | undefined;
  readonly downloadsCertificates?: boolean;
  readonly wayOut?: string | undefined;
  readonly secretOptIn: boolean;
  readonly address: string | undefined;
  readonly logLevel: string | undefined;
  readonly audit?: OperatorAuditWords;
}): OperatorFlags {
  const { namespaces, secrets, lease, address = defaults.adminAddress, logLevel = defaults.logLevel } = words;
  for (const namespace of namespaces)
    if (!/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(namespace)) throw usageError('--namespace is a name');
  assertAddress(address, 'address');
  if (words.namespaceSelector !== undefined && (words.namespaceSelector.trim() === '' || namespaces.length > 0))
    throw usageError('--namespace-selector is labels such as team=pay, and stands instead of --namespace');
  const { operatorClass } = words;
  if (operatorClass !== undefined && !/^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/.test(operatorClass))
    throw usageError('--operator-class is the value of a label: at most 63 letters, digits, -, _ and .');
  return {
    namespaces: [...new Set(namespaces)],
    namespaceSelector: words.namespaceSelector,
    operatorClass,
    secrets: [...new Set(secrets)].map((secret) => readNamed(secret, 'secret')),
    lease: lease === undefined ? undefined : readNamed(lease, 'lease'),
    timing: readTiming(words),
    concurrency: readConcurrency(words.concurrency),
    apiRate: readRate(words.apiQps, words.apiBurst),
    tls: words.tls,
    metricsAuth: words.metricsAuth ?? false,
    admission: readAdmission(words.admission ?? {}),
    refreshesPods: words.refreshesPods,
    asksFleet: words.asksFleet ?? false,
    auditEnds: readAuditEnds(words),
    downloadsCertificates: words.downloadsCertificates ?? false,
    wayOut: readWayOut(words),
    secretOptIn: words.secretOptIn,
    address,
    logLevel: logLevel as LogLevel,
    audit: readOperatorAudit(words.audit ?? {}),
  };
}

function readAuditEnds({
  asksFleet,
  auditEnds,
}: {
  readonly asksFleet?: boolean;
  readonly auditEnds?: string | undefined;
}) {
  if (auditEnds === undefined) return undefined;
  if (asksFleet !== true) throw usageError('--audit-ends stands beside --fleet');
  return readNamed(auditEnds, 'audit-ends');
}

/** Without a user: a password is nothing for a command line. */
function readWayOut({
  wayOut,
  downloadsCertificates,
}: {
  wayOut?: string | undefined;
  downloadsCertificates?: boolean;
}): WayOut | undefined {
  if (wayOut === undefined) return undefined;
  if (downloadsCertificates !== true) throw usageError('--way-out stands beside --download-certificates');
  try {
    return { proxy: parseWayOut({ proxy: wayOut }).proxy };
  } catch (error) {
    throw error instanceof PaycertError ? usageError('--way-out is an address without a path, such as http://proxy.example:3128') : error; // prettier-ignore
  }
}

interface TimingWords {
  readonly leaseDuration: string | undefined;
  readonly renewDeadline: string | undefined;
  readonly retryPeriod: string | undefined;
}

/** A leader that stops later than another takes over would write beside it. */
function readTiming({ leaseDuration, renewDeadline, retryPeriod }: TimingWords): Timing {
  const read = (text: string | undefined, option: string, otherwise: number) =>
    text === undefined ? otherwise : duration(text, option);
  const { leaseMilliseconds, renewalMilliseconds, retryMilliseconds } = defaultTiming;
  const lease = read(leaseDuration, 'lease-duration', leaseMilliseconds);
  const renewal = read(renewDeadline, 'renew-deadline', renewalMilliseconds);
  const retry = read(retryPeriod, 'retry-period', retryMilliseconds);
  if (lease % 1000 !== 0) throw usageError('--lease-duration is in whole seconds: a Lease holds no parts of one');
  // The pause of a look is up to a fifth longer, so that two do not look at the same moment.
  if (lease <= renewal || renewal <= retry * 1.2 || retry < 100)
    throw usageError('--lease-duration is longer than --renew-deadline, and that longer than --retry-period');
  return { leaseMilliseconds: lease, renewalMilliseconds: renewal, retryMilliseconds: retry };
}

function readConcurrency(text = '8'): number {
  if (!/^[1-9][0-9]?$/.test(text) || Number(text) > 64) throw usageError('--concurrency is a number from 1 to 64');
  return Number(text);
}

function readRate(qps: string | undefined, burst = '50'): Rate | undefined {
  if (qps === undefined) return undefined;
  for (const [option, text] of [['api-qps', qps] as const, ['api-burst', burst] as const])
    if (!/^[1-9][0-9]{0,3}$/.test(text)) throw usageError(`--${option} is a number from 1 to 9999`);
  return { perSecond: Number(qps), burst: Number(burst) };
}
