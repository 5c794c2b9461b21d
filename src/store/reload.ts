// The one awaited loop per credential: looks when its source says so, and again by timer at what was refused.
import { longestSleep, pause } from '../clock.ts';
import { PaycertError } from '../errors.ts';
import type { Material, Tick } from '../sources/source.ts';
import { attempt, type Credential, type Dependencies } from './attempt.ts';
import { dropRevoked, keepLastGood } from './last-good.ts';
import { restoreLastGood } from './restore.ts';
import { recordUnchanged } from './unchanged.ts';
import { UsedParts } from './used-parts.ts';

const longestBackoff = 5 * 60 * 1000;
const shortestBackoff = 500;

/** A source that stops reporting changes is a bug; it is polled again after this long. */
const restartMilliseconds = 10_000;

/** What the loop remembers of the material it could not use. */
interface Pending {
  readonly revision: string | undefined;
  readonly code: string;
  readonly failures: number;
  readonly retryAt: Date;
}

/** Of a refusal that ends by itself. */
interface Wait {
  readonly until?: Date;
  readonly asksAgain?: boolean;
}

/** Looks whenever the source says so, and again by timer at what was refused. Ends only on abort. */
export async function reloadLoop(
  credential: Credential,
  dependencies: Dependencies,
  signal: AbortSignal,
): Promise<void> {
  const loop = new Loop(credential, dependencies, signal);
  const ticks = endlessTicks(credential, dependencies, signal);
  let next = ticks.next();
  try {
    for (;;) {
      const retry = pause(dependencies.clock, loop.untilRetry(), signal);
      const step = await Promise.race([next, retry.over.then(() => 'retry' as const)]);
      retry.end();
      if (signal.aborted) return;
      if (step === 'retry') await loop.look('poll', true);
      else if (step.done === true) return;
      else {
        next = ticks.next();
        await loop.look(step.value, false);
      }
    }
  } finally {
    await ticks.return();
  }
}

/** The source's ticks until abort: one that ends or throws before is reported and restarted. */
async function* endlessTicks(
  { name, source }: Credential,
  { clock, observe }: Dependencies,
  signal: AbortSignal,
): AsyncGenerator<Tick, void, undefined> {
  const isOver = () => signal.aborted;
  while (!isOver()) {
    let error: unknown = new TypeError(`the changes of ${source.name} ended`);
    try {
      yield* source.changes(signal);
    } catch (thrown) {
      error = thrown;
    }
    if (isOver()) return;
    observe({ type: 'internal-error', where: 'changes', credential: name, error });
    await clock.sleep(restartMilliseconds, signal);
  }
}

class Loop {
  readonly #credential: Credential;
  readonly #dependencies: Dependencies;
  readonly #signal: AbortSignal;
  /** The revision of what is current. */
  #revision: string | undefined;
  #pending: Pending | undefined;
  readonly #used = new UsedParts();
  /** When its platform is asked again about the set that waits. */
  #besideAt: Date | undefined;

  constructor(credential: Credential, dependencies: Dependencies, signal: AbortSignal) {
    this.#credential = credential;
    this.#dependencies = dependencies;
    this.#signal = signal;
  }

  /** Never longer than the longest backoff: a clock that jumps either way must not hold valid material back. */
  untilRetry(): number {
    const times = [this.#pending?.retryAt, this.#besideAt].flatMap((at) => at?.getTime() ?? []);
    if (times.length === 0) return longestSleep;
    const milliseconds = Math.min(...times) - this.#dependencies.clock.now().getTime();
    return Math.min(Math.max(milliseconds, 0), longestBackoff);
  }

  /** After abort or removal an attempt has no effect and emits nothing. */
  #isOver(): boolean {
    return this.#signal.aborted || !this.#dependencies.store.has(this.#credential.name);
  }

