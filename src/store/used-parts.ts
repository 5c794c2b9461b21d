// What a provider used of the material that is current: a change beside it, such as a foreign key under a prefix, is no new material.
import { PaycertError } from '../errors.ts';
import type { SigningContext } from '../providers/provider.ts';
import { type Material, material } from '../sources/source.ts';
import type { Snapshot } from './snapshot.ts';

/** Material, and what was loaded from it. */
export interface Loaded {
  readonly material: Material;
  readonly context: SigningContext;
  /** Of the set that does not sign, where there is one that can be used. */
  readonly beside: SigningContext | undefined;
}

/** Of one reload loop: another configuration may use other parts, and has a loop of its own. */
export class UsedParts {
  #revision: string | undefined;

  /** That became current. */
  note(loaded: Loaded): void {
    this.#revision = revisionOf(loaded);
  }

  /** Whether what became current last was loaded from the same parts, and says the same at that time. */
  areSame(loaded: Loaded, { context, beside }: Snapshot, at: Date): boolean {
    return (
      this.#revision !== undefined &&
      this.#revision === revisionOf(loaded) &&
      // Names that were listed and not read may say something too, and so may a key service.
      describe(context, at) === describe(loaded.context, at) &&
      describe(beside, at) === describe(loaded.beside, at)
    );
  }
}

function revisionOf({ material: { data, staged }, context, beside }: Loaded): string {
  const other = staged?.other instanceof PaycertError ? staged.other : staged && usedOf(staged.other, beside);
  return material(usedOf(data, context), { ...(staged && other && { staged: { ...staged, other } }) }).revision;
}

function usedOf(data: Material['data'], context: SigningContext | undefined): Material['data'] {
  const ignored = new Set(context?.set.ignored);
  return ignored.size === 0 ? data : new Map([...data].filter(([name]) => !ignored.has(name)));
}

const describe = (context: SigningContext | undefined, at: Date): string => {
  if (context === undefined) return '';
  const { keys, createdAt, warnings } = context.set;
  return JSON.stringify([keys, createdAt, warnings(at).map(({ code, message }) => [code, message])]);
};
