// Whole lists, page by page, and what differs between two of them.
import type { KubeClient } from './client.ts';
import type { Collection, KubeObject } from './resources.ts';

/** What is cached of an object: its version, and what the transform made of it. */
export interface Kept<T> {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly value: T;
}

export const keyOf = ({ metadata: { namespace, name } }: KubeObject): string =>
  namespace === undefined ? name : `${namespace}/${name}`;

/** The API server holds a page in memory as a whole, and so do we. */
const pageSize = 500;

/** All objects, as of one resource version. A page is let go before the next is asked for. */
export async function readAll<T>(
  client: Pick<KubeClient, 'list'>,
  collection: Collection,
  transform: (object: KubeObject) => T,
  signal: AbortSignal,
): Promise<{ readonly objects: Map<string, Kept<T>>; readonly resourceVersion: string }> {
  const objects = new Map<string, Kept<T>>();
  let next = '';
  for (;;) {
    const page = await client.list(collection, { limit: pageSize, ...(next !== '' && { continue: next }) }, signal);
    for (const object of page.items) {
      const { uid = '', resourceVersion = '' } = object.metadata;
      objects.set(keyOf(object), { uid, resourceVersion, value: transform(object) });
    }
    next = page.continue;
    if (next === '') return { objects, resourceVersion: page.resourceVersion };
  }
}

/** The keys of what is new, gone, or another version. */
export function differences(
  before: ReadonlyMap<string, Kept<unknown>>,
  after: ReadonlyMap<string, Kept<unknown>>,
): string[] {
  const isSame = (key: string) => {
    const [a, b] = [before.get(key), after.get(key)];
    return a?.uid === b?.uid && a?.resourceVersion === b?.resourceVersion;
  };
  return [...new Set([...before.keys(), ...after.keys()])].filter((key) => !isSame(key));
}
