// The files of a sidecar itself, read once for its start and followed after it: the configuration, and the tokens that it names.
import type { Clock } from '../clock.ts';
import { defaults, milliseconds } from '../config/defaults.ts';
import { parseForStart, readConfig, readConfigVariable, tokenFilesOf } from '../config/read.ts';
import type { Config } from '../config/schema/config.ts';
import { parseToken, readToken } from '../config/token.ts';
import type { Observe, TokenFile } from '../events.ts';
import { files } from '../sources/files.ts';
import { usageError } from './command.ts';
import { followFile } from './follow.ts';

/** A file, which is followed, or an environment variable, which only a new process has another value of. */
export type ConfigPlace = { readonly path: string } | { readonly variable: string };

/** @throws PaycertError `usage` */
export function configPlace(path: string | undefined, variable: string | undefined): ConfigPlace {
  if (path !== undefined && variable === undefined) return { path };
  if (path === undefined && variable !== undefined) return { variable };
  throw usageError('--config or --config-env is needed, one of the two');
}

/** @throws PaycertError as `readConfig` does */
export const readPlace = (
  place: ConfigPlace,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Config> => ('path' in place ? readConfig(place.path) : readConfigVariable(place.variable, environment));

interface Following {
  readonly clock: Clock;
  readonly observe: Observe;
}

const follow = (path: string, { clock, observe }: Following) =>
  files({ paths: [path], pollMilliseconds: milliseconds(defaults.poll), clock, observe });

/** Tokens by the field that names their file, each as it is now. */
export class FollowedTokens {
  readonly #paths: ReadonlyMap<TokenFile, string>;
  readonly #tokens = new Map<TokenFile, string>();

  private constructor(paths: ReadonlyMap<TokenFile, string>) {
    this.#paths = paths;
  }

  /** @throws PaycertError `config-invalid` for a file that holds no token */
  static async read(config: Config): Promise<FollowedTokens> {
    const tokens = new FollowedTokens(new Map(tokenFilesOf(config)));
    for (const [file, path] of tokens.#paths) tokens.#tokens.set(file, await readToken(path, file));
    return tokens;
  }

  get(file: TokenFile): string | undefined {
    return this.#tokens.get(file);
  }

  /** Until aborted. */
  async follow(following: Following, signal: AbortSignal): Promise<void> {
    const { observe } = following;
    const followed = [...this.#paths].map(([file, path]) =>
      followFile(
        {
          ...{ file, observe, source: follow(path, following), initial: this.#tokens.get(file) ?? '' },
          parse: (text) => parseToken(text, file),
          apply: (next) => {
            this.#tokens.set(file, next);
            observe({ type: 'token-replaced', file });
          },
        },
        signal,
      ),
    );
    await Promise.all(followed);
  }
}

interface FollowedConfig extends Following {
  readonly initial: Config;
  readonly apply: (next: Config) => void;
}

/** Until aborted. A variable cannot change. */
export async function followConfig(place: ConfigPlace, followed: FollowedConfig, signal: AbortSignal): Promise<void> {
  if (!('path' in place)) return;
  const source = follow(place.path, followed);
  await followFile({ ...followed, file: 'configuration', source, parse: parseForStart }, signal);
}
