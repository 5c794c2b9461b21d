// Which Pods run an older sidecar than the newest that is known here: the others', or this program.
import type { CredentialReport } from './gather.ts';

/** `1.2.3`, without what comes after; undefined for what has another form. */
function numbersOf(version: string): readonly number[] | undefined {
  const [, ...numbers] = /^(\d{1,9})\.(\d{1,9})\.(\d{1,9})(?:[-+]|$)/.exec(version) ?? [];
  return numbers.length === 3 ? numbers.map(Number) : undefined;
}

function isOlder(one: string, other: string): boolean {
  const [a, b] = [numbersOf(one), numbersOf(other)];
  if (a === undefined || b === undefined) return false;
  const at = a.findIndex((number, index) => number !== b[index]);
  return at >= 0 && (a[at] ?? 0) < (b[at] ?? 0);
}

/** Each Pod once, with its version and the newest. */
export function olderSidecars(
  credentials: readonly Pick<CredentialReport, 'pods'>[],
  own: string,
): readonly (readonly [pod: string, version: string, newest: string])[] {
  const versions = new Map(credentials.flatMap(({ pods }) => pods.map(({ pod, version }) => [pod, version] as const)));
  const known = [...versions].flatMap(([pod, version]) => (version === undefined ? [] : [[pod, version] as const]));
  const newest = known.reduce((best, [, version]) => (isOlder(best, version) ? version : best), own);
  return known.filter(([, version]) => isOlder(version, newest)).map(([pod, version]) => [pod, version, newest]);
}
