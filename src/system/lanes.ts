// Who waits for the same foreign thing: a disk, a mount, a name server. What hangs in one lane holds its own threads, and no more.

/** What its calls may hold of the pool. */
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

/** That one, and what it is a part of. */
export const lanesOf = (lane: Lane): readonly Lane[] =>
  lane.within === undefined ? [lane] : [lane, ...lanesOf(lane.within)];
