// Which annotations of a Secret hold a copy of what it holds: tools keep the object as they applied it, to compare with it next time.

/** kubectl's: the object as it was applied last. Not ours, and never written. */
export const lastAppliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration';

/** Rancher's and Banzai Cloud's keep it packed: whatever they hold of a Secret, they hold all of it. */
const packed: ReadonlySet<string> = new Set(['objectset.rio.cattle.io/applied', 'banzaicloud.com/last-applied']);

interface Applied {
  readonly kind?: unknown;
  readonly data?: object | null;
  readonly stringData?: object | null;
}

/** The names of the annotations, in order. */
export function findCopies(annotations: Readonly<Record<string, string>> = {}): readonly string[] {
  return Object.entries(annotations)
    .filter(([name, text]) => packed.has(name) || holdsData(name, text))
    .map(([name]) => name)
    .sort();
}

/** Whether it is a Secret with data, as kubectl, Argo CD and kapp keep it. What kubectl wrote and cannot be parsed may hold everything. */
function holdsData(name: string, text: string): boolean {
  const isKubectls = name === lastAppliedAnnotation;
  if (!isKubectls && !text.trimStart().startsWith('{')) return false;
  try {
    const { kind, data, stringData } = (JSON.parse(text) ?? {}) as Applied;
    return (isKubectls || kind === 'Secret') && [data, stringData].some((part) => Object.keys(part ?? {}).length > 0);
  } catch {
    return isKubectls;
  }
}
