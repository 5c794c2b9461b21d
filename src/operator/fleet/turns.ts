// When each Pod is asked next: soon while what is stored is not everywhere in it, less and less often when that lasts, seldom otherwise.

/** After a change; a rotation over a mount takes a minute, and over the API a second. */
export const shortestPause = 5000;
/** What changed without a change of the Secret, such as a sidecar that was restarted with other options, is found then. */
export const longestPause = 300_000;

/** At rest, five thousand Pods are asked about seventeen times a second. `random`: from 0 to 1, so that they are not asked together. */
export const pauseAtRest = (random: number): number => longestPause * (0.8 + random / 5);

/** A tenth of the time that it has lasted. */
export const pauseWhile = (unsettledMilliseconds: number): number =>
  Math.min(Math.max(unsettledMilliseconds / 10, shortestPause), longestPause);

/** While a next key is tried there: what its platform says of it must be known soon. */
export const pauseOfCanary = 20_000;

export interface Turn {
  /** In milliseconds since 1970. */
  readonly nextAt: number;
  /** The last question was not answered: it waits behind those that answer. */
  readonly isFailing: boolean;
}

/** Of those that are due, the first so many: a long row of silent Pods holds no rotation up. */
export function dueNow<T extends Turn>(turns: Iterable<T>, now: number, most: number): T[] {
  return [...turns]
    .filter(({ nextAt }) => nextAt <= now)
    .sort((a, b) => Number(a.isFailing) - Number(b.isFailing) || a.nextAt - b.nextAt)
    .slice(0, most);
}
