// One credential's part of the directory that keeps what was accepted last, with what is fetched beside it as of now.
import type { LastGood, LastGoodDirectory, Owner } from '../sources/last-good.ts';
import { ownPart, type Source } from '../sources/source.ts';

/** `withFetches`: adds what is fetched beside material, so that a certificate that was revoked since is found. */
export function lastGoodOf(
  directory: LastGoodDirectory,
  owner: Owner,
  withFetches: (read: Source['read']) => Source['read'],
): LastGood {
  /** Of what is kept, as far as this process knows. */
  let revision: string | undefined;
  return {
    async read(signal) {
      const kept = directory.read(owner);
      if (kept === undefined) return undefined;
      const { material, keptAt } = kept;
      revision = material.revision;
      const read = withFetches(async () => material);
      return { material: await read(signal), keptAt };
    },

    keep(material, at) {
      revision = undefined;
      directory.keep(owner, material, at);
      revision = ownPart(material).revision;
    },

    drop(material) {
      const isKept = ownPart(material).revision === revision;
      if (isKept) directory.forget(owner.credential);
      return isKept;
    },
  };
}
