// How many threads of the pool a sidecar keeps for what may hang: one where all keys are in memory and it asks nobody, one more for the directory of an audit, since each thread costs signatures.
import { fstatSync, readFileSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { parseConfig } from '../config/load.ts';
import type { Config } from '../config/schema/config.ts';
import type { CredentialConfig } from '../config/schema/credential.ts';
import type { SourceConfig } from '../config/schema/source.ts';
import { PaycertError } from '../errors.ts';
import { areLocal, currentMounts, memoryMountOf, type Mounts } from '../sources/mounts.ts';
import { auditLane, foreignThreads, poolSizeFor } from '../system/threads.ts';
import type { ConfigPlace } from './sidecar-files.ts';

/** Whether a field of the configuration has paycert wait for more than memory and its own files. `lastGood`, `audit` and `credentials`: it depends. */
const fields = {
  ...{ listen: false, admin: false, log: false, remember: false, resources: false },
  ...{ proxy: true, notifications: true, wayOut: true, keyServices: true },
} as const satisfies Record<keyof Omit<Config, 'credentials' | 'lastGood' | 'audit'>, boolean>;

const credentialFields = {
  ...{ name: false, required: false, require: false, provider: false, older: false, grace: false, maxAge: false },
  ...{ platformCertificates: true, check: true, gateway: true },
} as const satisfies Record<keyof Omit<CredentialConfig, 'source'>, boolean>;

const hasForeign = (table: Readonly<Record<string, boolean>>, value: object): boolean =>
  Object.keys(value).some((field) => table[field] === true);

/** Files in memory, variables and the API server: none of them holds a thread that a disk or a name server could keep. */
function isForeignSource(source: SourceConfig, mounts: Mounts): boolean {
  const { files, env: _, secret: __, merge = [], fallback = [], staged, ...others } = source;
  const paths = files === undefined ? [] : [files.path].flat();
  const inner = [...merge, ...fallback, ...(staged === undefined ? [] : [staged.current, staged.next])];
  return (
    Object.keys(others).length > 0 ||
    paths.some((path) => memoryMountOf(mounts, resolve(path)) === undefined) ||
    inner.some((each) => isForeignSource(each, mounts))
  );
}

/** The threads that foreign calls of this configuration may hold together. */
export function foreignThreadsOf(config: Config, mounts: Mounts): number {
  const { credentials, lastGood, audit, ...rest } = config;
  const isOnDisk = lastGood !== undefined && memoryMountOf(mounts, resolve(lastGood.directory)) === undefined;
  const asks = credentials.some(
    ({ source, ...others }) => hasForeign(credentialFields, others) || isForeignSource(source, mounts),
  );
  const isAll = isOnDisk || asks || audit?.otlp !== undefined || hasForeign(fields, rest);
  return isAll ? foreignThreads : ownFilesThreads + (audit?.volume === undefined ? 0 : auditLane.most);
}

/** For the configuration, tokens, hosts file and sockets, one at a time: they hang together, on the one disk of the container. */
const ownFilesThreads = 1;

/** A larger configuration is not read twice. */
const maxPeekBytes = 64 * 1024;

/** Where a log in a file waits for its disk, too. */
const isOutputFile = (): boolean => fstatSync(process.stdout.fd).isFile();

/**
 * What `UV_THREADPOOL_SIZE` should be. libuv reads it when the pool is first used, so this uses none: the configuration is read at
 * once, if it is on a disk of this machine. What is wrong with it is said when it is read again.
 */
export function poolSizeOf(
  place: ConfigPlace,
  environment: Readonly<Record<string, string | undefined>>,
  { mounts = currentMounts(), cores = availableParallelism(), isLogFile = isOutputFile() } = {},
): number {
  const text = 'path' in place ? peek(place.path, mounts) : environment[place.variable];
  const config = isLogFile || text === undefined || text.length > maxPeekBytes ? undefined : parsed(text);
  return poolSizeFor(cores, config && foreignThreadsOf(config, mounts));
}

function peek(path: string, mounts: Mounts): string | undefined {
  try {
    if (!areLocal(mounts, [resolve(path)])) return undefined;
    const stats = statSync(path);
    // A file of /proc has no size, and may have no end.
    return stats.isFile() && stats.size > 0 && stats.size <= maxPeekBytes ? readFileSync(path, 'utf8') : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall !== undefined) return undefined;
    throw error;
  }
}

function parsed(text: string): Config | undefined {
  try {
    return parseConfig(text);
  } catch (error) {
    if (error instanceof PaycertError) return undefined;
    throw error;
  }
}
