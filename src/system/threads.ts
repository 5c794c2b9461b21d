// Calls that wait in libuv's thread pool for a disk or a name server: bounded, so that threads are always left for signatures.
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

/** Who waits for the same foreign thing. What hangs there holds no more than its own threads. */
export interface Lane {
  /** How many threads it may hold at once. */
  readonly most: number;
  /** What it is a part of; the bound of that one holds too. */
  readonly within?: Lane;
  /** From its first call on, no other lane takes its threads, as long as one is left to the others. */
  readonly isKept?: true;
}

/** Files on disks of this machine, and what the process itself follows, wherever that is. */
export const filesLane: Lane = { most: 4 };
/** Files of another machine, or of a program: their server may stop answering, and then every mount of it hangs at once. */
export const remoteFilesLane: Lane = { most: 4 };

const mountLanes = new Map<string, Lane>();

/** A mount that hangs holds this many threads, however many read from it, and leaves the others to other mounts of its kind. */
export function mountLane(mounts: readonly string[], within = remoteFilesLane): Lane {
  const key = mounts.join('\n');
  const known = mountLanes.get(key);
  const lane = known?.within === within ? known : { most: 2, within };
  mountLanes.set(key, lane);
  return lane;
}

/** What is in memory never hangs: it takes a thread for a moment, as a signature does, and waits behind no mount that hangs. */
export const memoryLane: Lane = { most: Infinity };

/** Hosts files, and the few names that only the system itself can resolve. */
export const namesLane: Lane = { most: 1, isKept: true };
/** Standard output, where it is a file. */
export const outputLane: Lane = { most: 1 };
/** The directory of an audit: its lines wait for no other file. */
export const auditLane: Lane = { most: 1, isKept: true };
/** The directories of our own sockets: volumes that others mount, too. */
export const socketsLane: Lane = { most: 1 };

/** What all lanes can hold together. */
export const foreignThreads = [filesLane, remoteFilesLane, namesLane, outputLane, auditLane, socketsLane].reduce(
  (sum, { most }) => sum + most,
  0,
);

/** However many threads foreign calls hold, two are left: one that signs, and one for the call that comes next. */
export const ownThreads = 2;

/** A thread for each core, and one for each foreign call that may hang. */
export const poolSizeFor = (cores: number, foreign = foreignThreads): number => Math.max(cores, ownThreads) + foreign;

interface Waiting {
  readonly lane: Lane;
  readonly start: () => void;
}

/** Grants threads to lanes, first come, first served among those that may have one. */
export class Threads {
  readonly #most: number;
  readonly #held = new Map<Lane, number>();
  #all = 0;
  readonly #kept = new Set<Lane>();
  readonly #waiting: Waiting[] = [];
  readonly #released: (() => void)[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  get isHeld(): boolean {
    return this.#all > 0;
  }

  /** When no foreign call holds a thread: never, while one hangs. */
  async whenFree(): Promise<void> {
    while (this.isHeld) await new Promise<void>((free) => this.#released.push(free));
  }

  async run<T>(lane: Lane, work: () => Promise<T>): Promise<T> {
    if (lane === memoryLane) return work();
    if (lane.isKept) this.#kept.add(lane);
    if (this.#isFree(lane)) this.#count(lane, 1);
    else await new Promise<void>((start) => this.#waiting.push({ lane, start }));
    try {
      return await work();
    } finally {
      this.#count(lane, -1);
      this.#startNext();
      for (const free of this.#released.splice(0)) free();
    }
  }

  #isFree(lane: Lane): boolean {
    return this.#all < this.#roomFor(lane) && lanesOf(lane).every((one) => this.#heldBy(one) < one.most);
  }

  /** All threads but those that are kept for other lanes, and not in use. */
  #roomFor(lane: Lane): number {
    let room = this.#most;
    for (const kept of this.#kept) if (kept !== lane) room -= kept.most - this.#heldBy(kept);
    return Math.max(room, 1);
  }

  #heldBy(lane: Lane): number {
    return this.#held.get(lane) ?? 0;
  }

  #count(lane: Lane, change: 1 | -1): void {
    this.#all += change;
    for (const one of lanesOf(lane)) {
      const held = this.#heldBy(one) + change;
      // A lane ends with its source.
      if (held === 0) this.#held.delete(one);
      else this.#held.set(one, held);
    }
  }

  #startNext(): void {
    const index = this.#waiting.findIndex(({ lane }) => this.#isFree(lane));
    const [next] = index === -1 ? [] : this.#waiting.splice(index, 1);
    if (next === undefined) return;
    this.#count(next.lane, 1);
    next.start();
  }
}

const lanesOf = (lane: Lane): readonly Lane[] => (lane.within === undefined ? [lane] : [lane, ...lanesOf(lane.within)]);

type Environment = Readonly<Record<string, string | undefined>>;

/** As libuv sizes its pool. */
function poolSize(environment: Environment): number {
  const size = Number.parseInt(environment['UV_THREADPOOL_SIZE'] ?? '', 10);
  return size > 0 ? size : 4;
}

/** What foreign calls may hold of a pool of that size: what the cores do not need, and one of a small one. */
const foreignPart = (size: number, cores: number): number =>
  Math.min(Math.max(size - Math.max(cores, ownThreads), 1), foreignThreads);

/** The threads that foreign calls never hold. */
export function signingThreads(environment: Environment, cores = availableParallelism()): number {
  const size = poolSize(environment);
  return Math.max(size - foreignPart(size, cores), 1);
}

/** As a limiter of signatures takes it: the threads that foreign calls never hold, and all of the pool. */
export const signingPool = (environment: Environment): readonly [signing: number, all: number] => [
  signingThreads(environment),
  poolSize(environment),
];

let threads: Threads | undefined;

/** Whether a foreign call still holds a thread after that time; as soon as none does, no. */
export async function isForeignHung(milliseconds: number): Promise<boolean> {
  if (threads?.isHeld !== true) return false;
  const patience = new AbortController();
  const late = sleep(milliseconds, undefined, { signal: patience.signal }).catch(() => undefined);
  await Promise.race([threads.whenFree(), late]);
  patience.abort();
  return threads.isHeld;
}

/** Runs a call that waits for something foreign in the pool of this process. */
export function runForeign<T>(lane: Lane, work: () => Promise<T>): Promise<T> {
  threads ??= new Threads(foreignPart(poolSize(process.env), availableParallelism()));
  return threads.run(lane, work);
}
