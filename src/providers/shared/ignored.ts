// Which parts of the material its provider never read: they count for nothing, and people think that they do.
import type { Provider } from '../provider.ts';

/** Remembers what is read by its name. To list the names, or all entries, reads nothing. */
class RecordedReads extends Map<string, Uint8Array> {
  readonly read = new Set<string>();

  override get(name: string): Uint8Array | undefined {
    this.read.add(name);
    return super.get(name);
  }
}

/** The same provider, which says what it has not read. */
export const withIgnored = (provider: Provider): Provider => ({
  ...provider,
  async load(data, ...asked) {
    const recorded = new RecordedReads(data);
    const context = await provider.load(recorded, ...asked);
    const ignored = [...recorded.keys()].filter((name) => !recorded.read.has(name)).sort();
    return { ...context, set: { ...context.set, ignored } };
  },
});
