// What no schema can say of entries: names that must differ, and accounts that have the form of their platform.
import type { Path } from '../yaml.ts';
import type { Fault } from './fault.ts';
import { platformsOf, type Providers } from './platforms.ts';

/** The account is one of that platform, as far as its form says. */
export function* accountFaults(provider: Providers | undefined, at: Path): Generator<Fault> {
  for (const { platform, options } of platformsOf(provider))
    for (const { option, what } of platform.accountProblems?.(options) ?? [])
      yield { path: [...at, platform.id, option], message: what };
}

/** Of an entry, and the member that says its name. */
export interface EntryName {
  readonly name: string | undefined;
  readonly member: string;
}

export function* nameFaults(names: readonly EntryName[]): Generator<Fault> {
  const seen = new Set<string>();
  for (const [index, { name, member }] of names.entries()) {
    if (name === undefined) continue;
    if (seen.has(name)) yield { path: ['credentials', index, member], message: 'is the name of an earlier credential' };
    seen.add(name);
  }
}
