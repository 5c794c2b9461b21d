// Source → Source: material with certificates that its platform lists as further parts, in both of two staged sets.
import { PaycertError } from '../errors.ts';
import type { Listed } from '../providers/certificate-list.ts';
import { mergeChanges } from '../sources/merge.ts';
import { type Material, material, type Source, type Staged } from '../sources/source.ts';

/** `listed`: what goes with what was read. `changes`: when that may be something else. */
export function withListed(
  source: Source,
  listed: (own: Material, signal: AbortSignal) => Promise<Listed>,
  changes: Source['changes'],
): Source {
  let given: string | undefined;
  return {
    name: source.name,
    read: async (signal) => {
      const own = await source.read(signal);
      const parts = await listed(own, signal);
      const { changedAt, ...about } = own;
      // The same again has not changed at its origin; its list has.
      const isNew = own.revision !== given;
      given = own.revision;
      return withParts({ ...about, ...(isNew && changedAt && { changedAt }) }, parts);
    },
    changes: (signal) => mergeChanges([source, { changes }], signal),
  };
}

/** A set that waits beside the one that signs is of the same merchant. */
function withParts({ data, revision: _, fetched = [], staged, ...about }: Material, parts: Listed): Material {
  return material(new Map([...data, ...parts]), {
    ...about,
    ...{ fetched: [...fetched, ...parts.keys()] },
    ...(staged && { staged: { ...staged, other: besideWith(staged.other, parts) } }),
  });
}

const besideWith = (other: Staged['other'], parts: Listed): Staged['other'] =>
  other instanceof PaycertError ? other : new Map([...other, ...parts]);
