// Environment variables as a source. They never change while a process runs: a rotation is a restart.
import type { Clock } from '../clock.ts';
import { PaycertError, throwTogether } from '../errors.ts';
import { material, type Source } from './source.ts';
import { Ticks } from './ticks.ts';

export interface EnvOptions {
  /** Material name → name of the variable that holds it. */
  readonly keys: Readonly<Record<string, string>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
}

const hour = 60 * 60 * 1000;

const missing = (name: string): PaycertError =>
  new PaycertError('variable-missing', `the environment variable that keys.${name} names is not set`, {
    field: `keys.${name}`,
  });

export function env({ keys, environment, clock }: EnvOptions): Source {
  return {
    name: `env:${Object.values(keys).join(',')}`,

    async read() {
      // Own members only: an environment is an object, and has a `constructor`.
      const values = Object.entries(keys).map(([name, variable]): readonly [string, string] => [
        name,
        (Object.hasOwn(environment, variable) ? environment[variable] : undefined) ?? '',
      ]);
      throwTogether(values.flatMap(([name, value]) => (value === '' ? missing(name) : [])));
      return material(new Map(values.map(([name, value]) => [name, Buffer.from(value)])), { frozenPaths: [] });
    },

    changes: (signal) => new Ticks({ clock, pollMilliseconds: hour, settleMilliseconds: () => 0 }).read(signal),
  };
}
