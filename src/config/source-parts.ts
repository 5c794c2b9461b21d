// A source and those that it is made of: what asks about each of them has one place that knows where they are.
import type { SourceConfig } from './schema/source.ts';

export function sourcePartsOf(source: SourceConfig): readonly SourceConfig[] {
  const { merge = [], fallback = [], staged, unwrap } = source;
  const sets = staged === undefined ? [] : [staged.current, staged.next];
  const inner = [...merge, ...fallback, ...sets, ...(unwrap === undefined ? [] : [unwrap.source])];
  return [source, ...inner.flatMap(sourcePartsOf)];
}

/** Material name → the origin's own, of all of them together. */
export const keysOf = (source: SourceConfig): Readonly<Record<string, string>> =>
  Object.assign(
    {},
    ...sourcePartsOf(source).flatMap(({ files, secret, vault, consul, etcd }) =>
      [files, secret, vault, consul, etcd].map((one) => one?.keys ?? {}),
    ),
  ) as Record<string, string>;
