// What no schema can say of staged sets: that there are two, and one way in which the next one begins to sign.
import { isDeepStrictEqual } from 'node:util';
import type { ActivateConfig, SourceConfig } from '../schema/source.ts';
import type { Sound } from '../sound.ts';
import type { Path } from '../yaml.ts';
import type { Fault } from './fault.ts';

/** Two sets, and when the next one signs. */
export function* stagedFaults(source: Sound<Pick<SourceConfig, 'staged'>> | undefined, at: Path): Generator<Fault> {
  const { current, next } = source?.staged ?? {};
  if (current !== undefined && isDeepStrictEqual(current, next))
    yield { path: [...at, 'staged', 'next'], message: 'is the same as current: name where the other set is' };
  yield* activationFaults(source?.staged?.activate, [...at, 'staged', 'activate']);
}

/** Exactly one of a time, a share, and steps that grow. */
export function* activationFaults(activate: Sound<ActivateConfig> | undefined, path: Path): Generator<Fault> {
  if (activate === undefined) return;
  const at = (name: string): Path => [...path, name];
  const given = (['at', 'percent', 'steps'] as const).filter((name) => activate[name] !== undefined);
  const [first, second] = given;
  if (first === undefined)
    yield { path, message: 'needs at, percent or steps', absent: [at('at'), at('percent'), at('steps')] };
  else if (second !== undefined) yield { path: at(second), message: `stands beside ${first}: give one` };
  else if (first === 'at' && activate.of !== undefined) yield { path: at('of'), message: 'is not for at' };
  if (activate.steps !== undefined && activate.from === undefined)
    yield { path: at('from'), message: 'is missing: it says when the steps begin', absent: [at('from')] };
  else if (activate.steps === undefined && activate.from !== undefined)
    yield { path: at('from'), message: 'is for steps alone', absent: [at('steps')] };
  for (const name of ['at', 'from'] as const) {
    const time = activate[name];
    if (time !== undefined && Number.isNaN(Date.parse(time))) yield { path: at(name), message: 'is no time' };
  }
  const shares = activate.steps?.map((step) => step?.percent) ?? [];
  const falling = shares.findIndex((share = 100, index) => share < (shares[index - 1] ?? 0));
  if (falling > 0) yield { path: [...at('steps'), falling, 'percent'], message: 'is less than before: a share grows' };
}
