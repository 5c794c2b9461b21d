// One attack: what is done, what another caller felt meanwhile, and which bounds were broken.
import { Caller } from './caller.ts';
import { forgetPeak, peakMegabytes } from './process-figures.ts';
import { type Hold, socketIn, type Target } from './target.ts';

export interface Row {
  readonly name: string;
  readonly seconds: number;
  /** Of another caller; undefined where there is none. */
  readonly calls?: number | undefined;
  readonly failures?: number | undefined;
  readonly worstMilliseconds?: number | undefined;
  readonly hold?: Hold | undefined;
  readonly megabytes?: number | undefined;
  /** What did not hold. */
  readonly broken: readonly string[];
  /** Why it was not run. */
  readonly skipped?: string | undefined;
}

export interface Attack {
  /** What it is about, as the threat model numbers it. */
  readonly section: number;
  readonly name: string;
  /** Whether it is a part of the short run. */
  readonly isQuick: boolean;
  run(report: Report): Promise<void>;
}

export interface Report {
  readonly isQuick: boolean;
  add(row: Row): void;
}

/** The promise is 50 ms for what is refused. Machines differ, and garbage is collected when V8 likes: only ten times as much is certainly wrong. */
export const promisedMilliseconds = 50;
const certainlyWrong = 10 * promisedMilliseconds;

export interface MeasureOptions {
  readonly target: Target;
  readonly directory: string;
  readonly credential: string;
  /** Of the main thread, where the work is a caller's own or an owner's, and more than a refusal. */
  readonly mostHoldMilliseconds?: number;
}

/** What an attempt cost the process. */
export async function measure(
  target: Target,
  [name, attempt]: Attempt,
  mostHoldMilliseconds = certainlyWrong,
): Promise<Row> {
  forgetPeak(target.pid);
  await target.look();
  const started = performance.now();
  const broken = await complaintsOf(attempt);
  const seconds = (performance.now() - started) / 1000;
  const hold = await target.look();
  const megabytes = hasEnded(target) ? undefined : peakMegabytes(target.pid);
  if (hasEnded(target)) broken.push(`the process ended: ${await target.ended}`);
  if (hold !== undefined && hold.milliseconds > mostHoldMilliseconds)
    broken.push(`the event loop was busy for ${hold.milliseconds.toFixed(0)} ms`);
  if (megabytes !== undefined && megabytes > target.megabytes)
    broken.push(`it took ${megabytes.toFixed(0)} of ${target.megabytes} MiB`);
  return { name, seconds, hold, megabytes, broken };
}

/** Runs attempts one after the other while another caller signs. */
export async function measureAll(
  { target, directory, credential, mostHoldMilliseconds = certainlyWrong }: MeasureOptions,
  attempts: readonly Attempt[],
  report: Report,
): Promise<void> {
  const path = `/v1/credentials/${credential}/sign`;
  const caller = await Caller.start({ socket: socketIn(directory), path });
  try {
    // The first calls compile what they use.
    await untilCalls(caller, 100);
    for (const [name, attempt] of attempts) {
      if (hasEnded(target)) break;
      await caller.look();
      const row = await measure(target, [name, attempt], mostHoldMilliseconds);
      const waited = await caller.look();
      const failed = waited.failures > 0 ? [`${waited.failures} signatures of another caller failed`] : [];
      report.add({ ...row, ...waited, broken: [...row.broken, ...failed] });
    }
  } finally {
    caller.stop();
  }
}

/** What it throws did not hold, and so does each text of a list that it resolves with. */
export type Attempt = readonly [name: string, attempt: () => Promise<unknown>];

const hasEnded = ({ isAlive }: Target): boolean => !isAlive;

async function complaintsOf(attempt: Attempt[1]): Promise<string[]> {
  try {
    const complaints = await attempt();
    return Array.isArray(complaints) ? complaints.map(String) : [];
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

async function untilCalls(caller: Caller, wanted: number): Promise<void> {
  for (let calls = 0; calls < wanted;) calls += (await caller.look()).calls;
}

/** Something that is so or not, without another caller. */
export async function judge(name: string, attempt: Attempt[1], report: Report): Promise<void> {
  const started = performance.now();
  const broken = await complaintsOf(attempt);
  report.add({ name, seconds: (performance.now() - started) / 1000, broken });
}
