// One copy of each text that thousands of Pods say alike: versions, names, ids of snapshots and of keys.

/** More than a fleet has at a time; what is forgotten is only kept twice. */
const maxKept = 20_000;

const kept = new Map<string, string>();

/** The same text, as it was first said. */
export function share(text: string): string {
  const known = kept.get(text);
  if (known !== undefined) return known;
  if (kept.size >= maxKept) kept.clear();
  kept.set(text, text);
  return text;
}