  /** Reads, and tries what is new or due again. Never throws: one credential's bug is not another's. */
  async look(tick: Tick, isDue: boolean): Promise<void> {
    await this.#lookAtSource(tick, isDue);
    if (this.#isOver()) return;
    this.#revision = (await restoreLastGood(this.#credential, this.#dependencies, this.#signal)) ?? this.#revision;
    await this.#lookBeside();
  }

  /** Whether calls may try the set that waits is settled by an attempt, as everything about a snapshot. */
  async #lookBeside(): Promise<void> {
    const { name, besideCheck } = this.#credential;
    if (besideCheck === undefined || this.#isOver()) return;
    try {
      const { askAgainAt, hasChanged = false } = await besideCheck.look(name, this.#dependencies, this.#signal);
      this.#besideAt = askAgainAt;
      if (!hasChanged || this.#isOver()) return;
      this.#revision = undefined;
      await this.#lookAtSource('event', true);
    } catch (error) {
      if (!this.#isOver()) this.#recordFailure(error, undefined);
    }
  }

  async #lookAtSource(tick: Tick, isDue: boolean): Promise<void> {
    const { name, source } = this.#credential;
    const { observe } = this.#dependencies;
    let revision: string | undefined;
    try {
      const material = await source.read(this.#signal);
      if (this.#isOver()) return;
      revision = material.revision;
      this.#recordRead(material);
      if (revision === this.#revision) {
        recordUnchanged(name, this.#dependencies, this.#pending !== undefined);
        this.#pending = undefined;
        // What could not be kept is tried again: there may be room now.
        if (this.#dependencies.store.entry(name).kept?.error !== undefined)
          keepLastGood(this.#credential, material, this.#dependencies);
        return;
      }
      if (revision === this.#pending?.revision && !isDue) return;
      if (tick === 'poll' && !isDue && this.#revision !== undefined)
        observe({ type: 'found-by-poll', credential: name });
      const refusal = await attempt(this.#credential, material, this.#dependencies, {
        isRepeated: (error) => this.#isRepeated(revision, error.code),
        used: this.#used,
        isRecovery: this.#pending !== undefined,
        signal: this.#signal,
      });
      if (refusal === undefined) {
        this.#revision = revision;
        this.#pending = undefined;
      } else {
        dropRevoked(this.#credential, material, refusal.error, this.#dependencies);
        this.#refuse(revision, refusal.error.code, refusal.outcome === 'deferred' ? refusal : undefined);
      }
    } catch (error) {
      if (this.#isOver()) return;
      this.#recordFailure(error, revision);
    }
  }

  #recordRead({ frozenPaths = [], copies = [], fallback }: Material): void {
    const { store, observe } = this.#dependencies;
    const { name } = this.#credential;
    const before = store.entry(name);
    store.update(name, ({ sourceError, frozenPaths: paths, copies: known, fallback: former, ...entry }) => ({
      ...entry,
      ...(frozenPaths.length > 0 && { frozenPaths }),
      ...(copies.length > 0 && { copies }),
      ...(fallback !== undefined && { fallback }),
    }));
    if (frozenPaths.length > 0 && before.frozenPaths === undefined)
      observe({ type: 'mount-frozen', credential: name, paths: frozenPaths });
    if (JSON.stringify(copies) !== JSON.stringify(before.copies ?? []))
      observe({ type: 'copies-changed', credential: name, copies });
  }

  #recordFailure(error: unknown, revision: string | undefined): void {
    const { store, clock, observe } = this.#dependencies;
    const { name } = this.#credential;
    const at = clock.now();
    if (error instanceof PaycertError) {
      const isNew = !this.#isRepeated(revision, error.code);
      store.update(name, (entry) => ({ ...entry, lastReload: { at, outcome: 'failed' }, sourceError: { at, error } }));
      const isFirst = store.has(name) && store.entry(name).snapshot === undefined;
      observe({ type: 'source-failed', credential: name, error, isNew, ...(isFirst && { isFirst }) });
      this.#refuse(revision, error.code);
      return;
    }
    // Without the cause: it is nobody's text, and may hold anything.
    const failure = {
      at,
      error: new PaycertError('internal-error', 'reading or loading this material failed unexpectedly'),
    };
    store.update(name, (entry) => ({
      ...entry,
      lastReload: { at, outcome: 'failed' },
      ...(revision === undefined ? { sourceError: failure } : { rejection: failure }),
    }));
    observe({ type: 'internal-error', where: 'reload', credential: name, error });
    this.#refuse(revision, 'internal-error');
  }

  #isRepeated(revision: string | undefined, code: string): boolean {
    return this.#pending?.revision === revision && this.#pending?.code === code;
  }

  /**
   * Tried again later although nothing changed: what refused it may have been the clock or the network. A time that the
   * refusal itself gives, as of a certificate that is not valid yet, comes before the backoff, unless it may end before.
   */
  #refuse(revision: string | undefined, code: string, { until, asksAgain = false }: Wait = {}): void {
    const failures = this.#pending?.revision === revision ? (this.#pending?.failures ?? 0) + 1 : 1;
    const backoff = Math.min(shortestBackoff * 2 ** (failures - 1), longestBackoff);
    const later = new Date(this.#dependencies.clock.now().getTime() + backoff);
    const retryAt = until === undefined || (asksAgain && later < until) ? later : until;
    this.#pending = { revision, code, failures, retryAt };
  }
}
