// Reads what a start needs: the file of the configuration, and the files of tokens that it names.
import { PaycertError, throwTogether } from '../errors.ts';
import type { TokenFile } from '../events.ts';
import { readBounded, whyUnreadable } from '../system/read-bounded.ts';
import { parseConfig } from './load.ts';
import type { Config } from './schema/config.ts';
import { readToken } from './token.ts';

/** @throws PaycertError as `parseConfig`; `config-unreadable`, `token-unusable` */
export async function readConfig(path: string): Promise<Config> {
  const { bytes } = await readBounded(path).catch((error: unknown) => {
    throw new PaycertError('config-unreadable', `${path} ${whyUnreadable(error)}`, { field: '--config' });
  });
  return parseForStart(bytes.toString());
}

/** From the value of an environment variable. @throws PaycertError as `readConfig` */
export async function readConfigVariable(
  name: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Config> {
  const text = environment[name];
  if (text === undefined || text === '')
    throw new PaycertError('config-unreadable', `the environment variable ${name} is not set`, {
      field: '--config-env',
    });
  return parseForStart(text);
}

/**
 * What a start needs beside the text itself must be there too: the next start reads this file.
 * @throws PaycertError as `parseConfig`; `token-unusable`
 */
export async function parseForStart(text: string): Promise<Config> {
  const config = parseConfig(text);
  const tokens = await Promise.all(
    tokenFilesOf(config).map(([file, path]) => readToken(path, file).then(() => [], asProblem)),
  );
  throwTogether(tokens.flat());
  return config;
}

/** A deliberate error, kept until all are known. */
function asProblem(error: unknown): readonly PaycertError[] {
  if (error instanceof PaycertError) return [error];
  throw error;
}

/** Of each listener that asks for a token, of what the application knows, of Redis, and of the audit. */
export function tokenFilesOf({
  listen,
  proxy,
  notifications,
  audit,
}: Config): readonly (readonly [TokenFile, string])[] {
  const files: Readonly<Record<TokenFile, string | undefined>> = {
    token: listen.tcp?.tokenFile,
    'proxy-token': proxy?.listen.tcp?.tokenFile,
    'notification-secret': notifications?.secretFile,
    'redis-password': notifications?.dedupe?.redis.passwordFile,
    'audit-key': audit?.keyFile,
  };
  return Object.entries(files).flatMap(([file, path]) =>
    path === undefined ? [] : [[file as TokenFile, path] as const],
  );
}
