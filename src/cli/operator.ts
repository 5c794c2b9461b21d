// paycert operator: the composition root of what watches over the credentials of a cluster.
import { hostname } from 'node:os';
import type { Audit } from '../audit/audit.ts';
import { type Clock, flushMilliseconds } from '../clock.ts';
import { PaycertError } from '../errors.ts';
import { type Event, isolate, type Observe } from '../events.ts';
import { findAccess } from '../kube/access.ts';
import { connect } from '../kube/client.ts';
import { whileLeading } from '../kube/lease.ts';
import { ServerClock } from '../kube/server-clock.ts';
import { RateLimit } from '../kube/rate-limit.ts';
import { Controller } from '../operator/controller.ts';
import { Election } from '../operator/election.ts';
import { Store } from '../store/store.ts';
import { growHeapBy } from '../system/heap-growth.ts';
import { runTasks, type Task } from '../tasks.ts';
import { createLog } from '../telemetry/log.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { openOutput } from '../telemetry/output.ts';
import type { StoredCredential } from '../telemetry/stored-gauges.ts';
import { openAdmission } from './admission.ts';
import { openOperatorListener } from './operator-listener.ts';
import type { OperatorFlags } from './operator-options.ts';

export interface OperatorOptions extends OperatorFlags {
  readonly version: string;
  readonly clock: Clock;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Receives every event too. */
  readonly observe?: Observe;
  /** Which addresses of Pods may be asked; those that a Pod may have, unless it is given. */
  readonly mayBeAsked?: (address: string) => boolean;
  /** Called in place of every platform: for tests. */
  readonly platformDouble?: string;
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

/** A round of questions leaves garbage beside what is kept of thousands of Pods: with the image's 100 it grows to twice both. */
const heapGrowthPercent = 60;

/** Works until aborted, then ends what it is at. Throws what makes a start impossible. */
export async function runOperator(options: OperatorOptions, signal: AbortSignal): Promise<void> {
  const { clock, environment, version, lease, timing, isSilent = false } = options;
  await assertInstalled(environment);
  let audit: Audit | undefined;
  let audited: readonly Task[] = [];
  const metrics = createMetrics({
    store: new Store(),
    auditHead: () => audit?.end,
    clock,
    version,
    overseen: {
      credentials: () => credentialsOf(controller),
      queueLength: () => controller.queueLength,
      writeFailures: () => controller.writeFailures(),
      injection: () => controller.injection(),
      auditsCut: () => controller.auditsCut(),
    },
  });
  const output = openOutput((lines) => metrics.observe({ type: 'lines-dropped', lines }));
  const log: Observe = isSilent ? () => undefined : createLog(options.logLevel, output, () => clock.now());
  const election = lease && new Election(lease.name, clock);
  // A replica that never leads has a series too.
  if (lease) metrics.observe({ type: 'leading', lease: lease.name, isLeading: false });
  const watchElection: Observe = (event) => election?.observe(event);
  const watchAudit: Observe = (event) => audit?.observe(event);
  const observers = [metrics.observe, log, watchElection, watchAudit, options.observe ?? (() => undefined)].map(
    isolate,
  );
  const observe = (event: Event) => observers.forEach((tell) => tell(event));
  const { apiRate } = options;
  const serverClock = new ServerClock(clock, observe);
  const cluster = connect(environment, { serverClock, ...(apiRate && { limit: new RateLimit(apiRate, clock) }) });
  // A leader that waits for its turn loses its Lease.
  const unlimited = connect(environment, { serverClock });
  const client = async () => cluster;
  const random = Math.random;
  const identity = environment['POD_NAME'] ?? hostname();
  if (options.audit !== undefined) {
    const { startOperatorAudit } = await import('./operator-audit.ts');
    const of = { ...options.audit, clock, observe, version, identity, environment };
    const started = await startOperatorAudit({ ...of, print: (line) => output.write(line) });
    audit = started.audit;
    audited = started.tasks;
  }
  const controller = new Controller({
    ...options,
    asksFleet: options.asksFleet ?? false,
    auditEnds: options.auditEnds,
    downloads:
      options.downloadsCertificates === true ? { double: options.platformDouble, wayOut: options.wayOut } : undefined,
    reviews: options.admission !== undefined,
    injection: options.admission?.injection && { ...options.admission.injection, version },
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
  growHeapBy(heapGrowthPercent);
  try {
    await runTasks(
      [
        (running) => controller.run(running),
        (running) => listener.run(running),
        ...(reviews?.tasks ?? []),
        ...audited,
        lease
          ? whileLeading(lead, { ...lease, timing, client: async () => unlimited, identity, clock, random, observe })
          : lead,
      ],
      signal,
    );
  } finally {
    await listener.close();
    const written = audit?.close().then(() => output.flush()) ?? output.flush();
    await Promise.race([written, clock.sleep(flushMilliseconds, new AbortController().signal)]);
  }
}

function* credentialsOf(controller: Controller): Generator<StoredCredential> {
  for (const { resource, status } of controller.statuses()) {
    const { kind, namespace, name, suspendedSince } = resource;
    const { conditions, keys = [], deferred, fleet } = status;
    yield { kind, namespace, name, suspendedSince, conditions, keys, deferred, fleet };
  }
}
