// paycert operator: the composition root of what watches over the credentials of a cluster.
import { hostname } from 'node:os';
import type { Clock } from '../clock.ts';
import { defaults } from '../config/defaults.ts';
import { PaycertError } from '../errors.ts';
import { type Event, isolate, type Observe } from '../events.ts';
import { findAccess } from '../kube/access.ts';
import { connect } from '../kube/client.ts';
import { whileLeading } from '../kube/lease.ts';
import { ServerClock } from '../kube/server-clock.ts';
import { defaultTiming, type Timing } from '../kube/lease-record.ts';
import { type Rate, RateLimit } from '../kube/rate-limit.ts';
import { Controller } from '../operator/controller.ts';
import { Election } from '../operator/election.ts';
import { Store } from '../store/store.ts';
import { runTasks } from '../tasks.ts';
import { createLog, type LogLevel } from '../telemetry/log.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { flushMilliseconds, openOutput } from '../telemetry/output.ts';
import type { StoredCredential } from '../telemetry/stored-gauges.ts';
import { openAdmission } from './admission.ts';
import { type AdmissionFlags, type AdmissionWords, readAdmission } from './admission-options.ts';
import { usageError } from './command.ts';
import { duration } from './duration.ts';
import { openOperatorListener } from './operator-listener.ts';
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
  readonly secretOptIn: boolean;
  readonly address: string;
  readonly tls?: string | undefined;
  readonly metricsAuth?: boolean;
  /** Reviews for the API server; without it there are none. */
  readonly admission?: AdmissionFlags | undefined;
  readonly logLevel: LogLevel;
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
  readonly secretOptIn: boolean;
  readonly address: string | undefined;
  readonly logLevel: string | undefined;
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
    secretOptIn: words.secretOptIn,
    address,
    logLevel: logLevel as LogLevel,
  };
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

export interface OperatorOptions extends OperatorFlags {
  readonly version: string;
  readonly clock: Clock;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Receives every event too. */
  readonly observe?: Observe;
  /** Where lines go instead of standard output. */
  readonly isSilent?: boolean;
}

/** What is wrong with the way to the cluster may end by itself; a package that is missing does not come. */
async function assertInstalled(environment: OperatorOptions['environment']): Promise<void> {
  try {
    await findAccess(environment);
  } catch (error) {
    if (error instanceof PaycertError && error.code === 'package-missing') throw error;
  }
}

/** Works until aborted, then ends what it is at. Throws what makes a start impossible. */
export async function runOperator(options: OperatorOptions, signal: AbortSignal): Promise<void> {
  const { clock, environment, version, lease, timing, isSilent = false } = options;
  await assertInstalled(environment);
  const metrics = createMetrics({
    store: new Store(),
    clock,
    version,
    overseen: {
      credentials: () => credentialsOf(controller),
      queueLength: () => controller.queueLength,
      writeFailures: () => controller.writeFailures(),
    },
  });
  const output = openOutput((lines) => metrics.observe({ type: 'lines-dropped', lines }));
  const log: Observe = isSilent ? () => undefined : createLog(options.logLevel, output, () => clock.now());
  const election = lease && new Election(lease.name, clock);
  // A replica that never leads has a series too.
  if (lease) metrics.observe({ type: 'leading', lease: lease.name, isLeading: false });
  const watchElection: Observe = (event) => election?.observe(event);
  const observers = [metrics.observe, log, watchElection, options.observe ?? (() => undefined)].map(isolate);
  const observe = (event: Event) => observers.forEach((tell) => tell(event));
  const { apiRate } = options;
  const serverClock = new ServerClock(clock, observe);
  const cluster = connect(environment, { serverClock, ...(apiRate && { limit: new RateLimit(apiRate, clock) }) });
  // A leader that waits for its turn loses its Lease.
  const unlimited = connect(environment, { serverClock });
  const client = async () => cluster;
  const random = Math.random;
  const identity = environment['POD_NAME'] ?? hostname();
  const controller = new Controller({
    ...options,
    reviews: options.admission !== undefined,
    client,
    identity,
    clock,
    random,
    observe,
  });

  const { admission } = options;
  const { reviewer } = controller;
  const reviews = admission && openAdmission(admission, { reviewer, client: unlimited, clock, observe });
  const lead = (leading: AbortSignal) =>
    runTasks([(running) => controller.lead(running), ...(reviews?.leading ?? [])], leading);
  const impediment = () => controller.impediment ?? election?.impediment ?? reviews?.listener.impediment;
  const listener = await openOperatorListener({ ...options, metrics, impediment, client: unlimited, observe }, signal);
  observe({ type: 'listening', listener: 'admin', address: listener.address });
  try {
    await runTasks(
      [
        (running) => controller.run(running),
        (running) => listener.run(running),
        ...(reviews ? [(running: AbortSignal) => reviews.listener.run(running)] : []),
        lease
          ? whileLeading(lead, { ...lease, timing, client: async () => unlimited, identity, clock, random, observe })
          : lead,
      ],
      signal,
    );
  } finally {
    await listener.close();
    await Promise.race([output.flush(), clock.sleep(flushMilliseconds, new AbortController().signal)]);
  }
}

function* credentialsOf(controller: Controller): Generator<StoredCredential> {
  for (const { resource, status } of controller.statuses()) {
    const { kind, namespace, name, suspendedSince } = resource;
    const { conditions, keys = [], deferred } = status;
    yield { kind, namespace, name, suspendedSince, conditions, keys, deferred };
  }
}
